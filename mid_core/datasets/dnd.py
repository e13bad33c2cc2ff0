"""DND: 1000 crops of 50 noisy photos, whose truth only its server has.

Plötz and Roth 2017, "Benchmarking Denoising Algorithms with Real Photographs". The
layout is the one that the authors' ``dnd_denoise.py`` reads.
"""

from pathlib import Path

import numpy as np

from mid_core.datasets import matfile
from mid_core.datasets.finding import About, Found, files_named
from mid_core.errors import MidError

# In the config: JSON schema, as YAML.
KEYS = """
path: {$ref: "#/$defs/path"}
part: {const: test, default: test}
"""

ABOUT = About(
    title="DND (sRGB)",
    published=(
        "Plötz and Roth, Benchmarking Denoising Algorithms with Real Photographs, CVPR "
        "2017; https://noise.visinf.tu-darmstadt.de"
    ),
    terms="as its site says; the download needs an account",
    expected="""\
{path}/.../info.mat                 at any depth: the boxes of the crops
{path}/.../images_srgb/0001.mat     beside it: the noisy photos
{path}/.../images_srgb/0002.mat     and so on, to 0050.mat
""",
    complete={"test": 1000},
    extent=(1000, 512, 512),
)

_BOXES = "info/boundingboxes"
_AGAIN = "get the files from DND's site again"
_PHOTO = matfile.Variable("InoisySRGB", ("float32", "float64"), (None, None, 3))


def find(settings: dict, groups: frozenset[str] | None = None) -> Found:
    """List the crops, named as in a submission: ``0001_01`` is box 1 of photo 1.

    Each has its ``box``: row and column of its first pixel, then row and column behind
    its last one, counted from 0.

    Parameters
    ----------
    settings
        ``path``.
    groups
        None, as these are not split.
    """
    found = Found()
    try:
        info = _info(Path(settings["path"]))
        boxes = matfile.read_cells(info, _BOXES)
    except MidError as error:
        return Found(problems=[str(error)])
    folder = info.parent / "images_srgb"
    names = [f"{number:04d}.mat" for number in range(1, len(boxes) + 1)]
    for name, photo_boxes in zip(names, boxes, strict=True):
        try:
            found.items += _crops(folder / name, photo_boxes)
        except MidError as error:
            found.problems.append(str(error))
    found.problems += [
        f"{file} has no boxes in {info}: the two are not of one data set"
        for file in sorted(folder.glob("[!.]*.mat"))
        if file.name not in names
    ]
    return found


def read(item: dict, stack: str, settings: dict) -> np.ndarray:
    """Read a crop, and no more of its photo: float32 (H, W, 3) in [0, 1].

    Raises MidError if its file cannot be read, or has values outside [0, 1].
    """
    path, (top, left, bottom, right) = Path(item["image"]), item["box"]
    part = slice(top, bottom), slice(left, right), slice(None)
    crop = np.ascontiguousarray(matfile.read_part(path, _PHOTO, part), np.float32)
    darkest, brightest = crop.min(), crop.max()
    # Stated so that NaN is refused, too; a hair beyond is rounding.
    if not (darkest >= -1e-5 and brightest <= 1 + 1e-5):
        raise MidError(
            f"{path} holds values from {darkest:.6g} to {brightest:.6g} in the crop "
            f"{item['name']}, expected are 0 to 1: {_AGAIN}"
        )
    return crop.clip(0, 1)


def _info(path: Path) -> Path:
    """Find the info.mat that has the photos beside it."""
    if not path.is_dir():
        raise MidError(f"{path} is no folder: correct the path")
    found = files_named("info.mat", path)
    if not found:
        raise MidError(
            f"{path}/.../info.mat is missing: give the folder that holds it and "
            "images_srgb, or one above"
        )
    complete = [file for file in found if (file.parent / "images_srgb").is_dir()]
    if not complete:
        raise MidError(f"{found[0].parent / 'images_srgb'} is missing: unpack it there")
    if len(complete) > 1:
        raise MidError(f"{' and '.join(map(str, complete))} are copies: keep one only")
    return complete[0]


def _crops(photo: Path, boxes: np.ndarray) -> list[dict]:
    """List the crops of a photo, or raise MidError if it or one of its boxes is wrong.

    The boxes are as in the file: (N, 4) floats, the first row and column and the last
    ones, counted from 1.
    """
    height, width, _ = matfile.check(photo, _PHOTO)
    if boxes.shape != (len(boxes), 4):
        raise MidError(f"{photo} has no boxes in info.mat: {_AGAIN}")
    first, last = boxes[:, :2], boxes[:, 2:]
    fits = (boxes == boxes.round()) & np.hstack([first >= 1, last >= first])
    fits[:, 2:] &= last <= (height, width)
    wrong = ~fits.all(axis=1)
    if wrong.any():
        raise MidError(
            f"{photo} is {height} x {width} pixels, but its boxes in info.mat include "
            f"{boxes[wrong].tolist()}, expected are whole numbers within: {_AGAIN}"
        )
    halfopen = (boxes - [1, 1, 0, 0]).astype(int).tolist()
    return [
        {"name": f"{photo.stem}_{number:02d}", "image": str(photo), "box": box}
        for number, box in enumerate(halfopen, start=1)
    ]

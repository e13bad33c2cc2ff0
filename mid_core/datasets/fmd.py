"""FMD: fluorescence microscopy, 50 captures of each field of view and their mean.

Settings: ``path``; ``part``, clean or noisy; optionally ``level``, the captures that a
noisy picture averages (raw, the default, or avg2, avg4, avg8, avg16); ``types`` and
``fovs``, lists of those to take; ``crops: true`` for the four quarters of each picture;
``split``, always by field of view.
The authors score the quarters of field 19 of each type, or of ``test_mix``, which
repeats pictures of the types: it is left out beside them unless ``types`` names it.
MASH scores whole pictures of a folder with ``raw`` and ``gt``.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from mid_core.datasets import pairs
from mid_core.datasets.finding import About, Found

# In the config: JSON schema, as YAML.
KEYS = """
path: {$ref: "#/$defs/path"}
part: {enum: [clean, noisy], description: "The mean images, or the noisy ones with their truth."}
level: {enum: [raw, avg2, avg4, avg8, avg16], default: raw, description: Captures averaged in a noisy image.}
types: {type: array, items: {type: string}, minItems: 1, description: Folders of microscopes and samples (default all).}
crops: {type: boolean, default: false, description: "Take the four quarters of each picture, as the official test does."}
fovs: {type: array, items: {type: integer, minimum: 1}, minItems: 1, description: "Fields of view (default all); 19 is the official test."}
split: {$ref: "#/$defs/split"}
crop: {$ref: "#/$defs/crop"}
broken: {$ref: "#/$defs/broken"}
"""

ABOUT = About(
    title="FMD",
    published=(
        "github.com/yinhaoz/denoising-fluorescence; Zhang, Zhu, Nichols, Wang, Zhang, "
        "Smith and Howard 2019, A Poisson-Gaussian Denoising Dataset with Real "
        "Fluorescence Microscopy Images"
    ),
    terms="see the pages of its authors",
    expected="""\
{path}/                           or a folder below it
    Confocal_BPAE_B/              and 11 other types, each with 20 fields of view
        raw/19/<capture>.png      noisy, 50 captures a field; avg2, avg4, avg8, avg16
        gt/19/avg50.png           their truth
    test_mix/raw/<picture>.png    or MASH's raw/<picture>.png: noisy
    test_mix/gt/<picture>.png     or MASH's gt/<picture>.png: its truth
""",
)
SIDES = ("clean", "noisy")


class _Picture(NamedTuple):
    name: str
    folder: Path
    fov: int | None

    @property
    def type(self) -> str:
        return self.folder.absolute().name

    @property
    def truth(self) -> Path:
        *_, parent, file = self.name.split("/")
        inside = file if self.fov is None else f"{parent}/avg50.png"
        return self.folder / "gt" / inside

    @property
    def group(self) -> str:
        name = Path(self.name).stem if self.fov is None else self.fov
        return f"{self.type}/{name}"


def find(settings: dict, groups: frozenset[str] | None = None) -> Found:
    """List the pictures of a part, each noisy one with its truth.

    A name is the file's path below ``path``; ``#0`` to ``#3`` are its quarters: top
    left, top right, bottom left, bottom right.
    """
    path, is_clean = Path(settings["path"]), settings["part"] == "clean"
    level = "gt" if is_clean else settings.get("level", "raw")
    found = Found()
    pictures = _pictures(settings, level, found)
    found.problems += [
        f"{path} has no pictures of {group} in {level}: restore them"
        for group in sorted((groups or set()) - {picture.group for picture in pictures})
    ]
    for picture in pictures:
        if groups is not None and picture.group not in groups:
            continue
        has_truth = not is_clean and picture.truth.is_file()
        truth = picture.truth if has_truth else None
        pairs.add(found, picture.name, path / picture.name, truth)
    if settings.get("crops"):
        found.items = [
            item | {"name": f"{item['name']}#{quarter}", "quarter": quarter}
            for item in found.items
            for quarter in range(4)
        ]
    return found


def groups(settings: dict) -> list[str]:
    """List the fields of view that ``split`` divides: ``Confocal_BPAE_B/19``.

    Where there are none, as in ``test_mix``, they are the pictures.
    """
    levels = ("gt", settings.get("level", "raw"))
    pictures = [p for level in levels for p in _pictures(settings, level, Found())]
    return sorted({picture.group for picture in pictures})


def _pictures(settings: dict, level: str, found: Found) -> list[_Picture]:
    """List the pictures of a level, of the types and fields that are asked for."""
    path = Path(settings["path"])
    pictures = []
    for name, (folder, inside) in found.images(path, f"**/{level}/**.png").items():
        fov, _, capture = inside.partition("/")
        in_fov = capture and fov.isdecimal()
        pictures.append(_Picture(name, path / folder, int(fov) if in_fov else None))
    return _chosen(pictures, settings, level, found)


def _chosen(
    pictures: list[_Picture], settings: dict, level: str, found: Found
) -> list[_Picture]:
    """Keep the types and fields asked for; a type in no folder or two is a problem."""
    path, fovs = settings["path"], settings.get("fovs")
    types = {picture.type for picture in pictures}
    types = types - {"test_mix"} or types
    chosen = []
    for kind in settings.get("types", sorted(types)) if pictures else ():
        mine = [picture for picture in pictures if picture.type == kind]
        places = sorted({str(picture.folder) for picture in mine})
        if len(places) != 1:
            found.problems.append(
                f"{path} must have pictures in one folder {kind}/{level}, and has "
                f"them in {' and in '.join(places) or 'none'}: correct path or types"
            )
            continue
        there = {picture.fov for picture in mine}
        found.problems += [
            f"{places[0]}/{level}/{fov} has no pictures: restore it or correct fovs"
            for fov in fovs or ()
            if fov not in there
        ]
        chosen += [picture for picture in mine if fovs is None or picture.fov in fovs]
    return chosen


def read(item: dict, stack: str, settings: dict) -> np.ndarray:
    """Read a picture or its truth, or a quarter of it; see `pairs.read`."""
    pixels = pairs.read(item, stack, settings)
    if "quarter" not in item:
        return pixels
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    row, column = divmod(item["quarter"], 2)
    return pixels[row * height :, column * width :][:height, :width]

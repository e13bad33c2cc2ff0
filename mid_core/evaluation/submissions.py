"""Denoised images as the servers of benchmarks take them.

Sources: SIDD's template for its Kaggle competitions (``SubmitSrgb.csv``), its
``SIDD_Denoise.m`` (``SubmitSrgb.mat``; Abdelhamed et al. 2018), and DND's
``bundle_submission_srgb.m`` (Plötz and Roth 2017). Each file appears whole or not at all.
"""

import base64
import csv
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import scipy.io

from mid_core.errors import MidError
from mid_core.images.picture import to_dtype
from mid_core.runtime.files import replacing

# Images with their names, (H, W, 3) float32; clipped to [0, 1] here.
Named = Iterable[tuple[str, np.ndarray]]


def sidd_csv(images: Named, folder: Path) -> list[Path]:
    """Write ``SubmitSrgb.csv``: a row for each block, its bytes in base64.

    The bytes are uint8, rounded, in C order; the full set's 1280 blocks take 336 MB.

    Raises
    ------
    MidError
        If a block has NaN or infinite pixels.
    """
    target = folder / "SubmitSrgb.csv"
    with replacing(target) as part, part.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["ID", "BLOCK"])
        for number, (name, image) in enumerate(images):
            block = to_dtype(_finite(name, image), np.uint8)
            rows.writerow([number, base64.b64encode(block.tobytes()).decode()])
    return [target]


def sidd_mat(
    images: Named, folder: Path, seconds_per_megapixel: float, about: dict[str, str]
) -> list[Path]:
    """Write ``SubmitSrgb.mat``: a cell for each block, a row for each photo.

    MATLAB's ``single`` in [0, 1], in a file of version 5; the full set takes 1.0 GB of
    the 2 GiB that a variable may have there.

    Parameters
    ----------
    images
        Blocks named ``<photo>_<block>``, photo after photo.
    folder
        Where to write.
    seconds_per_megapixel
        Time that the method took for 10^6 pixels; SIDD's server counts 2^20.
    about
        ``MethodName``, ``Authors``, ``PaperTitle``, ``Venue``, ``MachineSpecs``.

    Raises
    ------
    MidError
        If a block has NaN or infinite pixels, or photos differ in their blocks.
    """
    photos = [[image for _, image in blocks] for _, blocks in _by_photo(images)]
    counts = sorted({len(blocks) for blocks in photos})
    if len(counts) != 1:
        raise MidError(f"photos have {counts} blocks: each must have as many")
    content = {
        "DenoisedBlocksSrgb": _cells(photos),
        "TimeMPSrgb": seconds_per_megapixel * 2**20 / 1e6,
        "OptionalData": about,
    }
    return [_saved(folder / "SubmitSrgb.mat", content)]


def dnd_bundle(images: Named, folder: Path) -> list[Path]:
    """Write ``bundled/0001.mat`` and so on: a cell for each crop of a photo.

    Parameters
    ----------
    images
        Crops named ``<photo>_<box>``, photo after photo.
    folder
        Where to write.

    Raises
    ------
    MidError
        If a crop has NaN or infinite pixels.
    """
    (folder / "bundled").mkdir(exist_ok=True)
    written = []
    for photo, named in _by_photo(images):
        crops = _cells([[image for _, image in named]])
        content = {"Idenoised": crops, "israw": False, "eval_version": "1.0"}
        written.append(_saved(folder / f"bundled/{photo}.mat", content))
    return written


def _cells(rows: list[list[np.ndarray]]) -> np.ndarray:
    """Make what SciPy writes as a cell array: an array of objects, here images."""
    cells = np.empty((len(rows), len(rows[0])), object)
    for row, column in np.ndindex(cells.shape):
        cells[row, column] = rows[row][column]
    return cells


def _saved(target: Path, content: dict) -> Path:
    with replacing(target) as part:
        scipy.io.savemat(part, content, appendmat=False)
    return target


def _by_photo(images: Named) -> Iterator[tuple[str, Named]]:
    """Group images by the part of their name before the number of the block."""
    finished = ((name, to_dtype(_finite(name, x), np.float32)) for name, x in images)
    return groupby(finished, lambda named: named[0].rpartition("_")[0])


def _finite(name: str, image: np.ndarray) -> np.ndarray:
    if not np.isfinite(image).all():
        raise MidError(
            f"'{name}' was denoised to NaN or infinity: look at the model's history.csv"
        )
    return image

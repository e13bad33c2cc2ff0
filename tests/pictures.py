"""Random pictures of an odd size, and files of them made by other programs."""

from collections.abc import Iterable
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from mid_core.images.files import write_pages
from mid_core.images.picture import Picture

HEIGHT, WIDTH = 37, 31


def noise(channels: int, dtype: str = "uint8") -> np.ndarray:
    """Random samples, (H, W) for one channel and (H, W, channels) otherwise."""
    shape = (HEIGHT, WIDTH) if channels == 1 else (HEIGHT, WIDTH, channels)
    rng = np.random.default_rng(channels)
    if dtype == "float32":
        return rng.random(shape, dtype=np.float32)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def save_pillow(path: Path, samples: np.ndarray, **options) -> None:
    Image.fromarray(samples).save(path, **options)


def save_turned(path: Path, samples: np.ndarray, turn: int, **options) -> None:
    """Save with an EXIF orientation (TIFF 6.0, tag 274)."""
    exif = Image.Exif()
    exif[274] = turn
    save_pillow(path, samples, exif=exif, **options)


def save_png16(path: Path, samples: np.ndarray) -> None:
    path.write_bytes(imagecodecs.png_encode(samples))


def save_tiff(path: Path, samples: np.ndarray, **options) -> None:
    colour = "rgb" if samples.ndim == 3 and samples.shape[2] > 2 else "minisblack"
    if samples.ndim == 3 and samples.shape[2] in (2, 4):
        options["extrasamples"] = ["unassalpha"]
    layout = "contig" if samples.ndim == 3 else None
    tifffile.imwrite(path, samples, photometric=colour, planarconfig=layout, **options)


def save_pages(path: Path, pages: Iterable[np.ndarray], **options) -> None:
    """Save a TIFF page by page, without a word on how the pages belong together."""
    with tifffile.TiffWriter(path) as tiff:
        for page in pages:
            colour = "rgb" if page.ndim == 3 else "minisblack"
            tiff.write(page, photometric=colour, metadata=None, **options)


def write(path: Path, rgb: np.ndarray, like: Picture) -> None:
    """Write one image in one band."""
    write_pages(path, [([rgb], like)], 1)


def independent_read(path: Path) -> np.ndarray:
    """What another program sees in a file, (pages, H, W, ...) for several pages."""
    if path.suffix == ".tif":
        return tifffile.imread(path)
    if path.suffix == ".png":
        return imagecodecs.png_decode(path.read_bytes())
    return np.asarray(Image.open(path))

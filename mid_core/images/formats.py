"""What each type of file can hold, and what is refused."""

import re
from pathlib import Path

from mid_core.errors import MidError
from mid_core.images.picture import Picture

# 30 000 x 30 000 is read; a header that claims more is taken for damage or an attack.
MAX_PIXELS = 1_000_000_000

_TOLD = {"an ICC profile", "EXIF"}
_CHUNKS = "the colour space of its chunks (cICP, gAMA, cHRM)"
_HOLDS = {
    ".png": {"uint8", "uint16", "grey", "alpha", _CHUNKS, *_TOLD},
    ".jpg": {"uint8", "grey", *_TOLD},
    ".jpeg": {"uint8", "grey", *_TOLD},
    ".tif": {"uint8", "uint16", "float32", "grey", "alpha", "pages", *_TOLD},
    ".bmp": {"uint8", "grey"},
    ".webp": {"uint8", "alpha", *_TOLD},
}
_HOLDS[".tiff"] = _HOLDS[".tif"]
_LONGEST_PX = {".jpg": 65_500, ".jpeg": 65_500, ".webp": 16_383}
_LONGEST_EXIF = {".jpg": 65_533, ".jpeg": 65_533}
SUFFIXES = tuple(_HOLDS)
# Types that people have and that are not read, by their first bytes.
_OTHERS = {
    "AVIF": rb"....ftypavi",
    "HEIC": rb"....ftyp(hei|hev|mif1)",
    "a camera's raw": rb"....ftypcrx|FUJIFILM|IIU\0|II\*\0....CR",
    "JPEG XL": rb"\xff\x0a|....JXL ",
    "JPEG 2000": rb"\xff\x4f\xff\x51|....jP  ",
    "GIF": rb"GIF8",
    "Photoshop's": rb"8BPS",
}


def check_writable(path: Path, like: Picture, pages: int) -> None:
    """Raise MidError if files of this suffix cannot hold so many images like `like`.

    Needs no pixels of the answer: ask before the work.
    """
    suffix = path.suffix.lower()
    if suffix not in _HOLDS:
        raise MidError(
            f"{path} cannot be written: end its name in {', '.join(SUFFIXES)}."
        )
    needs = {
        like.samples.dtype.name: True,
        "grey": like.is_grey,
        "alpha": like.alpha is not None,
        "an ICC profile": like.icc is not None,
        "EXIF": like.exif is not None,
        _CHUNKS: not like.is_srgb,
        "pages": pages > 1,
    }
    missing = [need for need in needs if needs[need] and need not in _HOLDS[suffix]]
    if max(like.samples.shape) > _LONGEST_PX.get(suffix, 2**31 - 1):
        missing.append(f"more than {_LONGEST_PX[suffix]} pixels a side")
    if len(like.exif or b"") > _LONGEST_EXIF.get(suffix, 2**31 - 1):
        missing.append("so much EXIF")
    if missing:
        lesser = ", or leave it out by --no-metadata" * ("EXIF" in missing[-1])
        raise MidError(
            f"{path} cannot be written: {suffix} cannot hold {' or '.join(missing)}; "
            f"write a .png or a .tif{lesser}."
        )


def refuse_if(is_bad: bool, path: Path, reason: str) -> None:
    """Raise MidError, with the reason why a file is not read."""
    if is_bad:
        raise MidError(
            f"{path} is not read because {reason}: convert it to one 8-bit, 16-bit or "
            "float32 image in grey or RGB, or leave it out."
        )


def refuse_others(path: Path, start: bytes) -> None:
    """Raise MidError where a file's first bytes are of a type that is not read."""
    for name, mark in _OTHERS.items():
        found = re.match(mark, start, re.DOTALL)
        refuse_if(bool(found), path, f"its type is {name}")


def refuse_if_huge(path: Path, width: int, height: int) -> None:
    """Raise MidError above `MAX_PIXELS`."""
    if width * height > MAX_PIXELS:
        raise MidError(
            f"{path} has {width} x {height} pixels, over the limit of {MAX_PIXELS}: "
            "cut it into parts, or leave it out if that cannot be."
        )

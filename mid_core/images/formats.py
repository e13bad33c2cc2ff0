"""What each type of file can hold, and what is refused."""

from pathlib import Path

from mid_core.errors import MidError
from mid_core.images.picture import Picture

# 30 000 x 30 000 is read; a header that claims more is taken for damage or an attack.
MAX_PIXELS = 1_000_000_000

_HOLDS = {
    ".png": {"uint8", "uint16", "grey", "alpha", "an ICC profile"},
    ".jpg": {"uint8", "grey", "an ICC profile"},
    ".jpeg": {"uint8", "grey", "an ICC profile"},
    ".tif": {"uint8", "uint16", "float32", "grey", "alpha", "an ICC profile", "pages"},
    ".bmp": {"uint8", "grey"},
    ".webp": {"uint8", "alpha", "an ICC profile"},
}
_HOLDS[".tiff"] = _HOLDS[".tif"]
_LONGEST_PX = {".jpg": 65_500, ".jpeg": 65_500, ".webp": 16_383}
SUFFIXES = tuple(_HOLDS)


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
        "pages": pages > 1,
    }
    missing = [need for need in needs if needs[need] and need not in _HOLDS[suffix]]
    if max(like.samples.shape) > _LONGEST_PX.get(suffix, 2**31 - 1):
        missing.append(f"more than {_LONGEST_PX[suffix]} pixels a side")
    if missing:
        raise MidError(
            f"{path} cannot be written: {suffix} cannot hold {' or '.join(missing)}; "
            "write a .png, or a .tif, which holds everything that is read."
        )


def refuse_if(is_bad: bool, path: Path, reason: str) -> None:
    """Raise MidError, with the reason why a file is not read."""
    if is_bad:
        raise MidError(
            f"{path} is not read because {reason}: convert it to one 8-bit, 16-bit or "
            "float32 image in grey or RGB, or leave it out."
        )


def refuse_if_huge(path: Path, width: int, height: int) -> None:
    """Raise MidError above `MAX_PIXELS`."""
    if width * height > MAX_PIXELS:
        raise MidError(
            f"{path} has {width} x {height} pixels, over the limit of {MAX_PIXELS}: "
            "cut it into parts, or leave it out if that cannot be."
        )

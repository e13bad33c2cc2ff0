"""What each type of file can hold."""

from pathlib import Path
from typing import TYPE_CHECKING

from mid_core.errors import MidError

if TYPE_CHECKING:
    from mid_core.images.picture import Picture

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


def check_writable(path: str | Path, like: "Picture", pages: int = 1) -> None:
    """Raise MidError if files of this suffix cannot hold so many images like `like`.

    Needs no pixels of the answer: ask before the work.
    """
    suffix = Path(path).suffix.lower()
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

"""Anyone's images in a folder, with or without their truth in another.

Settings of such a pool: ``path`` and ``pattern`` of the images; optionally
``truth`` with a ``path`` and ``pattern`` of its own, whose wildcards stand for the
same text in both names (``NOISY_*.png`` and ``GT_*.png``).
"""

import fnmatch
import re
from pathlib import Path

import numpy as np

from mid_core import images
from mid_core.errors import MidError

WILDCARD = re.compile(r"(\*|\?|\[[^]]*\])")


def _by_wildcards(settings: dict) -> dict[tuple[str, ...], Path]:
    """Map what the wildcards of the pattern stand for to the file."""
    pattern = settings.get("pattern", "*")
    regex = "".join(
        f"({fnmatch.translate(part)[4:-3]})" if i % 2 else re.escape(part)
        for i, part in enumerate(WILDCARD.split(pattern))
    )
    found: dict[tuple[str, ...], Path] = {}
    for path in images.list_images(settings["path"], pattern):
        texts = re.fullmatch(regex, path.name, re.IGNORECASE | re.DOTALL).groups()
        # A pattern like '*' pairs a.png with a.tif: the type is not part of the key.
        key = tuple(text.removesuffix(path.suffix) for text in texts)
        if key in found:
            raise MidError(
                f"{path} and {found[key].name} differ in their type only, so their "
                "truth is uncertain: give a pattern with the type, such as '*.png'"
            )
        found[key] = path
    return found


def find(settings: dict) -> list[dict]:
    """List the images of a pool: name, file, size in bytes, and the truth's file.

    Raises
    ------
    MidError
        If a folder or its images are missing, or images and truths do not pair up.
    """
    if "truth" not in settings:
        paths = images.list_images(settings["path"], settings.get("pattern", "*"))
        return [_item(path) for path in paths]
    noisy, truths = _by_wildcards(settings), _by_wildcards(settings["truth"])
    lonely = [str(noisy.get(key) or truths[key]) for key in set(noisy) ^ set(truths)]
    if lonely:
        raise MidError(
            f"{len(lonely)} of the images in {settings['path']} and "
            f"{settings['truth']['path']} have no partner: "
            f"{', '.join(sorted(lonely)[:5])}; rename or remove them, or correct the "
            "two patterns"
        )
    return [_item(path) | {"truth": str(truths[key])} for key, path in noisy.items()]


def _item(path: Path) -> dict:
    return {"name": path.name, "image": str(path), "bytes": path.stat().st_size}


def _read(path: str) -> np.ndarray:
    picture = images.read(path)
    if picture.alpha is not None and np.ptp(picture.alpha) > 0:
        raise MidError(
            f"{path} has transparent parts, which a pool cannot hold: save it without "
            "its alpha channel"
        )
    return picture.samples


def read(item: dict, settings: dict) -> tuple[np.ndarray, np.ndarray | None]:
    """Read an image and its truth, (H, W, C) in the dtype of the file.

    Raises
    ------
    MidError
        If a file cannot be read, or the two differ in size.
    """
    image = _read(item["image"])
    truth = _read(item["truth"]) if "truth" in item else None
    if truth is not None and truth.shape != image.shape:
        raise MidError(
            f"{item['image']} is {image.shape} but its truth {item['truth']} is "
            f"{truth.shape} (height, width, colours): a pair must match exactly"
        )
    return image, truth

"""Image files as a pool's items: with or without a truth, one or many pages."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mid_core.datasets.finding import Found
from mid_core.errors import MidError
from mid_core.images import files as images


def add(found: Found, name: str, image: Path, truth: Path | None = None) -> None:
    """Add a file to what was found, each page of a TIFF as an image of its own.

    No header is read but a TIFF's, and a truth is not opened: `read` refuses what is
    broken, `unlike` what does not go together.
    """
    item = {"name": name, "image": str(image)}
    if truth is not None:
        item["truth"] = str(truth)
    pages = _pages(image)
    if len(pages) == 1:
        found.items.append(item)
    else:
        found.items += [
            item | {"name": f"{name}#{page:03d}", "page": page} for page in pages
        ]


def _pages(image: Path) -> tuple[int, ...]:
    if image.suffix.lower() in (".tif", ".tiff"):
        try:
            return images.header(image).pages
        except MidError:
            pass  # `read` refuses it, or leaves it out where that is allowed
    return (0,)


def unlike(items: Iterable[dict]) -> list[str]:
    """Compare images with their truths by their files' headers.

    Returns
    -------
    A sentence for each pair that differs in size or in the number of pages. Files that
    cannot be read are left to `read`.
    """
    files = {(i["image"], i["truth"]) for i in items if "truth" in i}
    problems = []
    for image, truth in sorted(files):
        try:
            (size, pages), (true_size, true_pages) = map(images.header, (image, truth))
        except MidError:
            continue
        if (size, pages) != (true_size, true_pages):
            problems.append(
                f"{image} has {len(pages)} image(s) of {size[1]}x{size[0]} pixels, but "
                f"its truth {truth} has {len(true_pages)} of "
                f"{true_size[1]}x{true_size[0]}: a pair must match exactly"
            )
    return problems


def read(item: dict, stack: str, settings: dict) -> np.ndarray:
    """Read the ``image`` or the ``truth`` of an item that `add` made.

    Returns
    -------
    (H, W, 1) or (H, W, 3), uint8, uint16, or float32 in [0, 1], as the file has it.

    Raises
    ------
    MidError
        If the file cannot be read whole, or has transparent parts.
    """
    return images.read_pixels(item[stack], item.get("page"))

"""Decode every image of a pool once, into a pixel store."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mid_core.datasets import describe, reader
from mid_core.errors import MidError, UnlikeImage
from mid_core.runtime.interruption import until_stopped
from mid_core.runtime.parallel import ahead
from mid_core.runtime.progress import Progress, log
from mid_core.store import StoreWriter


def decode(
    items: Sequence[dict],
    settings: dict,
    stack: str,
    threads: int,
) -> Iterator[np.ndarray | MidError]:
    """Decode images in order, ``threads`` at a time, a few ahead of the caller.

    With ``crop`` among the settings, images are a square of so many pixels.

    Yields
    ------
    Each image, (H, W, C), or the error that says what is wrong with it.
    """
    module = reader(settings)

    def read(item: dict) -> np.ndarray | MidError:
        try:
            return cropped(module.read(item, stack, settings), settings.get("crop"))
        except MidError as error:
            return error

    return ahead(read, items, threads)


def cropped(image: np.ndarray, crop: int | dict[str, int] | None) -> np.ndarray:
    """Cut a square out of an image: the top-left one, or that in the middle.

    Parameters
    ----------
    image
        (H, W, C).
    crop
        Its side in pixels; ``{"middle": side}``; or None: the whole image. A side that
        is shorter than the square stays whole.
    """
    if not isinstance(crop, dict):
        return image[:crop, :crop]
    side = crop["middle"]
    top, left = (max(0, (length - side) // 2) for length in image.shape[:2])
    return image[top : top + side, left : left + side]


def ingest(
    items: Sequence[dict],
    settings: dict,
    stack: str,
    path: Path,
    version: int,
    threads: int = 1,
) -> None:
    """Decode every image of a pool into the pixel store at ``path``.

    Images that cannot be decoded, or are not of the kind of the first, are listed all
    together. With ``broken: skip`` among the settings, those that cannot be decoded are
    left out, and the store's attribute ``left_out`` says which and why. What a killed
    run has written is kept, shard by shard.

    Parameters
    ----------
    items, settings
        Of the pool.
    stack
        ``"image"`` or ``"truth"``.
    path
        Of the store.
    version
        Of the stage, for the store's provenance.
    threads
        Images decoded at a time.

    Raises
    ------
    MidError
        With every image that cannot be used, or if none can.
    Interrupted
        After a signal, before the next image.
    """
    key = {"items": list(items), "settings": settings, "version": version}
    broken: dict[str, str] = {}
    unlike: list[str] = []
    with StoreWriter(path, stack, key) as store:
        done = set(store.names)
        left = [item for item in items if item["name"] not in done]
        report = Progress(f"ingest {path.parent.name}", len(items), "image", len(done))
        decoded = decode(left, settings, stack, threads)
        for item, image in until_stopped(zip(left, decoded, strict=True)):
            try:
                if isinstance(image, MidError):
                    broken[item["name"]] = str(image)
                else:
                    store.append(item["name"], image)
            except UnlikeImage as error:
                unlike.append(str(error))
            report()
        skips = settings.get("broken") == "skip" and store.names
        # The store is finished only if this block is left without an error.
        _refuse(unlike + ([] if skips else list(broken.values())), len(items))
        store.attributes = {
            "made_by": {"stage": "ingest", "version": version},
            "settings": settings,
            **describe(settings, len(store.names)),
            "left_out": broken,
        }
    log.info("%d images, %d left out", len(store.names), len(broken))
    if broken:
        count = f"{len(broken)} of {len(items)} broken images are left out"
        print(f"{path.parent.name}: {count}", file=sys.stderr)


def _refuse(wrong: Sequence[str], count: int) -> None:
    if wrong:
        raise MidError(
            f"{len(wrong)} of {count} images cannot be used:\n" + "\n".join(wrong)
        )

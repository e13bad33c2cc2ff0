"""Where images come from: a module for each kind of data set, by name.

Each has ``find(settings)``, which lists a pool's images as plain dictionaries with
at least a ``name``, and ``read(item, settings)``, which returns an image and its
truth (or None) as (H, W, C) arrays of uint8, uint16 or float32.
"""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from mid_core.datasets import camera, folders
from mid_core.errors import MidError
from mid_core.progress import Progress
from mid_core.store import Store, StoreWriter

READERS = {"camera": camera, "folders": folders}


def reader(settings: dict):
    """Return the module that reads a pool with these settings."""
    name = settings["reader"]
    if name not in READERS:
        raise MidError(
            f"this version has no reader for '{name}' yet; there are: "
            f"{', '.join(READERS)}"
        )
    return READERS[name]


def check(stores: dict[str, Store], needs: Sequence[dict]) -> None:
    """See that every pool is what the method will need of it.

    Parameters
    ----------
    stores
        The pools by name.
    needs
        For each use of a pool: its name ``pool``, the ``clean`` pool whose colours it
        must share, and the side ``pixels`` of a square that must fit.

    Raises
    ------
    MidError
        At the first pool that does not fit, with the image's name.
    """
    for need in needs:
        pool, clean = (stores[need[k]].stacks["image"] for k in ("pool", "clean"))
        if pool.channels != clean.channels:
            raise MidError(
                f"pool '{need['pool']}' has {pool.channels} colour(s) but "
                f"'{need['clean']}' has {clean.channels}: both must be grey or both "
                "in colour"
            )
        for name, (height, width) in zip(pool.names, pool.sizes, strict=True):
            if min(height, width) < need["pixels"]:
                raise MidError(
                    f"pool '{need['pool']}': '{name}' is {width}x{height} pixels, but "
                    f"{need['pixels']} a side are needed: lower training.patch, or "
                    "leave the image out"
                )


def ingest(items: Sequence[dict], settings: dict, path: Path, version: int) -> None:
    """Decode every image of a pool once, into the pixel store at ``path``.

    With ``crop`` among the settings, the top-left square of so many pixels is kept.

    Raises
    ------
    MidError
        If an image cannot be read, or is not of the kind of the first.
    """
    module, crop = reader(settings), settings.get("crop")

    def read(item: dict) -> dict[str, np.ndarray]:
        image, truth = module.read(item, settings)
        pixels = {"image": image} if truth is None else {"image": image, "truth": truth}
        return {stack: array[:crop, :crop] for stack, array in pixels.items()}

    first = read(items[0])
    stacks = {stack: array.dtype.name for stack, array in first.items()}
    report = Progress(f"ingest {path.stem}", len(items), "image")
    with StoreWriter(path, stacks, first["image"].shape[2]) as store:
        decoded = chain([first], map(read, items[1:]))
        for item, pixels in zip(items, decoded, strict=True):
            store.append(item["name"], **pixels)
            report()
        store.attributes = {
            "made_by": {"stage": "ingest", "version": version},
            "settings": settings,
        }

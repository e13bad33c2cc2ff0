"""Where images come from: a module for each kind of data set, by name.

Each has ``find(settings)``, which lists a pool's images as plain dictionaries with
at least a ``name``, and ``read(item, settings)``, which returns an image and its
truth (or None) as (H, W, C) arrays of uint8, uint16 or float32.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mid_core.datasets import camera, folders
from mid_core.errors import MidError
from mid_core.progress import Progress
from mid_core.store import StoreWriter

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
        for item in items:
            store.append(item["name"], **read(item))
            report()
        store.attributes = {
            "made_by": {"stage": "ingest", "version": version},
            "settings": settings,
        }

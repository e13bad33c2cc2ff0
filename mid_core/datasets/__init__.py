"""Where images come from: a module for each kind of data set, by name.

Each has ``find(settings)``, which lists a pool's images as plain dictionaries with
at least a ``name``, and ``read(item, settings)``, which returns an image and its
truth (or None) as (H, W, C) arrays of uint8, uint16 or float32.
"""

from collections.abc import Sequence
from pathlib import Path

from mid_core.datasets import camera, folders
from mid_core.errors import MidError
from mid_core.progress import show
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

    Raises
    ------
    MidError
        If an image cannot be read, or is not of the kind of the first.
    """
    module = reader(settings)
    first, truth = module.read(items[0], settings)
    stacks = {"image": first.dtype.name}
    if truth is not None:
        stacks["truth"] = truth.dtype.name
    with StoreWriter(path, stacks, first.shape[2]) as store:
        for item in show(items, f"ingest {path.stem}", len(items), "image"):
            image, truth = module.read(item, settings)
            pixels = (
                {"image": image} if truth is None else {"image": image, "truth": truth}
            )
            store.append(item["name"], **pixels)
        store.attributes = {
            "made_by": {"stage": "ingest", "version": version},
            "settings": settings,
        }

"""Where images come from: a module for each kind of data set, by name.

Each has ``ABOUT``; ``KEYS``, its settings in the config; ``find(settings, groups)``,
which lists a pool's images; and ``read(item, stack, settings)``, which decodes an
``"image"`` or its ``"truth"`` to an (H, W, C) array of uint8, uint16 or float32. Those
that can be split also have ``SIDES`` and ``groups(settings)``: what a split divides.
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from mid_core.datasets import pairs
from mid_core.datasets.finding import Found
from mid_core.datasets.splitting import split

# The file of each; mid_config reads this, and each file's KEYS.
READERS = [
    "camera",
    "folders",
    "sidd",
    "sidd_blocks",
    "dnd",
    "polyu",
    "cc",
    "fmd",
    "imagenet",
]
# Settings that choose among a data set's images, so that scores do not compare.
CHOICES = ("level", "types", "fovs", "crops", "sides")


def reader(settings: dict) -> ModuleType:
    """Return the module that reads a pool with these settings."""
    return import_module(f"mid_core.datasets.{settings['reader']}")


def split_pool(settings: dict) -> dict:
    """Split the data set of a pool: the settings of the split, and its two sides.

    Raises
    ------
    MidError
        If a side would be empty.
    """
    module, rule = reader(settings), settings["split"]
    groups = module.groups(settings)
    return {**rule, **split(groups, module.SIDES, rule["share"], rule["seed"])}


def survey(settings: dict, sides: dict | None, stack: str) -> Found:
    """List the images of a pool and what is wrong with its files.

    Parameters
    ----------
    settings
        Of the pool.
    sides
        What ``split_pool`` returned, if the pool is a side of a split.
    stack
        What will be read: ``"image"``, or also its ``"truth"``.
    """
    chosen = None if sides is None else frozenset(sides[settings["part"]])
    if stack == "image":
        # A truth that is not read need not be there.
        settings = {key: value for key, value in settings.items() if key != "truth"}
    found = reader(settings).find(settings, chosen)
    if stack == "truth":
        found.problems += [
            f"{item['image']} has no truth, which this run needs: add the file, or "
            "leave the image out"
            for item in found.items
            if "truth" not in item
        ]
        found.problems += pairs.unlike(found.items)
    paths = [item[k] for item in found.items for k in ("image", "truth") if k in item]
    found.problems += filter(None, map(_not_utf8, paths))
    if not found.items and not found.problems:
        found.problems.append(f"{settings['path']} has no image of this pool")
    return found


def _not_utf8(path: str) -> str:
    """Say that a file cannot be named in tables and logs; empty where it can."""
    whole = str(Path(path).absolute())
    # Bytes that are no UTF-8 are surrogates to Python.
    escaped = whole.encode(errors="backslashreplace").decode()
    if escaped == whole:
        return ""
    return f"{escaped}: this name is not UTF-8: rename the file, or its folder"


def describe(settings: dict, count: int) -> dict[str, str]:
    """Say which images these are, as scores and tables carry it.

    Returns
    -------
    ``dataset``, and ``split``: part, how it was split and cropped, and how many of the
    whole it has.
    """
    about, part = reader(settings).ABOUT, settings.get("part")
    words = [part or settings.get("pattern", "*")]
    if "split" in settings:
        rule = settings["split"]
        share = "" if rule["share"] == 0.5 else f" (share {rule['share']:g})"
        words.append(f"{rule['by']}s drawn with seed {rule['seed']}{share}")
    words += [f"{key} {settings[key]}" for key in CHOICES if settings.get(key)]
    if crop := settings.get("crop"):
        middle = isinstance(crop, dict)
        side = crop["middle"] if middle else crop
        words.append(f"{'middle' if middle else 'top-left'} {side} pixels")
    complete = about.complete.get(part)
    words.append(f"{count} of {complete}" if complete else f"{count} images")
    name = settings["path"] if settings["reader"] == "folders" else about.title
    return {"dataset": name, "split": ", ".join(words)}

"""What the settings of a pool say of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

POOL_ROLES = ("clean", "noisy")


def has_truth(pool: Mapping[str, Any]) -> bool:
    """Whether a pool with these settings knows the clean partners of its images."""
    if pool["reader"] == "dnd":
        return False
    return pool.get("part") in ("noisy", "test", "validation") or "truth" in pool


def split_settings(pool: Mapping[str, Any]) -> dict[str, Any] | None:
    """What two pools have in common that are the sides of one split."""
    own = {"part", "crop", "crops", "broken", "level", "sides"}
    shared = {name: value for name, value in pool.items() if name not in own}
    return shared if "split" in pool else None


def absent_pools(config: Mapping[str, Any]) -> dict[str, str]:
    """The pools whose folder is not on this disk, and where it would be.

    The folder of a truth counts where a test needs it.
    """
    absent = {}
    for name, pool in config["pools"].items():
        truth = pool.get("truth", {}) if name in config["tests"] else {}
        for path in (part["path"] for part in (pool, truth) if "path" in part):
            if not Path(path).exists():
                absent[name] = str(Path(path).absolute())
    return absent

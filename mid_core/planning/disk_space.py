"""Whether the disk has room for what a run will leave on it."""

import os
from collections.abc import Mapping
from pathlib import Path

from mid_config.plan import Plan
from mid_core.planning.doctor import Decoded
from mid_core.planning.footprint import footprint
from mid_core.store import store_path


def lacking_disk_space(
    plan: Plan, pools: Mapping[str, Mapping[str, Decoded]]
) -> list[str]:
    """Say what the disk of the results lacks for what is not made yet.

    Parameters
    ----------
    plan
        What has to be made, below this folder.
    pools
        What is known of each pool, by stack.
    """
    size, files = 0.0, 0
    for result, (most, count) in footprint(plan, pools).items():
        if not Path(result).exists():
            there = _begun(Path(result))
            size += max(0, most - sum(there))
            files += max(0, count - len(there))
    folder = Path(f"results/{plan.dataset}").absolute()
    while not folder.exists():
        folder = folder.parent
    disk = os.statvfs(folder)
    free, problems = disk.f_bavail * disk.f_frsize, []
    if size > free:
        problems.append(f"{size / 1e9:.3f} GB, but {free / 1e9:.3f} GB are free")
    # A disk that makes inodes as it needs them counts none.
    if disk.f_files and files > disk.f_favail:
        problems.append(f"{files} files, but {disk.f_favail} inodes are free")
    return [
        f"the run needs up to {problem} on the disk of {folder}: make room there, or "
        "set runtime.check_disk_space to false to try it"
        for problem in problems
    ]


def _begun(result: Path) -> list[int]:
    """Sizes of the files of a store that is not sealed yet: it goes on with them."""
    if not result.name.endswith(".manifest.json"):
        return []
    files = (path for path in store_path(result).rglob("*") if path.is_file())
    return [path.stat().st_size for path in files]

"""What a run leaves on the disk, at most, and whether there is room for it."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch

from mid_config.plan import Plan
from mid_core.masking import Masking
from mid_core.networks import build
from mid_core.networks.measure import parameters
from mid_core.planning.doctor import Decoded
from mid_core.planning.forecast import Pools
from mid_core.store import TILE, count_files, store_path

# Of every job: its result, log and benchmark file.
SMALL_FILES = 3
# Of a run's lists, scores, tables and figures together.
OTHER_FILES = 300


def footprint(
    plan: Plan, pools: Pools, variants: Iterable[str]
) -> dict[str, tuple[float, int]]:
    """Estimate the bytes and files that jobs leave, by their result.

    Jobs that leave small files only are not in it.

    Parameters
    ----------
    plan
        What has to be made.
    pools
        What is known of each pool, by stack.
    variants
        Those that are made.
    """
    left = {
        plan.pool(pool, stack): _store(decoded, decoded.dtype.itemsize, decoded.share)
        for pool, stacks in pools.items()
        for stack, decoded in stacks.items()
    }
    for variant in variants:
        for k, one in enumerate(plan.rounds[variant]):
            # What somebody published is no network of ours.
            if "network" in one.train:
                left[plan.model(variant, k)] = _model(pools, one.train)
            if variant in plan.methods:
                left[plan.bank(variant, k)] = _bank(pools, one.extract)
    for name, one in plan.submissions.items():
        left[plan.denoised(name)] = _store(pools[one["pool"]]["image"], 4)
        # A bundle is about as large.
        left[plan.bundle(name)] = left[plan.denoised(name)][0], 1
    return {name: (size, count + SMALL_FILES) for name, (size, count) in left.items()}


def _store(decoded: Decoded, itemsize: int, share: float = 1.0) -> tuple[float, int]:
    """Noise and denoised images hardly compress: their share is 1."""
    tiles = sum(-(-h // TILE) * -(-w // TILE) for h, w in decoded.sizes)
    size = share * itemsize * decoded.channels * decoded.pixels
    return size, count_files(tiles, itemsize)


def _bank(pools: Pools, extract: Mapping) -> tuple[float, int]:
    """Float16 noise; white noise, which no image decides; or targets like the images."""
    if "count" in extract:
        count, side = extract["count"], extract["size"]
        return 2 * 3 * count * side**2, count_files(count, 2, side)
    image, targets = pools[extract["pool"]]["image"], extract.get("targets")
    return _store(image, targets * image.dtype.itemsize if targets else 2)


def _model(pools: Pools, train: Mapping) -> tuple[float, int]:
    """Weights of four bytes; beside them a card and a history."""
    colours = pools[train["pool"]]["image"].channels
    extra = Masking(**train["masking"]).extra_channels(colours)
    with torch.device("meta"):
        network = build(train["network"], colours, extra)
    return 4 * parameters(network), 2


def lacking_disk_space(plan: Plan, pools: Pools) -> list[str]:
    """Say what the disk of the results lacks for what is not made yet.

    Parameters
    ----------
    plan
        What has to be made, below this folder.
    pools
        What is known of each pool, by stack.
    """
    size, files = 0.0, OTHER_FILES
    for result, (most, count) in footprint(plan, pools, plan.asked()).items():
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

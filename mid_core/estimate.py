"""What a run will take in time, disk and files, by trying a little of it here."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numcodecs
import numpy as np
import torch

from mid_config.plan import Plan
from mid_core.networks import build
from mid_core.sampling import Masking
from mid_core.store import TILE, count_files

TRIALS = 3
PIXELS = 2**16


@dataclass(frozen=True)
class PoolCost:
    """What a pool is and costs.

    Attributes
    ----------
    pixels, tiles, colours
        Of all its images.
    itemsize
        Bytes of a sample.
    seconds
        To decode and store its images, on one core.
    stored
        Bytes of its store on disk.
    """

    pixels: int
    tiles: int
    colours: int
    itemsize: int
    seconds: float
    stored: int


def pool_cost(count: int, read: Callable[[], Sequence[np.ndarray]]) -> PoolCost:
    """Estimate a pool's cost from a few of its images.

    Parameters
    ----------
    count
        Images in the pool.
    read
        Decodes the few, (H, W, C) each.
    """
    start = time.perf_counter()
    images = list(read())
    encode, solid = numcodecs.Zstd(level=1).encode, np.ascontiguousarray
    stored = sum(len(encode(solid(image))) for image in images)
    seconds, share = time.perf_counter() - start, count / len(images)
    tiles = sum(-(-i.shape[0] // TILE) * -(-i.shape[1] // TILE) for i in images)
    return PoolCost(
        pixels=round(share * sum(i.shape[0] * i.shape[1] for i in images)),
        tiles=round(share * tiles),
        colours=images[0].shape[2],
        itemsize=images[0].itemsize,
        seconds=share * seconds,
        stored=round(share * stored),
    )


def network_speed(train: Mapping, colours: int, device: torch.device) -> np.ndarray:
    """Time a network on training crops: seconds a pixel, to train and to predict."""
    extra = Masking(**train["masking"]).extra_channels(colours)
    network, side = build(train["network"], colours, extra), train["training"]["patch"]
    network, crops = network.to(device), train["training"]["batch"]
    if device.type == "cpu":
        # A whole batch of the paper's takes minutes here, and is no faster a pixel.
        crops = min(crops, max(1, PIXELS // side**2))
    x = torch.rand(crops, colours + extra, side, side, device=device)

    def learn() -> float:
        return network(x).square().mean().backward()

    seconds = [_timed(learn, device)]
    with torch.no_grad():
        seconds.append(_timed(lambda: network(x), device))
    return np.array(seconds) / (crops * side**2)


def _timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds that the work takes when it is done again, at best."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    seconds = []
    for _ in range(1 + TRIALS):
        start = time.perf_counter()
        work()
        wait()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


def costs(
    plan: Plan, pools: Mapping[str, PoolCost], device: torch.device
) -> dict[str, str]:
    """Estimate what every kind of work of a run takes, one job after the other.

    Parameters
    ----------
    plan
        What has to be made.
    pools
        The pools' costs by name.
    device
        Where the networks run.

    Returns
    -------
    Text by kind of work: time, and what stays on disk.
    """
    work = {"ingest": 0.0, "training": 0.0, "extraction": 0.0, "scores": 0.0}
    work["submissions"] = 0.0
    for name, pool in pools.items():
        work["ingest"] += pool.seconds * len(plan.stacks(name))
    speeds: dict[str, np.ndarray] = {}
    for variant, k in plan.owned("model"):
        train = plan.rounds[variant][k].train
        known = repr(train)
        if known not in speeds:
            speeds[known] = network_speed(train, pools[train["pool"]].colours, device)
        recipe, (learn, predict) = train["training"], speeds[known]
        crops = recipe["iterations"] * recipe["batch"]
        work["training"] += crops * recipe["patch"] ** 2 * learn
        evaluate = plan.rounds[variant][k].evaluate
        passes = evaluate["masks"][-1] * predict
        work["scores"] += sum(pools[test].pixels for test in plan.tests) * passes
        if k + 1 < len(plan.rounds[variant]):
            extract = plan.rounds[variant][k + 1].extract
            passes = extract["masks"] * predict
            work["extraction"] += pools[extract["pool"]].pixels * passes
    for one in plan.submissions.values():
        work["submissions"] += pools[one["pool"]].pixels * one["masks"] * predict
    times = {what: _time(seconds) for what, seconds in work.items() if seconds}
    return times | _disk(plan, pools)


def _disk(plan: Plan, pools: Mapping[str, PoolCost]) -> dict[str, str]:
    """Sum up what stays on disk; float16 noise hardly compresses."""
    stored = [(p.stored, count_files(p.tiles, p.itemsize)) for p in pools.values()]
    for variant, k in plan.owned("bank"):
        extract = plan.rounds[variant][k].extract
        if k:
            pool = pools[extract["pool"]]
            size = 2 * pool.colours * pool.pixels
            stored.append((size, count_files(pool.tiles, 2)))
        elif extract["first_bank"] == "awgn":
            size = 6 * extract["count"] * extract["size"] ** 2
            stored.append((size, count_files(extract["count"], 2, extract["size"])))
    # A model, its card, its history, a log, a benchmark, scores: about ten small files.
    files = sum(count for _, count in stored) + 10 * len(plan.owned("model"))
    return {
        "on disk": f"{sum(size for size, _ in stored) / 1e9:.2f} GB in {files} files"
    }


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return (
        f"{seconds / 3600:.1f} h" if seconds < 172800 else f"{seconds / 86400:.1f} days"
    )

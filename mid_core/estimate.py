"""What a run will take in time, disk and files, by trying a little of it here."""

import json
import time
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import torch

from mid_config.plan import Plan
from mid_core.doctor import Decoded
from mid_core.networks import build
from mid_core.sampling import Masking
from mid_core.store import TILE, count_files

TRIALS = 3
PIXELS = 2**16


def network_speed(
    network: dict, shape: tuple[int, int, int], extra: int, device: torch.device
) -> np.ndarray:
    """Time a network on random crops: seconds a pixel, to train and to predict.

    Parameters
    ----------
    network
        Its settings.
    shape
        Crops in a batch, their side, and their colours.
    extra
        Input channels beside the colours.
    device
        Where to compute.
    """
    crops, side, colours = shape
    if device.type == "cpu":
        # A whole batch of the paper's takes minutes here, and is no faster a pixel.
        crops = min(crops, max(1, PIXELS // side**2))
    model = build(network, colours, extra).to(device)
    x = torch.rand(crops, colours + extra, side, side, device=device)

    def learn() -> None:
        model(x).square().mean().backward()

    seconds = [_timed(learn, device)]
    with torch.no_grad():
        seconds.append(_timed(lambda: model(x), device))
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
    plan: Plan, pools: Mapping[str, Mapping[str, Decoded]], device: torch.device
) -> dict[str, str]:
    """Estimate what every kind of work of a run takes, one job after the other.

    Parameters
    ----------
    plan
        What has to be made.
    pools
        What decoding showed of each pool, by stack.
    device
        Where the networks run.

    Returns
    -------
    Text by kind of work: time, and what stays on disk.
    """
    speed = cache(lambda text: network_speed(*json.loads(text), device))

    def seconds(variant: str, k: int) -> np.ndarray:
        train = plan.rounds[variant][k].train
        colours = pools[train["pool"]]["image"].channels
        shape = train["training"]["batch"], train["training"]["patch"], colours
        extra = Masking(**train["masking"]).extra_channels(colours)
        return speed(json.dumps([train["network"], shape, extra]))

    pixels = {pool: _pixels(stacks["image"]) for pool, stacks in pools.items()}
    work = dict.fromkeys(("ingest", "training", "extraction", "scores", "sent"), 0.0)
    work["ingest"] = sum(
        d.seconds for stacks in pools.values() for d in stacks.values()
    )
    for variant, k in plan.owned("model"):
        recipe = plan.rounds[variant][k].train["training"]
        crops = recipe["iterations"] * recipe["batch"] * recipe["patch"] ** 2
        work["training"] += crops * seconds(variant, k)[0]
    for variant, k in plan.owned("bank"):
        extract = plan.rounds[variant][k].extract
        if k:
            passes = extract["masks"] * pixels[extract["pool"]]
            work["extraction"] += passes * seconds(variant, k - 1)[1]
    for variant, k in plan.owned("scores"):
        passes = plan.rounds[variant][k].evaluate["masks"][-1]
        passes *= sum(pixels[test] for test in plan.tests)
        work["scores"] += passes * seconds(variant, k)[1]
    for variant, k, pool, masks in plan.sent():
        work["sent"] += masks * pixels[pool] * seconds(variant, k)[1]
    times = {what: _time(spent) for what, spent in work.items() if spent}
    return times | {"on disk": _disk(plan, pools)}


def _pixels(decoded: Decoded) -> int:
    return sum(height * width for height, width in decoded.sizes)


def _tiles(decoded: Decoded) -> int:
    return sum(
        -(-height // TILE) * -(-width // TILE) for height, width in decoded.sizes
    )


def _disk(plan: Plan, pools: Mapping[str, Mapping[str, Decoded]]) -> str:
    """Sum up what stays on disk; noise and denoised images hardly compress."""
    stored = []

    def store(decoded: Decoded, itemsize: int, share: float = 1.0) -> None:
        size = share * itemsize * decoded.channels * _pixels(decoded)
        stored.append((size, count_files(_tiles(decoded), itemsize)))

    for stacks in pools.values():
        for decoded in stacks.values():
            store(decoded, decoded.dtype.itemsize, decoded.share)
    for pool in set(plan.ceilings()):
        store(pools[pool]["image"], 2)
    for settings in plan.awgn().values():
        size = 6 * settings["count"] * settings["size"] ** 2
        stored.append((size, count_files(settings["count"], 2, settings["size"])))
    for variant, k in plan.owned("bank"):
        if k:
            store(pools[plan.rounds[variant][k].extract["pool"]]["image"], 2)
    for _, _, pool, _ in plan.sent():
        # The denoised store, and a bundle about as large.
        store(pools[pool]["image"], 4)
        store(pools[pool]["image"], 4)
    # A model, its card, history, logs and benchmarks: about fifteen small files.
    files = sum(count for _, count in stored) + 15 * len(plan.owned("model"))
    return f"{sum(size for size, _ in stored) / 1e9:.2f} GB in {files} files"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return (
        f"{seconds / 3600:.1f} h" if seconds < 172800 else f"{seconds / 86400:.1f} days"
    )

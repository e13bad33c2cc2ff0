"""What a run leaves on disk: bytes and files of each job, at most."""

from collections.abc import Mapping

import torch

from mid_config.plan import Plan
from mid_core.jobs.every_job import every_job
from mid_core.masking import Masking
from mid_core.networks import build
from mid_core.networks.measure import parameters
from mid_core.planning.doctor import Decoded
from mid_core.store import TILE, count_files

# Of every job: its result, log and benchmark file.
SMALL = 3


def footprint(
    plan: Plan, pools: Mapping[str, Mapping[str, Decoded]]
) -> dict[str, tuple[float, int]]:
    """Estimate the bytes and the files that each job leaves, by its result.

    Parameters
    ----------
    plan
        What has to be made.
    pools
        What is known of each pool, by stack.
    """
    left = {
        plan.pool(pool, stack): _store(decoded, decoded.dtype.itemsize, decoded.share)
        for pool, stacks in pools.items()
        for stack, decoded in stacks.items()
    }
    # Noise and denoised images hardly compress.
    for pool in plan.ceilings(plan.asked()):
        bank = f"results/{plan.dataset}/truth/{pool}/noise.manifest.json"
        left[bank] = _store(pools[pool]["image"], 2)
    for variant in plan.asked():
        for k, one in enumerate(plan.rounds[variant]):
            left[plan.model(variant, k)] = _model(pools, one.train)
            if k:
                noisy = pools[one.extract["pool"]]["image"]
                left[plan.bank(variant, k)] = _store(noisy, 2)
            elif "targets" in one.extract:
                noisy = pools[one.extract["pool"]]["image"]
                size = one.extract["targets"] * noisy.dtype.itemsize
                left[plan.bank(variant, k)] = _store(noisy, size)
            elif "count" in one.extract:
                left[plan.bank(variant, k)] = _white(one.extract)
    for name, one in plan.submissions.items():
        image = pools[one["pool"]]["image"]
        left[plan.denoised(name)] = _store(image, 4)
        # A bundle is about as large.
        left[plan.bundle(name)] = _store(image, 4)[0], 1
    small = {result: left.get(result, (0.0, 0)) for result in every_job(plan)}
    return {result: (size, files + SMALL) for result, (size, files) in small.items()}


def _store(decoded: Decoded, itemsize: int, share: float = 1.0) -> tuple[float, int]:
    pixels = sum(height * width for height, width in decoded.sizes)
    tiles = sum(
        -(-height // TILE) * -(-width // TILE) for height, width in decoded.sizes
    )
    size = share * itemsize * decoded.channels * pixels
    return size, count_files(tiles, itemsize)


def _white(settings: Mapping) -> tuple[float, int]:
    count, side = settings["count"], settings["size"]
    return 2 * 3 * count * side**2, count_files(count, 2, side)


def _model(pools: Mapping, train: Mapping) -> tuple[float, int]:
    """Weights of four bytes; beside them a card and a history."""
    colours = pools[train["pool"]]["image"].channels
    extra = Masking(**train["masking"]).extra_channels(colours)
    with torch.device("meta"):
        network = build(train["network"], colours, extra)
    return 4 * parameters(network), 2

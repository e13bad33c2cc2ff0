"""How much the pools of a run are, from a few of their images, or from publication."""

import time
from collections.abc import Container, Mapping

import numpy as np

from mid_config.plan import Plan
from mid_core.datasets import reader
from mid_core.datasets.ingesting import decode
from mid_core.errors import MidError
from mid_core.planning.doctor import Decoded, look

# What is known of each pool, by stack: "image" or "truth".
Pools = Mapping[str, Mapping[str, Decoded]]
SAMPLE = 3
# Measured (docs/measurements/speed_cpu.txt): PNGs decoded and stored, in one thread.
SECONDS_PER_PIXEL = 4.5e-8


def forecast(
    plan: Plan, absent: Container[str], threads: int | None = None
) -> dict[str, dict[str, Decoded]]:
    """Estimate what decoding all images of a run would show, by pool and stack.

    Parameters
    ----------
    plan
        What has to be made.
    absent
        Pools that are not here.
    threads
        Images decoded at a time; None: as many as a job decodes, and so the seconds
        are a job's.

    Raises
    ------
    MidError
        If the images of a pool are not sound, or are not here and their number and
        size are not known.
    """
    pools: dict[str, dict[str, Decoded]] = {}
    threads = threads or plan.config["runtime"]["threads"]
    for pool in plan.pools():
        settings = plan.config["pools"][pool]
        for stack in plan.stacks(pool):
            pools.setdefault(pool, {})[stack] = (
                _published(pool, settings, threads)
                if pool in absent
                else _sampled(pool, settings, stack, threads)
            )
    return pools


def _sampled(pool: str, settings: dict, stack: str, threads: int) -> Decoded:
    """Decode some images of a pool; all others are taken to be like them."""
    found, decoded = look(settings, stack), Decoded()
    if found.problems:
        raise MidError(
            f"pool '{pool}': {found.problems[0]} (`mid doctor CONFIG` says all)"
        )
    count = len(found.items)
    chosen = np.linspace(0, count - 1, min(SAMPLE, count)).round().astype(int)
    items, start = [found.items[i] for i in chosen], time.perf_counter()
    for item, image in zip(items, decode(items, settings, stack, threads), strict=True):
        if not isinstance(image, MidError):
            decoded.add(item["name"], image)
        elif settings.get("broken") != "skip":
            raise image
    if not decoded.names:
        raise MidError(f"pool '{pool}': none of {len(items)} images can be decoded")
    decoded.seconds = (time.perf_counter() - start) * count / len(items)
    return _repeated(decoded, count)


def _published(pool: str, settings: dict, threads: int) -> Decoded:
    """Take the data set's numbers; nothing is known of how well its images compress."""
    module, part = reader(settings), settings.get("part")
    if not module.ABOUT.extent:
        raise MidError(
            f"pool '{pool}' is not at {settings['path']}, and how large it will be is "
            "not known: put its images there, or leave it out of the config"
        )
    count, height, width = module.ABOUT.extent
    if "split" in settings:
        first = round(settings["split"]["share"] * count)
        count = first if part == module.SIDES[0] else count - first
    decoded = Decoded(channels=3, dtype=np.dtype(np.uint8), sizes=[(height, width)])
    decoded.seconds = count * height * width * SECONDS_PER_PIXEL / threads
    return _repeated(decoded, count)


def _repeated(decoded: Decoded, count: int) -> Decoded:
    sizes = decoded.sizes
    decoded.sizes = [sizes[i % len(sizes)] for i in range(count)]
    return decoded

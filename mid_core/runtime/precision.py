"""In which arithmetic a network computes."""

import logging
from contextlib import nullcontext
from functools import cache

import torch

log = logging.getLogger("mid")


def autocast(device: torch.device, precision: str):
    """Return the context in which the network runs.

    Parameters
    ----------
    device
        Where it does.
    precision
        ``"fp32"``, or ``"bf16"``: the weights stay float32.
    """
    if precision == "bf16" and _has_bf16(device.type):
        # Each weight is used once in a pass: to keep its short form would bring nothing.
        return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)
    return nullcontext()


@cache
def _has_bf16(kind: str) -> bool:
    """Whether a device has bfloat16 arithmetic; says once if not."""
    there = kind != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)
    if not there:
        log.warning("this GPU has no bf16 arithmetic: fp32 is used, which is slower")
    return there

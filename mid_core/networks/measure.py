"""What a network costs: parameters, multiply-adds, time and memory."""

import copy
import resource
import statistics
import sys
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from mid_core.networks.denoiser import Denoiser

SIDE = 256
REPEATS = 5
# A slow network is timed fewer times.
ENOUGH_SECONDS = 15


def measure(network: Denoiser, device: torch.device) -> dict[str, float]:
    """Return what one pass costs: a process measures one network.

    Returns
    -------
    ``parameters``, ``multiply_adds_per_pixel``, ``seconds_per_megapixel``, and
    ``memory_bytes``, the peak of the process.
    """
    return {
        "parameters": parameters(network),
        "multiply_adds_per_pixel": multiply_adds_per_pixel(network),
        "seconds_per_megapixel": seconds_per_megapixel(network),
        "memory_bytes": peak_memory(device),
    }


def parameters(network: Denoiser) -> int:
    """Count the numbers that training changes."""
    return sum(p.numel() for p in network.parameters())


def multiply_adds_per_pixel(network: Denoiser) -> float:
    """Count the multiply-adds of convolutions and matrix products, a pixel of one pass.

    Counted on a square of about 256 pixels, without computing anything.
    """
    # On the meta device tensors have shapes and no numbers.
    bare = copy.deepcopy(network).to("meta").eval()
    side = -(-SIDE // network.alignment) * network.alignment
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        bare(_image(bare, side))
    return counter.get_total_flops() / 2 / side**2


@torch.inference_mode()
def seconds_per_megapixel(network: Denoiser, side: int = 512) -> float:
    """Time one answer (K = 1) where the network is; the median of up to five.

    Parameters
    ----------
    network
        In evaluation mode, on the device of interest.
    side
        The image is a square of so many pixels along each side.
    """
    x = _image(network, side).contiguous(memory_format=torch.channels_last)
    seconds = []
    # The first pass compiles, allocates, and does not count.
    for _ in range(1 + REPEATS):
        _wait(x.device)
        start = time.perf_counter()
        network(x)
        _wait(x.device)
        seconds.append(time.perf_counter() - start)
        if len(seconds) > 1 and sum(seconds) > ENOUGH_SECONDS:
            break
    return statistics.median(seconds[1:]) / (side**2 / 1e6)


def peak_memory(device: torch.device) -> int:
    """Return the most bytes that were in use at once since the process began.

    On CUDA those of tensors on the device, elsewhere those of the whole process: to
    compare networks on a CPU, measure each in a process of its own.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _image(network: Denoiser, side: int) -> torch.Tensor:
    inputs = network.inputs // network.pixel_unshuffle**2
    device = next(network.parameters()).device
    return torch.rand(1, inputs, side, side, device=device)


def _wait(device: torch.device) -> None:
    """Let the device finish: a GPU runs behind the program."""
    if device.type != "cpu":
        torch.get_device_module(device).synchronize()

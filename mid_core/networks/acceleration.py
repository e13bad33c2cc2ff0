"""A network's passes in training, compiled and recorded: the same function, sooner.

These networks are many small operations, and a fast GPU does them in less time than
Python needs to ask for them. torch.compile makes few of many in each block, and a CUDA
graph holds a whole pass: one call starts it. How much each brings stands in
docs/measurements/README.md.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import Tensor, nn

from mid_core.networks.denoiser import Denoiser
from mid_core.runtime.precision import autocast

log = logging.getLogger("mid")

# To compile takes a minute or two; so many steps on a GPU save more than that.
WORTHWHILE_STEPS = 5000


def accelerate(
    network: Denoiser,
    crops: int,
    side: int,
    precision: str,
    steps: int,
    choice: str,
    is_whole: bool = True,
) -> None:
    """Make the passes of a training faster, in place.

    Parameters
    ----------
    network
        In training mode, on its device.
    crops, side
        How many crops pass at once, and their side in pixels.
    precision
        ``"fp32"`` or ``"bf16"``.
    steps
        Of the training.
    choice
        ``"always"``, ``"never"``, or ``"auto"``: on a GPU, passes are recorded, and in
        long trainings compiled.
    is_whole
        Whether a pass sees a whole batch: not one process's shard, or a part of it.
    """
    device = next(network.parameters()).device
    gpu = device.type == "cuda"
    compiles = choice == "always" or (
        choice == "auto" and gpu and steps >= WORTHWHILE_STEPS
    )
    # Recorded passes give gradients that cannot be added up, or sent as they come.
    records = gpu and choice != "never" and is_whole
    if compiles or records:
        channels = network.inputs // network.pixel_unshuffle**2
        y = torch.full((crops, channels, side, side), 0.5)
        y = y.to(device, memory_format=torch.channels_last)
    if compiles:
        _compile_blocks(network, y, precision)
    if records:
        _record(network, y, precision)


def _compile_blocks(network: Denoiser, y: Tensor, precision: str) -> None:
    """Compile each block, or a network without blocks as one; warn where none can.

    Blocks of one shape share what is compiled, which saves most of the time. In bf16 a
    shape comes twice: each level's first block gets what a convolution gives.
    """
    blocks = [block for stack, _ in network.stacks() for block in stack] or [network]
    try:
        for block in blocks:
            _compile(block)
        with (
            _untouched(network),
            autocast(y.device, precision),
            torch._dynamo.config.patch(recompile_limit=2 * len(blocks)),
        ):
            network(y).float().mean().backward()
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # noqa: BLE001
        for block in blocks:
            vars(block).pop("forward", None)
        _say("torch.compile does", str(error))


def _compile(block: nn.Module) -> None:
    """Let the block compute by compiled code while it is in training mode."""
    plain = block.forward
    quick = torch.compile(plain, dynamic=False)
    # Scores are taken of images of many shapes: each would be compiled anew.
    block.forward = lambda *inputs: (quick if block.training else plain)(*inputs)


def _record(network: Denoiser, y: Tensor, precision: str) -> None:
    """Let the GPU replay passes of inputs like ``y``, while in training mode."""
    # Recorded on a stream of its own, for which the gradients wait: no harm.
    warnings.filterwarnings("ignore", "The AccumulateGrad node's stream")
    try:
        with _untouched(network), autocast(y.device, precision):
            torch.cuda.make_graphed_callables(network, (y,))
    # What is recorded also holds more memory.
    except RuntimeError as error:
        _say("CUDA graphs do", str(error))


@cache
def _say(what: str, why: str) -> None:
    """Warn once."""
    reason = why.strip().partition("\n")[0]
    log.warning("%s not work here (%s): going on without", what, reason)


@contextmanager
def _untouched(network: nn.Module) -> Iterator[None]:
    """Leave no gradients behind, and all statistics as they were."""
    buffers = [buffer.clone() for buffer in network.buffers()]
    try:
        yield
    finally:
        network.zero_grad(set_to_none=True)
        for buffer, before in zip(network.buffers(), buffers, strict=True):
            buffer.copy_(before)

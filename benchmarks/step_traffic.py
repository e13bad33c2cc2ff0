"""What a training step of the paper's network computes and moves, counted, not timed.

Moved: the inputs and outputs of every operation, as PyTorch runs them one by one; views
are free, caches are ignored. On a GPU with more arithmetic than bandwidth this bounds the
speed. Counted at two batch sizes, so that what does not grow with the batch (weights,
their gradients) drops out. Run: python -m benchmarks.step_traffic
"""

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmarks.measuring import publish
from mid_core.networks import build
from mid_core.networks.denoiser import Denoiser
from mid_core.networks.measure import multiply_adds_per_pixel
from mid_core.runtime.precision import autocast

SIDE, BATCH, PATCH, ITERATIONS = 128, 32, 256, 200_000
# H200, by its data sheet; a plain copy reaches nine tenths.
BANDWIDTH = 0.9 * 4.8e12
FREE = ("detach", "empty", "_unsafe_view", "permute", "t.", "split")


class Traffic(TorchDispatchMode):
    """Adds up the bytes that operations read and write."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        """Run an operation and count it."""
        output = operation(*args, **(kwargs or {}))
        name = str(operation).removeprefix("aten.")
        if not operation.is_view and not name.startswith(FREE):
            tensors = tree_leaves((args, kwargs, output))
            self.total += sum(t.nbytes for t in tensors if torch.is_tensor(t))
        return output


def moved_per_pixel(network: nn.Module, precision: str) -> float:
    """Bytes a pixel of a forward and a backward pass, where the network is."""
    device, totals = next(network.parameters()).device, []
    for crops in (1, 2):
        x = torch.rand(crops, 3, SIDE, SIDE, device=device)
        x = x.contiguous(memory_format=torch.channels_last)
        with Traffic() as traffic:
            with autocast(device, precision):
                loss = network(x).float().square().mean()
            loss.backward()
        network.zero_grad(set_to_none=True)
        totals.append(traffic.total)
    return (totals[1] - totals[0]) / SIDE**2


def operations_per_pixel(network: Denoiser) -> float:
    """Count the operations of a step: backward costs twice as much as forward."""
    return 3 * 2 * multiply_adds_per_pixel(network)


def main() -> None:
    """Print a row for each precision."""
    network, pixels = build({"name": "nafnet"}), BATCH * PATCH**2
    operations, rows = operations_per_pixel(network) * pixels, []
    for precision in ("fp32", "bf16"):
        moved = moved_per_pixel(network, precision) * pixels
        seconds = moved / BANDWIDTH
        row = {"precision": precision, "tflop_a_step": operations / 1e12}
        row |= {"gb_a_step": moved / 1e9, "ms_a_step": 1e3 * seconds}
        row |= {"as_if_tflop_per_s": operations / seconds / 1e12}
        rows.append(row | {"hours_a_training": ITERATIONS * seconds / 3600})
    title = (
        f"NAFNet-32, {BATCH} crops of {PATCH}x{PATCH}, at {BANDWIDTH / 1e12:.1f} TB/s"
    )
    publish("step_traffic", {title: rows})


if __name__ == "__main__":
    main()

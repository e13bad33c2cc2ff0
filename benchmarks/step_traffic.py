"""What a training step of the paper's network computes and moves, counted, not timed.

Moved: the inputs and outputs of every operation, as PyTorch runs them one by one; views
are free, caches are ignored. On a GPU with more arithmetic than bandwidth this bounds the
speed. Counted at two batch sizes, so that what does not grow with the batch (weights,
their gradients) drops out. Run: python -m benchmarks.step_traffic
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mid_core.learner import autocast
from mid_core.networks import build
from mid_core.networks.measure import multiply_adds_per_pixel

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


def moved(precision: str, crops: int) -> int:
    """Bytes of a forward and a backward pass."""
    network = build({"name": "nafnet"})
    x = torch.rand(crops, 3, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    with Traffic() as traffic:
        with autocast(torch.device("cpu"), precision):
            loss = network(x).float().square().mean()
        loss.backward()
    return traffic.total


def main() -> None:
    """Print a table of both precisions."""
    pixels = BATCH * PATCH**2
    operations = 2 * multiply_adds_per_pixel(build({"name": "nafnet"}))
    step = 3 * operations * pixels
    print(f"one pass {operations:.3g} operations a pixel, a step {step:.3g}")
    for precision in ("fp32", "bf16"):
        each = (moved(precision, 2) - moved(precision, 1)) / SIDE**2
        seconds = each * pixels / BANDWIDTH
        print(
            f"{precision}: {each / 1e3:.0f} kB a pixel, {each * pixels / 1e9:.0f} GB a "
            f"step; at {BANDWIDTH / 1e12:.1f} TB/s {1e3 * seconds:.0f} ms, as if "
            f"{step / seconds / 1e12:.0f} TFLOP/s; {ITERATIONS * seconds / 3600:.1f} h a "
            "training"
        )


if __name__ == "__main__":
    main()

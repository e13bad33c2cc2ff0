"""A NAFNet training step on the CPU, against a plain implementation of the same.

The plain one is NCHW throughout, with a LayerNorm written out over the channels. Both
have the same weights and give the same output. Run: python -m benchmarks.nafnet_step
"""

import statistics
import time

import torch
from torch import nn

from mid_core.networks import NAFNet, build, nafnet

STEPS = 7


class PlainLayerNorm(nn.Module):
    """LayerNorm over the channels of NCHW, as a reference would write it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        mean = x.mean(1, keepdim=True)
        variance = (x - mean).pow(2).mean(1, keepdim=True)
        z = (x - mean) / (variance + 1e-6).sqrt()
        return z * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


def plain(ours: NAFNet) -> NAFNet:
    """Build the plain network with the same weights."""
    fast, nafnet.LayerNorm2d = nafnet.LayerNorm2d, PlainLayerNorm
    try:
        network = NAFNet()
    finally:
        nafnet.LayerNorm2d = fast
    network.load_state_dict(ours.state_dict())
    return network


def seconds(network: nn.Module, x: torch.Tensor) -> float:
    """One step: forward, backward, Adam."""
    optimizer = torch.optim.Adam(network.parameters(), 1e-6)
    start = time.perf_counter()
    loss = ((network(x) - x) ** 2).mean()
    loss.backward()
    optimizer.step()
    return time.perf_counter() - start


def main() -> None:
    """Alternate the two, so that a busy machine slows both."""
    torch.manual_seed(0)
    ours = build({"name": "nafnet"})
    reference = plain(ours)
    x = torch.rand(2, 3, 128, 128)
    fast = x.to(memory_format=torch.channels_last)
    with torch.no_grad():
        gap = (ours(fast) - reference(x)).abs().max().item()
    times = [(seconds(ours, fast), seconds(reference, x)) for _ in range(STEPS + 1)]
    ours_s, plain_s = (statistics.median(t) for t in zip(*times[1:], strict=True))
    print(
        "NAFNet, width 32, batch 2 of 128x128, CPU,", torch.get_num_threads(), "threads"
    )
    print(f"largest difference of the outputs {gap:.1e}")
    print(f"plain {plain_s:.3f} s, ours {ours_s:.3f} s a step")
    print(f"ratio plain / ours: {plain_s / ours_s:.2f} (to reach: 1.00)")


if __name__ == "__main__":
    main()

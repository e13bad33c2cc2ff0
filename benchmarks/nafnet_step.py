"""A NAFNet training step on the CPU, against a plain implementation of the same.

The plain one is NCHW throughout, with the block and its LayerNorm written out and Adam
not fused. Both have the same weights and give the same output.
Run: python -m benchmarks.nafnet_step
"""

import statistics
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.measuring import alternate, publish, ratio
from mid_core.learner import autocast
from mid_core.networks import NAFNet, build, nafnet

BATCH, PATCH, REPEATS, REACH = 2, 128, 7, 1.3


class PlainLayerNorm(nn.Module):
    """LayerNorm over the channels of NCHW, as a reference would write it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(1, keepdim=True)
        variance = (x - mean).pow(2).mean(1, keepdim=True)
        z = (x - mean) / (variance + 1e-6).sqrt()
        return z * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


class PlainBlock(nafnet.NAFBlock):
    """The block as published, whatever becomes of ours."""

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.conv2(self.conv1(self.norm1(x))).chunk(2, dim=1)
        z = a * b
        x = x + self.conv3(z * self.sca(z)) * self.beta
        a, b = self.conv4(self.norm2(x)).chunk(2, dim=1)
        return x + self.conv5(a * b) * self.gamma


def plain(settings: dict, ours: NAFNet) -> NAFNet:
    """Build the plain network with the same settings and weights."""
    arguments = {key: value for key, value in settings.items() if key != "name"}
    plain_parts = {"LayerNorm2d": PlainLayerNorm, "NAFBlock": PlainBlock}
    with patch.multiple(nafnet, **plain_parts):
        network = NAFNet(**arguments)
    network.load_state_dict(ours.state_dict())
    return network.to(next(ours.parameters()).device)


def stirred(network: NAFNet) -> NAFNet:
    """Give every block an effect: fresh ones are the identity."""
    for name, parameter in network.named_parameters():
        if name.endswith(("beta", "gamma")):
            nn.init.normal_(parameter, std=0.3)
    return network


class BareStep:
    """Forward, backward and Adam on one batch that lies in memory; nothing else."""

    def __init__(
        self,
        network: nn.Module,
        y: Tensor,
        x: Tensor,
        fused: bool,
        precision: str = "fp32",
    ) -> None:
        self.network, self.y, self.x = network.train(), y, x
        self.precision = precision
        # None lets torch choose, as where nobody thought about it.
        self.optimizer = torch.optim.Adam(
            network.parameters(), 1e-6, fused=fused or None
        )

    def __call__(self) -> None:
        with autocast(self.y.device, self.precision):
            loss = F.mse_loss(self.network(self.y).float(), self.x)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()


def compare(
    settings: dict,
    batch: int,
    side: int,
    repeats: int,
    precision: str = "fp32",
    device: str = "cpu",
) -> dict[str, float]:
    """Time a step of our network and of the plain one on the same crops.

    Returns
    -------
    ``plain_s`` and ``ours_s`` for a step, their ``ratio``, and the
    ``largest_difference`` of the two outputs before the first step.
    """
    ours = stirred(build(settings)).to(device)
    reference = plain(settings, ours)
    x = torch.rand(batch, 3, side, side, device=device)
    fast = x.contiguous(memory_format=torch.channels_last)
    with torch.no_grad(), autocast(x.device, precision):
        gap = (ours(fast) - reference(x)).abs().max().item()
    works = {
        "plain": BareStep(reference, x, x, False, precision),
        "ours": BareStep(ours, fast, fast, True, precision),
    }
    times = alternate(works, repeats, device)
    return {
        "plain_s": statistics.median(times["plain"]),
        "ours_s": statistics.median(times["ours"]),
        "ratio": ratio(times["plain"], times["ours"]),
        "largest_difference": gap,
    }


def main() -> None:
    """Print a row for NAFNet, width 32, as published."""
    torch.manual_seed(0)
    row = compare({"name": "nafnet"}, BATCH, PATCH, REPEATS)
    title = f"NAFNet-32, batch {BATCH} of {PATCH}x{PATCH}, a training step"
    threads = {"threads": torch.get_num_threads()}
    publish("nafnet_step", {title: [threads | row | {"to_reach": REACH}]})


if __name__ == "__main__":
    main()

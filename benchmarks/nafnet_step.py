"""A NAFNet training step, against a plain implementation of the same.

The plain one is NCHW throughout, with the block and its LayerNorm written out and Adam
not fused. Both have the same weights and give the same output.
Run: python -m benchmarks.nafnet_step
"""

import statistics
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.measuring import alternate, publish, ratio
from mid_core.networks import build, nafnet
from mid_core.networks.acceleration import accelerate
from mid_core.networks.nafnet import NAFNet
from mid_core.runtime.precision import autocast

BATCH, PATCH, REPEATS, REACH = 2, 128, 7, 1.3
DEMO = {"name": "nafnet", "width": 32, "encoder": [1, 1], "middle": 1}
DEMO |= {"decoder": [1, 1], "pixel_unshuffle": 2}


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

    def output(self) -> Tensor:
        """Run the network as a step does."""
        with autocast(self.y.device, self.precision):
            return self.network(self.y).float()

    def __call__(self) -> None:
        loss = F.mse_loss(self.output(), self.x)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()


def compare(
    settings: dict,
    batch: int,
    side: int,
    repeats: int,
    device: str = "cpu",
    precision: str = "fp32",
    plain_precisions: Sequence[str] = ("fp32",),
    compiled: str = "never",
) -> list[dict[str, Any]]:
    """Time a step of our network, and of the plain one, on the same crops.

    Parameters
    ----------
    precision, compiled
        Of ours: see ``trainer.Training`` and ``acceleration.accelerate``.
    plain_precisions
        Of the plain one: a row each.

    Returns
    -------
    Rows with ``plain_s`` and ``ours_s`` for a step, their ``ratio``, and the largest
    ``difference`` of the two outputs before the first step.
    """
    ours = stirred(build(settings)).to(device).train()
    references = {one: plain(settings, ours) for one in plain_precisions}
    x = torch.rand(batch, 3, side, side, device=device)
    fast = x.contiguous(memory_format=torch.channels_last)
    accelerate(ours, batch, side, precision, 1, compiled)
    works, gaps = {"ours": BareStep(ours, fast, fast, True, precision)}, {}
    for one, reference in references.items():
        with torch.no_grad():
            gap = works["ours"].output() - reference(x)
        works[one] = BareStep(reference, x, x, False, one)
        gaps[one] = gap.abs().max().item()
    times = alternate(works, repeats, device)
    ours_s = statistics.median(times["ours"])
    return [
        {
            "ours": precision,
            "compiled": compiled,
            "plain": one,
            "plain_s": statistics.median(times[one]),
            "ours_s": ours_s,
            "ratio": ratio(times[one], times["ours"]),
            "difference": gap,
        }
        for one, gap in gaps.items()
    ]


def main() -> None:
    """Print a row for NAFNet, width 32, as published, and for the demo's, compiled."""
    torch.manual_seed(0)
    more = {"threads": torch.get_num_threads()}
    published = compare({"name": "nafnet"}, BATCH, PATCH, REPEATS)
    title = f"NAFNet-32, batch {BATCH} of {PATCH}x{PATCH}, a training step"
    tables = {title: [row | more | {"to_reach": REACH} for row in published]}
    rows = [
        row | more
        for choice in ("never", "always")
        for row in compare(DEMO, 8, 64, 3 * REPEATS, compiled=choice)
    ]
    publish("nafnet_step", tables | {"the demo's network, batch 8 of 64x64": rows})


if __name__ == "__main__":
    main()

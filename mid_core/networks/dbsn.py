"""The blind-spot network of AP-BSN (Lee et al., CVPR 2022), SDAP and others.

A dilated one, after D-BSN (Wu et al., ECCV 2020). Initial weights are PyTorch's own.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.networks.denoiser import Denoiser

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 2, maximum: 1000, default: 128, examples: [8], description: Features of each layer.}
modules: {type: integer, minimum: 0, maximum: 1000, default: 9, examples: [2], description: "Residual units of each branch; they reach 2 + 3 x modules pixels far."}
"""

DILATIONS = 2, 3


class CentreMasked(nn.Conv2d):
    """A convolution without the centre of its kernel; its size stays the input's.

    The weight there exists and is not used: what an optimiser makes of it does not
    matter.

    Attributes
    ----------
    is_blind
        False: the centre is used after all (C-BSN).
    """

    is_blind = True

    def __init__(self, channels: int, side: int) -> None:
        super().__init__(channels, channels, side, padding=side // 2)

    def forward(self, x: Tensor) -> Tensor:
        if not self.is_blind:
            return super().forward(x)
        # A mask kept as a buffer would have to be in every model file.
        weight, centre = self.weight.clone(), self.kernel_size[0] // 2
        weight[..., centre, centre] = 0
        return F.conv2d(x, weight, self.bias, padding=self.padding)


class Dilated(nn.Module):
    """A residual unit whose kernel has holes: it stays on one grid of pixels."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def pointwise(*widths: int) -> list[nn.Module]:
    """Return 1x1 convolutions from each width to the next, each followed by a ReLU."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Conv2d(inputs, outputs, 1), nn.ReLU()]
    return layers


def _branch(width: int, modules: int, dilation: int) -> nn.Sequential:
    return nn.Sequential(
        CentreMasked(width, 2 * dilation - 1),
        nn.ReLU(),
        *pointwise(width, width, width),
        *[Dilated(width, dilation) for _ in range(modules)],
        *pointwise(width, width),
    )


class DBSN(Denoiser):
    """Two branches of dilated convolutions, neither of which sees the pixel itself.

    A branch of dilation d begins with a centre-masked kernel of 2 d - 1 pixels, and
    goes on in steps of d: it does not see pixels whose row and column both lie a
    multiple of d away. So the output sees neither its own pixel nor any whose row and
    column both lie a multiple of 6 away.

    Parameters
    ----------
    channels, extra_channels
        See ``Denoiser``; what is seen of extra channels has the same holes.
    width
        Features of each layer.
    modules
        Residual units of each branch.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 128,
        modules: int = 9,
    ) -> None:
        super().__init__(channels, extra_channels, 1, 0, residual=False)
        self.modules_of_branch, half = modules, width // 2
        self.intro = nn.Sequential(*pointwise(self.inputs, width))
        self.branches = nn.ModuleList(
            _branch(width, modules, dilation) for dilation in DILATIONS
        )
        self.tail = nn.Sequential(*pointwise(len(DILATIONS) * width, width, half, half))
        self.ending = nn.Conv2d(half, self.outputs, 1)

    @property
    def receptive_field_radius(self) -> int:
        """Pixels around one that the convolutions look at."""
        return max(DILATIONS) * (self.modules_of_branch + 1) - 1

    def body(self, x: Tensor) -> Tensor:
        """Map the noisy image to the estimate."""
        x = self.intro(x)
        seen = torch.cat([branch(x) for branch in self.branches], dim=1)
        return self.ending(self.tail(seen))

"""The networks of CVF-SID (Neshatavar et al., CVPR 2022): one for each part of an image.

Clean images come from a plain row of convolutions. From what it leaves of the input,
another one makes two kinds of noise. Initial weights are Xavier's, biases zero.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn

from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import on_reflected

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 1, maximum: 1000, default: 64, examples: [6], description: Features of each layer.}
depth: {type: integer, minimum: 2, maximum: 1000, default: 17, examples: [3], description: "Convolutions, of which the last is 1x1."}
"""


class CVFSID(Denoiser):
    """The network of the clean image: 3x3 convolutions with ReLUs, and one 1x1.

    In evaluation mode an image goes on around its border by reflection, as far as the
    network looks.

    Parameters
    ----------
    channels, extra_channels
        See ``Denoiser``.
    width
        Features of each layer.
    depth
        Convolutions; the paper's 17 of 64 features have 555,907 parameters for three
        colours.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 64,
        depth: int = 17,
    ) -> None:
        super().__init__(channels, extra_channels, 1, 0, residual=False)
        self.depth = depth
        self.layers = _row([self.inputs, *[width] * (depth - 1)])
        self.layers.append(nn.Conv2d(width, self.outputs, 1))
        _xavier(self)

    @property
    def receptive_field_radius(self) -> int:
        """Pixels around one that the convolutions look at."""
        return self.depth - 1

    def body(self, x: Tensor) -> Tensor:
        """Map the noisy image to the estimate."""
        return self.layers(x)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C + extra, H, W) in [0, 1] to the clean estimate (N, C, H, W)."""
        around = 0 if self.training else self.receptive_field_radius
        return on_reflected(super().forward, x, around)


class Parts(NamedTuple):
    """What an image consists of, (N, C, H, W) each: y = clean + clean weight + rest.

    Attributes
    ----------
    clean
        The clean image, C.
    weight
        Noise that depends on the signal, for a signal of 1, W.
    rest
        Noise that does not, B.
    """

    clean: Tensor
    weight: Tensor
    rest: Tensor


class Decomposition(nn.Module):
    """Splits images: the network of the clean image, and that of the noise.

    Parameters
    ----------
    clean
        The one network; its colours are those of the other.
    width
        Features of the network of the noise.
    depth, head_depth
        3x3 convolutions that both kinds of noise share, and that each has to itself.
    """

    def __init__(
        self, clean: CVFSID, width: int = 64, depth: int = 10, head_depth: int = 4
    ) -> None:
        super().__init__()
        self.clean = clean
        self.noise = _row([clean.channels, *[width] * depth])
        self.heads = nn.ModuleList()
        for _ in ("weight", "rest"):
            head = _row([width] * (head_depth + 1))
            head.append(nn.Conv2d(width, clean.channels, 1))
            self.heads.append(head)
        _xavier(self.noise)
        _xavier(self.heads)

    def forward(self, y: Tensor) -> Parts:
        """Split (N, C, H, W); the mean over the image of each kind of noise is zero."""
        clean = self.clean.body(y)
        features = self.noise(y - clean)
        both = [head(features) for head in self.heads]
        weight, rest = (part - part.mean((2, 3), keepdim=True) for part in both)
        return Parts(clean, weight, rest)


def _row(widths: Sequence[int]) -> nn.Sequential:
    """3x3 convolutions, each followed by a ReLU."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers)


def _xavier(network: nn.Module) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

"""The plain U-Net of Noise2Noise, and the two that blind-spot networks teach.

Lehtinen et al., "Noise2Noise", ICML 2018. The students of AT-BSN (CVPR 2024) and of
APR-RD (AAAI 2025) and TM-BSN (CVPR 2026) do without its last layer, 1x1; that of
Blind2Unblind (CVPR 2022) has two more.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import he_normal

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 1, maximum: 1000, default: 48, examples: [4], description: "Features on the way down; twice as many on the way up."}
ending: {enum: [n2n, b2u, at_bsn, tm_bsn], default: n2n, description: "How it ends: n2n with a layer 1x1; b2u, as that of Blind2Unblind, with three; at_bsn, as the student of AT-BSN, with a layer 3x3 and a leaky ReLU; tm_bsn, as those of TM-BSN and APR-RD, with a layer 3x3, and skips that start before each pooling."}
"""

SLOPE = 0.1
# Halvings of the resolution; all these networks have five.
LEVELS = 5
ENDINGS = "n2n", "b2u", "at_bsn", "tm_bsn"


class ConvAbove(nn.Conv2d):
    """A 3x3 convolution whose output sees its own row and the two above it."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W); zeros outside."""
        return super().forward(F.pad(x, (1, 1, 2, 0)))


class SkipFeatures(nn.Module):
    """The U-Net without its last layer: (N, C, H, W) to (N, 2 width, H, W).

    Parameters
    ----------
    inputs
        Channels of the image.
    width
        Features on the way down.
    above
        Whether an output pixel sees only its own row and those above it
        (Laine et al., NeurIPS 2019).
    before_pool
        Whether a skip starts at the last features of its level; else at what the
        level gets, at full resolution the image itself.
    last
        Convolutions of the last level: 2, or 1.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        above: bool = False,
        before_pool: bool = False,
        last: int = 2,
    ) -> None:
        super().__init__()
        self.above, self.before_pool, self.last = above, before_pool, last
        self.first = 1 if before_pool else 2
        skips = [width if before_pool else inputs, *[width] * (LEVELS - 1)]
        self.encoders = nn.ModuleList([self._row([inputs, *[width] * self.first])])
        for _ in range(LEVELS):
            self.encoders.append(self._row([width, width]))
        self.decoders, below = nn.ModuleList(), width
        for level in reversed(range(LEVELS)):
            convolutions = 2 if level else last
            widths = [below + skips[level], *[2 * width] * convolutions]
            self.decoders.append(self._row(widths))
            below = 2 * width

    def _row(self, widths: list[int]) -> nn.Sequential:
        """3x3 convolutions, each followed by a leaky ReLU."""
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            if self.above:
                layers.append(ConvAbove(inputs, outputs, 3))
            else:
                layers.append(nn.Conv2d(inputs, outputs, 3, padding=1))
            layers.append(nn.LeakyReLU(SLOPE))
        return he_normal(nn.Sequential(*layers), SLOPE)  # type: ignore[return-value]

    def _pool(self, x: Tensor) -> Tensor:
        # One row down, or the upper row of a pair would see the lower one.
        return F.max_pool2d(F.pad(x, (0, 0, 1, -1)) if self.above else x, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W), both multiples of 32, to (N, 2 width, H, W)."""
        skips: list[Tensor] = []
        for encoder in self.encoders[:-1]:
            skips.append(x)
            x = encoder(x)
            if self.before_pool:
                skips[-1] = x
            x = self._pool(x)
        x = self.encoders[-1](x)
        for decoder in self.decoders:
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = decoder(torch.cat([x, skips.pop()], dim=1))
        return x

    @property
    def reach(self) -> int:
        """Pixels above one that it sees, in the place where they are most."""
        return max(row - self._highest(row) for row in range(2**LEVELS))

    def _highest(self, row: int) -> int:
        """Return the uppermost row of the image that a row of the features sees."""
        step, shift = (2, 1) if self.above else (1, 0)
        for level in range(LEVELS):
            row = (row - step * (2 if level else self.last)) // 2
        row -= step
        for level in reversed(range(LEVELS)):
            row = 2 * row - shift - step * (1 if level else self.first)
        return row


class SkipUNet(Denoiser):
    """The U-Net: five halvings, and the way back past skips.

    An image is padded to multiples of 32 by reflection.

    Parameters
    ----------
    channels, extra_channels
        See ``Denoiser``.
    width
        Features on the way down; the papers' is 48.
    ending
        ``"n2n"``: 1,083,747 parameters for three colours; ``"b2u"``: 1,102,371;
        ``"at_bsn"``: 1,003,011; ``"tm_bsn"``: 1,021,107.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 48,
        ending: str = "n2n",
    ) -> None:
        super().__init__(channels, extra_channels, 1, LEVELS, residual=False)
        if ending not in ENDINGS:
            raise ValueError(
                f"ending '{ending}' is unknown; there are: {', '.join(ENDINGS)}"
            )
        pointwise = ending in ("n2n", "b2u")
        last = 2 if pointwise else 1
        self.features = SkipFeatures(
            self.inputs, width, before_pool=ending == "tm_bsn", last=last
        )
        self.mixing = nn.Sequential()
        for _ in range(2 if ending == "b2u" else 0):
            self.mixing.append(nn.Conv2d(2 * width, 2 * width, 1))
            self.mixing.append(nn.LeakyReLU(SLOPE))
        he_normal(self.mixing, SLOPE)
        side = 1 if pointwise else 3
        self.ending = nn.Conv2d(2 * width, self.outputs, side, padding=side // 2)
        # A slope of 1 is that of a linear layer.
        he_normal(self.ending, 1.0 if pointwise else SLOPE)
        self.activation = nn.LeakyReLU(SLOPE) if ending == "at_bsn" else nn.Identity()

    @property
    def receptive_field_radius(self) -> int:
        """Pixels around one that the convolutions look at."""
        # The last layer stands where the last level's second convolution would.
        return self.features.reach + self.ending.padding[0]  # type: ignore[operator]

    def body(self, x: Tensor) -> Tensor:
        """Map (N, C + extra, H, W), both multiples of 32, to (N, C, H, W)."""
        return self.activation(self.ending(self.mixing(self.features(x))))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C + extra, H, W) in [0, 1] to the clean estimate (N, C, H, W)."""
        height, width = x.shape[-2:]
        bottom, right = -height % self.stride, -width % self.stride
        # An image smaller than what is added cannot be reflected.
        mode = "reflect" if bottom < height and right < width else "replicate"
        x = F.pad(x, (0, right, 0, bottom), mode=mode)
        return super().forward(x)[..., :height, :width]

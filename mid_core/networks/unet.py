"""U-Net (Ronneberger et al., MICCAI 2015) as a denoiser: padded, with leaky ReLUs."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import he_normal

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 1, maximum: 1000, default: 64, examples: [4], description: "Features at the finest level, doubled by each; 24 with depth 3 has 1.1 M parameters."}
depth: {type: integer, minimum: 1, maximum: 10, default: 4, examples: [2], description: Halvings of the resolution.}
pixel_unshuffle: {$ref: "#/$defs/pixel_unshuffle"}
residual: {type: boolean, default: false, description: Whether the output is a correction of the input.}
centred: {$ref: "#/$defs/centred"}
"""

SLOPE = 0.1


def _pair(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3x3 convolutions, each followed by a LeakyReLU."""
    layers = []
    for c in (inputs, outputs):
        layers += [nn.Conv2d(c, outputs, 3, padding=1), nn.LeakyReLU(SLOPE)]
    return he_normal(nn.Sequential(*layers), SLOPE)


class UNet(Denoiser):
    """Halves the resolution ``depth`` times and comes back, past skips.

    Parameters
    ----------
    channels, extra_channels, pixel_unshuffle, residual, centred
        See ``Denoiser``.
    width
        Features at full resolution; doubled by each level. The paper's is 64; 24
        with ``depth`` 3 has 1.1 M parameters.
    depth
        Halvings of the resolution.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 64,
        depth: int = 4,
        pixel_unshuffle: int = 1,
        residual: bool = False,
        centred: bool = False,
    ) -> None:
        super().__init__(
            channels, extra_channels, pixel_unshuffle, depth, residual, centred
        )
        self.depth = depth
        widths = [width * 2**level for level in range(depth + 1)]
        self.encoders, self.ups, self.decoders = (nn.ModuleList() for _ in range(3))
        for inputs, outputs in pairwise([self.inputs, *widths]):
            self.encoders.append(_pair(inputs, outputs))
        for c in reversed(widths[:-1]):
            self.ups.append(nn.ConvTranspose2d(2 * c, c, 2, stride=2))
            self.decoders.append(_pair(2 * c, c))
        self.ending = nn.Conv2d(width, self.outputs, 1)

    @property
    def receptive_field_radius(self) -> int:
        """Unshuffled pixels around one that the convolutions look at."""
        # Two a level, on the way up and, seen from there, on the way down.
        pixels = 0
        for _ in range(self.depth):
            pixels = -(-(pixels + 2) // 2)
        pixels += 2
        for _ in range(self.depth):
            pixels = 2 * pixels + 2
        return pixels

    def halved(self, x: Tensor) -> Tensor:
        """Halve the resolution."""
        return F.max_pool2d(x, 2)

    def body(self, x: Tensor) -> Tensor:
        """Map the unshuffled input to the unshuffled output."""
        skips = [self.encoders[0](x)]
        for encoder in self.encoders[1:]:
            skips.append(encoder(self.halved(skips[-1])))
        x = skips.pop()
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            x = decoder(torch.cat([skips.pop(), up(x)], dim=1))
        return self.ending(x)

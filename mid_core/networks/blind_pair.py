"""SASL's two teachers in one model file: a blind-spot U-Net, and a local network.

Li et al., "Spatially Adaptive Self-Supervised Learning for Real-World Image Denoising",
CVPR 2023. Not a network to denoise with: the third network learns from both.
"""

from torch import Tensor, nn

from mid_core.networks.denoiser import Denoiser
from mid_core.networks.shifted_unet import ShiftedUNet

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 1, maximum: 1000, default: 48, examples: [4], description: "Features of the blind-spot U-Net: as of the network that is taken over."}
local_width: {type: integer, minimum: 1, maximum: 1000, default: 64, examples: [8], description: Features of the local network.}
local_blocks: {type: integer, minimum: 0, maximum: 1000, default: 6, examples: [1], description: Its residual blocks.}
local_px: {enum: [1, 3, 5, 7, 9], default: 3, description: "Side of the square that it sees, in pixels."}
"""

# Of the channels in the attention's narrow layer, one in so many.
REDUCTION = 16


class BlindPair(Denoiser):
    """A shifted blind-spot U-Net, and a network that sees only a few pixels.

    As a denoiser it is the local network.

    Parameters
    ----------
    channels
        Colours of the image.
    extra_channels
        0: a mask has no place in it.
    width
        Of the ``ShiftedUNet``.
    local_width, local_blocks, local_px
        See ``LocalNetwork``.

    Attributes
    ----------
    blind, local
        The two networks.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 48,
        local_width: int = 64,
        local_blocks: int = 6,
        local_px: int = 3,
    ) -> None:
        super().__init__(channels, extra_channels, 1, 0, residual=False)
        self.blind = ShiftedUNet(channels, extra_channels, width)
        self.local = LocalNetwork(channels, local_width, local_blocks, local_px)

    @property
    def receptive_field_radius(self) -> int:
        """Pixels around one that the local network's convolutions look at."""
        return self.local.radius

    def body(self, x: Tensor) -> Tensor:
        """Return the local network's estimate (N, C, H, W)."""
        return self.local(x)


class LocalNetwork(nn.Module):
    """SASL's "locally aware network" (LAN): one layer 3x3 or a few, all others 1x1.

    The channel attention takes means over the whole image; else it is local.

    Parameters
    ----------
    channels
        Colours of the image.
    width
        Features; the paper's is 64: 94,939 parameters for three colours.
    blocks
        Residual blocks.
    side
        Of the square that it sees, in pixels; odd.
    """

    def __init__(self, channels: int, width: int, blocks: int, side: int) -> None:
        super().__init__()
        self.radius = side // 2
        beginning: list[nn.Module] = [nn.Conv2d(channels, width, 1), nn.ReLU()]
        for _ in range(self.radius):
            beginning += [nn.Conv2d(width, width, 3, padding=1), nn.ReLU()]
        self.beginning = nn.Sequential(*beginning)
        self.blocks = nn.Sequential(*(_Block(width) for _ in range(blocks)))
        self.after = nn.Conv2d(width, width, 1)
        self.ending = nn.Conv2d(width, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) in [0, 1] to the estimate (N, C, H, W)."""
        x = self.beginning(x)
        return self.ending(x + self.after(self.blocks(x)))


class _Block(nn.Module):
    """Two layers 1x1 and channel attention, past a skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        narrow = max(1, width // REDUCTION)
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, width, 1)
        )
        self.attention = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(width, narrow, 1),
            nn.ReLU(),
            nn.Conv2d(narrow, width, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        z = self.layers(x)
        return x + z * self.attention(z)

"""The triangular-masked blind-spot network (TM-BSN, CVPR 2026, arXiv 2604.04484).

Cameras interpolate their colours, which spreads noise over a diamond of pixels. A hole
of that shape hides the noise and little else. It comes from 3x3 convolutions without
the taps below the diagonal: a row of them sees, of all offsets, those with
column >= row. What they give is moved away from the pixel, once down and once left,
and all is done in the four rotations of the image.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.errors import MidError
from mid_core.networks.blind_spot import BlindSpotNetwork

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 1, maximum: 1000, default: 48, examples: [6], description: Features of each layer.}
groups: {type: integer, minimum: 1, maximum: 100, default: 5, examples: [1], description: Groups of residual blocks.}
blocks: {type: integer, minimum: 1, maximum: 100, default: 5, examples: [2], description: Residual blocks of a group.}
hole: {type: integer, minimum: 0, maximum: 16, default: 4, description: "Size of the hole of an answer: pixels with |row| + |column| below it are not seen; 0 is not blind. That of the training is an option of its stage."}
"""

# Where (rows, columns) the features of each rotation are moved: the first of them down
# and left, a quarter turn further each.
DOWN, RIGHT, UP, LEFT = (1, 0), (0, 1), (-1, 0), (0, -1)
MOVES = ((DOWN, LEFT), (RIGHT, DOWN), (UP, RIGHT), (LEFT, UP))


class _MaskedConv(nn.Conv2d):
    """A 3x3 convolution whose taps below the diagonal have no effect."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        # At every pass: an optimiser may fill what was only once set to zero.
        return F.conv2d(x, self.weight.triu(), self.bias, padding=1)


class _Block(nn.Module):
    """Two masked convolutions that correct their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (_MaskedConv(width, width) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.first(x)))


class _Group(nn.Module):
    """Residual blocks and a masked convolution, which correct their input."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(_Block(width) for _ in range(blocks)))
        self.last = _MaskedConv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.last(self.blocks(x))


class Triangular(BlindSpotNetwork):
    """A network that does not see the diamond |row| + |column| < hole around a pixel.

    It keeps the resolution throughout, so images of any size do. Weights start as
    torch has them, as in the published code: He's, larger, would double the signal
    in each residual block.

    Parameters
    ----------
    channels
        Colours of the image.
    extra_channels
        None: nothing but the hole hides pixels here.
    width
        Features of each layer.
    groups, blocks
        Groups of residual blocks, and blocks of each.
    hole
        Size of the hole where none is given; 0 is not blind.

    Raises
    ------
    ValueError
        For extra channels.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 48,
        groups: int = 5,
        blocks: int = 5,
        hole: int = 4,
    ) -> None:
        if extra_channels:
            raise ValueError("a blind-spot network sees no mask")
        super().__init__(channels, 0, hole)
        self.first, self.last = _MaskedConv(channels, width), _MaskedConv(width, width)
        self.groups = nn.Sequential(*(_Group(width, blocks) for _ in range(groups)))
        self.mix = nn.Sequential(
            nn.Conv2d(8 * width, 8 * width, 1),
            nn.ReLU(),
            nn.Conv2d(8 * width, 2 * width, 1),
            nn.ReLU(),
        )
        self.ending = nn.Conv2d(2 * width, channels, 1)
        self._convolutions = 2 + groups * (2 * blocks + 1)

    @property
    def receptive_field_radius(self) -> int:
        """Pixels around one that the convolutions look at, with the hole of an answer."""
        return self._convolutions + self.hole

    def trunk(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the features of its four rotations, (N, 4 width, H, W).

        They are turned back. One rotation after another: a turned image of other
        height than width has no place beside it in a batch.
        """
        planes = []
        for turns in range(4):
            z = self.first(torch.rot90(x, -turns, (2, 3)))
            z = z + self.last(self.groups(z))
            planes.append(torch.rot90(z, turns, (2, 3)))
        return torch.cat(planes, dim=1)

    def head(self, features: Tensor, hole: int) -> Tensor:
        """Map the features to the estimate (N, C, H, W) for a hole of this size."""
        planes = features.chunk(4, dim=1)
        moved = [
            _moved(plane, hole * rows, hole * columns)
            for plane, moves in zip(planes, MOVES, strict=True)
            for rows, columns in moves
        ]
        return self.ending(self.mix(torch.cat(moved, dim=1)))


def _moved(x: Tensor, rows: int, columns: int) -> Tensor:
    """Move (N, C, H, W) down and right, or up and left if negative; zeros follow."""
    height, width = x.shape[-2:]
    down, right = max(rows, 0), max(columns, 0)
    up, left = max(-rows, 0), max(-columns, 0)
    x = F.pad(x, (right, left, down, up))
    return x[..., up : up + height, left : left + width]


def from_published(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the published code's weights under the names that they have here.

    Parameters
    ----------
    weights
        State dict of ``TMBSN`` of https://github.com/parkjun210/TM-BSN, of any width,
        with as many groups as blocks; it also holds the masks, which are left out.

    Raises
    ------
    MidError
        For a name that is none of its names.
    """
    return {
        _our_name(name): weight
        for name, weight in weights.items()
        if not name.endswith(".mask")
    }


def _our_name(name: str) -> str:
    """Translate the name of one weight."""
    match name.split("."):
        case ["unet", "conv1", kind]:
            return f"first.{kind}"
        case ["unet", "conv2", kind]:
            return f"last.{kind}"
        case ["unet", "RIR_blocks", group, "conv_out", kind]:
            return f"groups.{group}.last.{kind}"
        case ["unet", "RIR_blocks", group, "res_blocks", block, layer, kind]:
            ours = {"conv1": "first", "conv2": "second"}[layer]
            return f"groups.{group}.blocks.{block}.{ours}.{kind}"
        case ["nin_A", kind]:
            return f"mix.0.{kind}"
        case ["nin_B", kind]:
            return f"mix.2.{kind}"
        case ["nin_C", kind]:
            return f"ending.{kind}"
    raise MidError(
        f"'{name}' is no weight of the published TM-BSN: give one of its files"
    )

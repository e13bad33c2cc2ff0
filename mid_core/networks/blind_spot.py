"""Networks whose output does not see a hole around its own pixel."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from mid_core.networks.denoiser import Denoiser

# What is added around an image by reflection: at its border a hole leaves too little.
AROUND = 16


class BlindSpotNetwork(Denoiser):
    """A network with a hole in what it sees, whose size is chosen when it is used.

    A subclass does the expensive part once in ``trunk``; ``head`` turns its features
    into the estimate for a hole of any size.

    Parameters
    ----------
    channels
        Colours of the image.
    levels
        How often the trunk halves the resolution.
    hole
        Size of the hole where none is given: that of an answer.
    """

    def __init__(self, channels: int, levels: int, hole: int) -> None:
        super().__init__(channels, 0, 1, levels, residual=False)
        self.hole = hole

    def trunk(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W), multiples of ``stride``, to features of any shape."""
        raise NotImplementedError

    def head(self, features: Tensor, hole: int) -> Tensor:
        """Map the features to the estimate (N, C, H, W) for a hole of this size."""
        raise NotImplementedError

    def predictions(self, x: Tensor, holes: Sequence[int]) -> list[Tensor]:
        """Estimate (N, C, H, W) once for each size of the hole.

        In evaluation mode the image goes on around its border by reflection; in
        training by zeros, as a reflected pixel could tell what is in the hole.
        """
        height, width = x.shape[-2:]
        around = 0 if self.training else min(AROUND, height - 1, width - 1)
        x = F.pad(x, (around,) * 4, mode="reflect") if around else x
        bottom, right = (-side % self.stride for side in x.shape[-2:])
        features = self.trunk(F.pad(x, (0, right, 0, bottom)))
        inner = (..., slice(around, around + height), slice(around, around + width))
        return [self.head(features, hole)[inner] for hole in holes]

    def forward(self, x: Tensor, hole: int | None = None) -> Tensor:
        """Map (N, C, H, W) in [0, 1] to the estimate; a hole may be given."""
        return self.predictions(x, [self.hole if hole is None else hole])[0]

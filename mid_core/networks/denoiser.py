"""What all networks share: padding, pixel-unshuffle, the residual, and their tiles."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.networks.layers import CELLS_PER_WINDOW, box_mean

# Side of the squares whose mean a centred network does not see, in pixels.
MEAN_PX = 21


class Denoiser(nn.Module):
    """An image of any size in, its clean estimate out.

    A network says in ``body`` what happens between the unshuffled input and output, in
    ``receptive_field_radius`` how far that looks, and in ``stacks`` which of its blocks
    take statistics over the image.

    Parameters
    ----------
    channels
        Colours of the image: 3, or 1 for grey.
    extra_channels
        Input channels besides the colours (the mask, if it is shown).
    pixel_unshuffle
        Squares of so many pixels a side become channels first, and pixels again at the
        end: the same receptive field at a fraction of the cost.
    levels
        How often the network halves the resolution.
    residual
        Whether the body gives a correction of the input, or the estimate itself.
        Where most of the input is hidden, a correction takes longer to learn: it
        has to take out the visible pixels first.
    centred
        Whether the body sees what differs from the mean of the 21x21 pixels around,
        which is added again at the end. A colour added to the whole input is then
        added to the estimate, whatever colours the training had. This needs masks
        whose hidden pixels have the mean of the visible ones.

    Attributes
    ----------
    inputs, outputs
        Channels that ``body`` gets and gives.
    stride
        The image is padded to a multiple of this, in pixels.
    cell_px
        Side of the cells of which windows of statistics consist, in pixels; None:
        the statistics are of the whole image, or there are none.
    """

    def __init__(
        self,
        channels: int,
        extra_channels: int,
        pixel_unshuffle: int,
        levels: int,
        residual: bool = True,
        centred: bool = False,
    ) -> None:
        super().__init__()
        self.channels, self.residual, self.centred = channels, residual, centred
        self.pixel_unshuffle = pixel_unshuffle
        self.inputs = (channels + extra_channels) * pixel_unshuffle**2
        self.outputs = channels * pixel_unshuffle**2
        self.stride = pixel_unshuffle * 2**levels
        self.cell_px: int | None = None

    def body(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W), both multiples of 2**levels, to (N, outputs, H, W)."""
        raise NotImplementedError

    @property
    def receptive_field_radius(self) -> int:
        """Unshuffled pixels around one that the body's convolutions look at."""
        raise NotImplementedError

    def stacks(self) -> list[tuple[nn.Sequential, int]]:
        """Blocks with statistics, and the unshuffled pixels that a feature spans there."""
        return []

    def set_patch_size(self, patch: int | None) -> None:
        """Take statistics over 2.5 training patches, or over the whole image.

        Training sees statistics of patches; those of a much larger image are
        another distribution (Chu et al., "Improving Image Restoration by
        Revisiting Global Information Aggregation", ECCV 2022), and would make
        the result depend on how an image is cut into tiles.
        """
        self.cell_px = None
        if patch is not None and self.stacks():
            self.cell_px = self.stride * max(1, patch // (2 * self.stride))
        for stack, scale in self.stacks():
            side = self.pixel_unshuffle * scale
            for block in stack:
                block.cell = self.cell_px and self.cell_px // side

    @property
    def margin(self) -> int:
        """Pixels around an output pixel that its value mostly depends on."""
        radius = self.pixel_unshuffle * self.receptive_field_radius
        radius += MEAN_PX // 2 if self.centred else 0
        return radius + CELLS_PER_WINDOW * (self.cell_px or 0) // 2

    @property
    def alignment(self) -> int:
        """Tiles that start at multiples of this see the grid of the whole image."""
        return self.cell_px or self.stride

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C + extra, H, W) in [0, 1] to the clean estimate (N, C, H, W)."""
        if not self.centred:
            return self._corrected(x)
        colours, others = x[:, : self.channels], x[:, self.channels :]
        mean = box_mean(colours, MEAN_PX)
        return self._corrected(torch.cat([colours - mean, others], dim=1)) + mean

    def _corrected(self, x: Tensor) -> Tensor:
        (height, width), factor = x.shape[-2:], self.pixel_unshuffle
        x = F.pad(x, (0, -width % self.stride, 0, -height % self.stride))
        z = self.body(F.pixel_unshuffle(x, factor) if factor > 1 else x)
        z = F.pixel_shuffle(z, factor) if factor > 1 else z
        z = z + x[:, : self.channels] if self.residual else z
        return z[..., :height, :width]

"""LG-BPN: local and global blind-patch network (Wang et al., CVPR 2023, 2304.00534).

The network hides a diamond of 41 pixels, more than the correlation of noise, and learns
each noisy pixel from what is around. In use its kernels shrink, and its grids are finer,
so that detail comes back; refinement (R3) shrinks them once more.

Differences from the published code: sub-images are a batch, in training too, without
pixels added around them; beyond the border kernels see zeros, as what is reflected there
could tell what is hidden; values are in [0, 1], not in 0..255. An image is not cut into
four parts. Of the far kernel only the taps that are used exist: 3,575,839 parameters,
where the paper counts 4,558,879. The learning rate falls by a cosine, the paper's by a
factor of 10 every 8 of 20 epochs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import lcm

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.losses import Batch
from mid_core.methods.pixel_shuffle import PERIOD, ByStride
from mid_core.methods.stage import Stage
from mid_core.networks.lg_bpn import FAR_STRIDE, LGBPN

LABEL = "LG-BPN"
FAMILY = "self-supervised"
STAGES = """
patch:
  does: lg_bpn.BlindPatch
  sees: [noisy]
  options: {strides: [4, 5]}
  network: {name: lg_bpn, width: 128, head_width: 24, modules: 9, blocks: 6}
  training: {iterations: 61000, batch_size: 8, patch_size: 120, learning_rate: 1.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 0}
  answer:
    does: lg_bpn.Shrunken
    strides: [3, 4]
    ratios: [0.72, 0.8]
    refined_strides: [2, 4]
    refined_ratios: [0.46, 0.43]
    refinements: 8
    share: 0.16
"""


@dataclass(frozen=True)
class BlindPatch(Stage):
    """A network learns each noisy pixel from those outside a diamond around it.

    Attributes
    ----------
    strides
        Of the sub-images, near and far.
    """

    strides: Sequence[int] = (4, 5)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean absolute error to the noisy pixels."""
        y, target = batch
        return F.l1_loss(network(y, strides=self.strides).float(), target)


class Shrunken(ByStride):
    """A pass with smaller kernels, and R3 with still smaller ones.

    Parameters
    ----------
    network
        In evaluation mode.
    strides, ratios
        Of the first pass, near and far: see ``LGBPN.forward``.
    refined_strides, refined_ratios
        Of the further passes.
    refinements, share
        See ``ByStride``.
    """

    def __init__(
        self,
        network: LGBPN,
        strides: Sequence[int] = (3, 4),
        ratios: Sequence[float] = (0.72, 0.8),
        refined_strides: Sequence[int] = (2, 4),
        refined_ratios: Sequence[float] = (0.46, 0.43),
        refinements: int = 8,
        share: float = 0.16,
    ) -> None:
        super().__init__(network, 1, refinements, share)
        self.first, self.further = (strides, ratios), (refined_strides, refined_ratios)

    @property
    def margin(self) -> int:
        """Pixels around an output pixel that its value mostly depends on."""
        passes = [self.first, self.further] if self.refinements else [self.first]
        return sum(self.network.margin_of(*one) for one in passes)  # type: ignore[operator]

    @property
    def alignment(self) -> int:
        """Tiles that start at multiples of this see the whole image's grids and draws."""
        strides = (*self.first[0], *self.further[0])
        # A cell of statistics spans as many pixels of each sub-image.
        cell = (self.network.cell_px or FAR_STRIDE) // FAR_STRIDE
        far = cell * self.first[0][1], cell * self.further[0][1]
        return lcm(PERIOD, *strides, *far)

    def estimate(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Map (N, C, H, W) to a refined estimate."""
        return self.network(x, *self.further)  # type: ignore[no-any-return]

    def _by_sub_images(self, x: Tensor, rng: torch.Generator) -> Tensor:
        return self.network(x, *self.first)  # type: ignore[no-any-return]

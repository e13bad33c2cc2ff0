"""C-BSN: one network, blind and seeing (Jang et al., ICCV 2023, arXiv 2304.09507).

Blind, it learns on sub-images of stride 5, as AP-BSN. Seeing, it learns the noisy image,
and that a random sub-sample of its estimate is what it predicts blindly of that
sub-sample. The seeing network is the answer: one pass, without sub-images.

Differences from the published code: crops are not brought to mean 0 and deviation 1, so
that a tile is denoised as the whole image; a cosine schedule instead of halvings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import lcm

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.losses import Batch
from mid_core.methods.crops import NumberedCrops, Ramp
from mid_core.methods.stage import Drawing
from mid_core.methods.strided import Strided
from mid_core.networks.layers import sub_images
from mid_core.patches import PatchSampler, Pool

LABEL = "C-BSN"
FAMILY = "self-supervised"
STAGES = """
conditional:
  does: c_bsn.Conditional
  sees: [noisy]
  options: {stride: 5, invariance: 2, seeing_after: 0.4}
  network: {name: c_bsn, width: 128, modules: 9}
  training: {iterations: 500000, batch_size: 4, patch_size: 120, learning_rate: 1.0e-4, min_learning_rate: 6.0e-6, max_grad_norm: 0}
"""

# Side of the cells of a random sub-sample, in pixels.
CELL = 2


@dataclass(frozen=True)
class Conditional(Strided):
    """A network learns to denoise blindly, and to be as invariant when it sees.

    Attributes
    ----------
    invariance
        How much the term counts that compares the two.
    seeing_after
        Share of the training after which the terms of the seeing network count in
        full; they grow from 0 in a straight line.
    """

    invariance: float = 2
    seeing_after: float = 0.4

    @property
    def divisor(self) -> int:
        """Crops are cut into sub-images, and into cells."""
        return lcm(self.stride, CELL)

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return noisy crops, a number for each pixel, and the step's weight."""
        weight = Ramp(0, 1, begins=0, ends=self.seeing_after * self.iterations)
        return NumberedCrops(pools["noisy"], *how, count=CELL**2, ramp=weight)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return blind + s (seeing + invariance x their difference), absolute errors.

        The first of each 2x2 numbers says which pixel of a cell is in the sub-sample.
        """
        y, _, choice, weight = batch
        parts, cells = sub_images(y, self.stride), choice[..., ::CELL, ::CELL]
        blind = F.l1_loss(network(parts, blind=True).float(), parts)
        x = network(y, blind=False).float()
        with torch.no_grad():
            target = network(sub_sample(y, cells), blind=True).float()
        seeing = (x - y).abs().mean((1, 2, 3))
        difference = (sub_sample(x, cells) - target).abs().mean((1, 2, 3))
        both = seeing + self.invariance * difference
        return blind + (weight.flatten() * both).mean()


def sub_sample(y: Tensor, cells: Tensor) -> Tensor:
    """Take one pixel of each 2x2 cell.

    Parameters
    ----------
    y
        (N, C, H, W), both sides even.
    cells
        (N, 1, H / 2, W / 2), integers from 0 to 3, by rows.

    Examples
    --------
    >>> y = torch.arange(8).view(1, 1, 2, 4)
    >>> sub_sample(y, torch.tensor([[[[1, 2]]]])).flatten().tolist()
    [1, 6]
    """
    parts = sub_images(y, CELL).unflatten(0, (len(y), CELL**2))
    place = cells.long()[:, None].expand(-1, 1, *parts.shape[2:])
    return parts.gather(1, place)[:, 0]

"""APR-RD: neighbours change places (AAAI 2025).

Two versions of a crop have at each pixel two of the nine pixels in the 3x3 around it,
drawn at random. A blind-spot network with a large hole learns one from the other (APR),
where a second term takes off how much the two places differ in the clean image, as far
as the network knows it. A plain student then learns what the teacher predicts with six
holes; in each target a sixth of the pixels is put back to the noisy ones (RD).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.losses import Batch
from mid_core.methods.crops import NumberedCrops
from mid_core.methods.stage import Drawing, Stage
from mid_core.patches import PatchSampler, Pool

LABEL = "APR-RD"
FAMILY = "self-supervised"
STAGES = """
teacher:
  does: apr_rd.Swapped
  sees: [noisy]
  options: {hole: 9, regularizer: 4}
  network: {name: shifted_unet, width: 48, hole: 1}
  training: {iterations: 400000, batch_size: 8, patch_size: 256, learning_rate: 3.0e-4, min_learning_rate: 0, max_grad_norm: 0}
student:
  does: holes.Student
  sees: [noisy, before]
  options: {holes: [0, 1, 3, 5, 7, 9], recharge: true}
  network: {name: skip_unet, width: 48, ending: tm_bsn}
  training: {iterations: 200000, batch_size: 8, patch_size: 128, learning_rate: 3.0e-4, min_learning_rate: 0, max_grad_norm: 0}
"""

# Numbers of two different pixels of a 3x3 square, by rows.
PAIRS = tuple(permutations(range(9), 2))


@dataclass(frozen=True)
class Swapped(Stage):
    """A blind-spot network learns one neighbour of each pixel from another.

    Attributes
    ----------
    hole
        Its size in training.
    regularizer
        How much the second term counts.
    """

    hole: int = 9
    regularizer: float = 4

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return crops of the noisy images, and the number of a pair for each pixel."""
        return NumberedCrops(pools["noisy"], *how, count=len(PAIRS))

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return |d| + regularizer |d - (h1 f(y) - h2 f(y))|, d = f(h1 y) - h2 y."""
        y, _, choice = batch
        first, second = torch.tensor(PAIRS, device=y.device).T
        one, other = first[choice.long()], second[choice.long()]
        both = torch.cat([neighbour(y, one), y])
        of_one, of_y = network(both, hole=self.hole).float().chunk(2)
        error = of_one - neighbour(y, other)
        expected = neighbour(of_y, one) - neighbour(of_y, other)
        return error.abs().mean() + self.regularizer * (error - expected).abs().mean()


def neighbour(y: Tensor, number: Tensor) -> Tensor:
    """Put one of the nine pixels around each in its place.

    Parameters
    ----------
    y
        (N, C, H, W); at the border the outermost pixel goes on.
    number
        (N, 1, H, W), integers from 0 for the upper left to 8, by rows.

    Returns
    -------
    (N, C, H, W); all colours of a pixel from the same place.

    Examples
    --------
    >>> y = torch.tensor([[[[1.0, 2.0, 3.0]]]])
    >>> neighbour(y, torch.tensor([[[[5, 3, 5]]]])).flatten().tolist()
    [2.0, 1.0, 3.0]
    """
    height, width = y.shape[-2:]
    around = F.pad(y, (1, 1, 1, 1), mode="replicate")
    moved = [
        around[..., i : i + height, j : j + width] for i in range(3) for j in range(3)
    ]
    place = number[None].expand(1, *y.shape)
    return torch.stack(moved).gather(0, place)[0]

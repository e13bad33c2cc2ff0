"""Blind spots of many sizes: a network with a large hole, and a student of small ones.

A hole larger than the noise's correlation keeps a network from learning the noise; the
same weights with a smaller hole show more detail. A plain network learns from several
sizes at once (AT-BSN, CVPR 2024; its targets are recharged as in APR-RD, AAAI 2025, and
TM-BSN, CVPR 2026).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.losses import Batch
from mid_core.methods.crops import NumberedCrops
from mid_core.methods.stage import Drawing, Stage
from mid_core.patches import PatchSampler, Pool


@dataclass(frozen=True)
class Blind(Stage):
    """A blind-spot network learns each noisy pixel from those outside its hole.

    Attributes
    ----------
    hole
        Its size in training, as the network counts it.
    """

    hole: int = 9

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean absolute error to the noisy pixels."""
        y, target = batch
        return F.l1_loss(network(y, hole=self.hole).float(), target)


@dataclass(frozen=True)
class Student(Stage):
    """A plain network learns what a blind-spot network predicts with several holes.

    Attributes
    ----------
    holes
        Sizes of the holes, a target each.
    recharge
        Whether each pixel is put back to the noisy one in one of the targets, drawn at
        random: what holes took away comes back.
    """

    holes: Sequence[int] = (0, 1, 3, 5, 7, 9, 11)
    recharge: bool = False

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return crops of the noisy images, and which target gets each pixel back."""
        return NumberedCrops(pools["noisy"], *how, count=len(self.holes))

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the sum over targets of the mean absolute error."""
        y, _, choice = batch
        with torch.no_grad():
            targets = self.before.predictions(y, self.holes)  # type: ignore[union-attr, operator]
        if self.recharge:
            targets = recharged(targets, y, choice)
        prediction = network(y).float()
        errors = [F.l1_loss(prediction, target.float()) for target in targets]
        return torch.stack(errors).sum()


def recharged(targets: Sequence[Tensor], y: Tensor, choice: Tensor) -> list[Tensor]:
    """Put each pixel back to the noisy one in the target of its number.

    Parameters
    ----------
    targets, y
        (N, C, H, W) each.
    choice
        (N, 1, H, W), a number of a target for each pixel.

    Examples
    --------
    >>> targets, y = [torch.zeros(1, 1, 1, 2)] * 2, torch.ones(1, 1, 1, 2)
    >>> choice = torch.tensor([[[[0, 1]]]])
    >>> [one.flatten().tolist() for one in recharged(targets, y, choice)]
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return [torch.where(choice == i, y, one) for i, one in enumerate(targets)]

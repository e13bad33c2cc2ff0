"""Training on pairs: real ones, or clean images with white noise on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from mid_core.batches import Batches
from mid_core.losses import ERRORS, Batch
from mid_core.methods.crops import ALL_KEPT, PairedCrops
from mid_core.methods.stage import Stage
from mid_core.patches import PatchSampler, Pool


@dataclass(frozen=True)
class Pairs(Stage):
    """A network learns the truth of noisy crops.

    Attributes
    ----------
    error
        Between prediction and truth: a name of ``losses.ERRORS``.
    """

    error: str = "mse"

    def batches(
        self,
        pools: Mapping[str, Pool],
        batch_size: int,
        patch_size: int,
        seed: Sequence[int],
    ) -> PatchSampler:
        """Return crops of noisy images with their truths."""
        return PairedCrops(pools["noisy"], pools["truth"], batch_size, patch_size, seed)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the error of the prediction, over all pixels."""
        y, x = batch
        return ERRORS[self.error](network(y).float(), x)


@dataclass(frozen=True)
class White(Pairs):
    """A network learns clean crops from themselves with white noise on them."""

    def batches(
        self,
        pools: Mapping[str, Pool],
        batch_size: int,
        patch_size: int,
        seed: Sequence[int],
    ) -> PatchSampler:
        """Return clean crops, with noise of a bank and without."""
        own = pools["clean"], pools["noise"], batch_size, patch_size
        return Batches(*own, ALL_KEPT, False, seed)

"""Training on pairs: real ones, or clean images with white noise on them."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from mid_core.batches import Batches
from mid_core.losses import Batch, regression
from mid_core.methods.crops import ALL_KEPT, PairedCrops
from mid_core.methods.stage import Drawing, Stage
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

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return crops of noisy images with their truths."""
        return PairedCrops(pools["noisy"], pools["truth"], *how)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the error of the prediction, over all pixels."""
        return regression(self.error).loss(network, batch)


@dataclass(frozen=True)
class White(Pairs):
    """A network learns clean crops from themselves with white noise on them."""

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return clean crops, with noise of a bank and without."""
        own = {"masking": ALL_KEPT, "clip": False, **how._asdict()}
        return Batches(pools["clean"], pools["noise"], **own)

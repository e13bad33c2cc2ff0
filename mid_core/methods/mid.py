"""MID itself as a method: a round, and one that a network before it teaches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from mid_core.batches import Batches, DistillationBatches
from mid_core.losses import Turn, regression
from mid_core.masking import Masking
from mid_core.methods.stage import Drawing, Stage
from mid_core.networks import build
from mid_core.patches import PatchSampler, Pool


@dataclass(frozen=True)
class Round(Stage):
    """A network learns x from M*(x + n), or from a teacher (paper, Eq. 2 and 3).

    Attributes
    ----------
    settings
        Of a round, as mid_config unfolds them.
    """

    settings: Mapping[str, Any]

    @property
    def masking(self) -> Masking:
        """M."""
        return Masking(**self.settings["masking"])

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return crops of ``clean`` and ``noise``; or of ``noisy`` and ``targets``."""
        own, common = self.settings, {"masking": self.masking, **how._asdict()}
        if "recharge" not in own:
            both = pools["clean"], pools["noise"]
            return Batches(*both, clip=own["clip"], **common)
        return DistillationBatches(
            pools["noisy"],
            pools["targets"],
            recharge=own["recharge"],
            clean=pools.get("clean"),
            clean_share=own.get("clean_share", 0.0),
            **common,
        )

    def build(
        self, network: dict[str, Any], channels: int, seed: Sequence[int]
    ) -> nn.Module:
        """Return the network, which may also be shown the mask."""
        return build(network, channels, self.masking.extra_channels(channels), seed)

    def turns(self) -> list[Turn]:
        """Return the one network, and its error over all pixels."""
        return [regression(self.settings["training"]["loss"])]

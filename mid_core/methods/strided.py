"""What trainings on sub-images of a grid share: crops that can be cut into them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mid_core.methods.pixel_shuffle import check_patch_size
from mid_core.methods.stage import Stage
from mid_core.patches import PatchSampler, Pool


@dataclass(frozen=True)
class Strided(Stage):
    """A training on the sub-images of crops.

    Attributes
    ----------
    stride
        Of the sub-images; ``training.patch_size`` is a multiple of it.
    """

    stride: int = 5

    @property
    def divisor(self) -> int:
        """What the side of crops is a multiple of, in pixels."""
        return self.stride

    def batches(
        self,
        pools: Mapping[str, Pool],
        batch_size: int,
        patch_size: int,
        seed: Sequence[int],
    ) -> PatchSampler:
        """Return what the training is shown; see ``Stage``.

        Raises
        ------
        MidError
            If crops cannot be cut into sub-images.
        """
        check_patch_size(patch_size, self.divisor)
        return super().batches(pools, batch_size, patch_size, seed)

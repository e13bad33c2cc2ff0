"""Lessons for a small network: real noisy crops, and what a teacher makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mid_core.drawing import Drawing, Images
from mid_core.errors import MidError
from mid_core.masking import quick_bernoulli
from mid_core.pixelwise import unit
from mid_core.sampling import Masking


@dataclass(frozen=True)
class Lessons(Drawing):
    """Noisy crops, and for each of them one of a teacher's predictions.

    Several predictions of an image are kept apart, and one is drawn for each crop:
    their mean would be smoother than any, and teach less (AT-BSN, CVPR 2024).

    Attributes
    ----------
    noisy
        Real noisy images.
    targets
        As many predictions of each of them, those of an image side by side.
    recharge
        Share of a target's pixels that are put back to the noisy ones.
    """

    noisy: Images
    targets: Images
    batch: int
    patch: int
    masking: Masking
    recharge: float
    seed: Sequence[int]

    POOLS: ClassVar = {"noisy": "noisy images", "targets": "targets"}

    def __post_init__(self) -> None:
        each = self.each
        wanted = [size for size in self.noisy.sizes for _ in range(each)]
        if not each or wanted != list(self.targets.sizes):
            raise MidError(
                "the targets are not those of these noisy images, in number or size: "
                "delete their seal, then run the workflow again, which makes them anew"
            )
        self._check_sizes(self.noisy)

    @property
    def each(self) -> int:
        """Predictions of each image."""
        return len(self.targets.names) // len(self.noisy.names)

    @property
    def channels(self) -> int:
        """Colours of the images."""
        return self.noisy.channels

    def _fill(self, x: np.ndarray, masked: np.ndarray, rng: np.random.Generator):
        place, y = self._place(self.noisy, rng), np.empty_like(x)
        unit(self._cut(self.noisy, place), y)
        target = self.each * place.index + int(self.each * rng.random())
        unit(self._cut(self.targets, place._replace(index=target)), x)
        kept = quick_bernoulli((*x.shape[:2], 1), self.recharge, rng)
        np.copyto(x, y, where=kept == 0)
        self._hide(y, masked, rng)

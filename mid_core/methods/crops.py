"""What compared methods are shown: crops of noisy images, alone or with their truths."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from mid_core.errors import MidError
from mid_core.images.pixelwise import unit
from mid_core.masking import Masking
from mid_core.patches import ALL, PatchSampler, Pool

ALL_KEPT = Masking(0.0)


@dataclass(frozen=True)
class Ramp:
    """A factor of a loss that changes on the way of a training, in a straight line.

    Attributes
    ----------
    first, last
        Its value up to the step ``begins``, and from the step ``ends`` on.
    begins, ends
        Steps, from 0.

    Examples
    --------
    >>> [Ramp(2, 20, begins=40, ends=100).at(step) for step in (0, 40, 70, 100)]
    [2.0, 2.0, 11.0, 20.0]
    """

    first: float
    last: float
    begins: float
    ends: float

    def at(self, step: int) -> float:
        """Return the value in a step."""
        span = self.begins, max(self.begins, self.ends)
        return float(np.interp(step, span, (self.first, self.last)))


@dataclass(frozen=True)
class NoisyCrops(PatchSampler):
    """Crops of noisy images, as input and as target; nothing is hidden.

    Attributes
    ----------
    ramp
        Its value in the step ends each batch, (N, 1, 1, 1); None: there is none.

    Examples
    --------
    >>> from mid_core.patches import InMemory
    >>> noisy = InMemory([("y", np.full((33, 47, 3), 51, np.uint8))])
    >>> y, target = NoisyCrops(noisy, batch_size=2, patch_size=16, seed=[0]).draw(0)
    >>> tuple(y.shape), bool((y == target).all()), round(float(y.max()), 3)
    ((2, 3, 16, 16), True, 0.2)
    """

    noisy: Pool
    batch_size: int
    patch_size: int
    seed: Sequence[int]
    masking: Masking = ALL_KEPT
    ramp: Ramp | None = None

    POOLS: ClassVar = {"noisy": "noisy images"}

    def __post_init__(self) -> None:
        self._check_sizes(self.noisy)

    @property
    def channels(self) -> int:
        """Colours of the images."""
        return self.noisy.channels

    def draw(self, step: int, crops: slice = ALL) -> tuple[Tensor, ...]:
        """Return a batch; see ``PatchSampler``."""
        batch = super().draw(step, crops)
        if self.ramp is None:
            return batch
        return *batch, torch.full((len(batch[0]), 1, 1, 1), self.ramp.at(step))

    def _fill(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> None:
        unit(self._cut(self.noisy, self._place(self.noisy, rng)), y)
        x[...] = y


@dataclass(frozen=True)
class NumberedCrops(NoisyCrops):
    """Noisy crops, as input and as target, and a number below ``count`` for each pixel.

    The numbers are (N, 1, H, W), uint8.
    """

    count: int = 1

    MASK_DTYPE: ClassVar[type] = np.uint8

    def _kept(
        self, shape: tuple[int, int, int], rng: np.random.Generator
    ) -> np.ndarray:
        return rng.integers(0, self.count, shape, np.uint8)

    def _shown(self, y: Tensor, x: Tensor, kept: Tensor) -> tuple[Tensor, ...]:
        return y, x, kept


@dataclass(frozen=True)
class PairedCrops(PatchSampler):
    """Crops of noisy images, and the same crops of their truths.

    Examples
    --------
    >>> from mid_core.patches import InMemory
    >>> noisy = InMemory([("y", np.full((33, 47, 3), 51, np.uint8))])
    >>> truth = InMemory([("x", np.full((33, 47, 3), 255, np.uint8))])
    >>> crops = PairedCrops(noisy, truth, batch_size=2, patch_size=16, seed=[0])
    >>> y, x = crops.draw(0)
    >>> round(float(y.max()), 3), float(x.min())
    (0.2, 1.0)
    """

    noisy: Pool
    truth: Pool
    batch_size: int
    patch_size: int
    seed: Sequence[int]
    masking: Masking = ALL_KEPT

    POOLS: ClassVar = {"noisy": "noisy images", "truth": "truths"}

    def __post_init__(self) -> None:
        if list(self.noisy.sizes) != list(self.truth.sizes):
            raise MidError(
                "the truths are not those of these noisy images, in number or size: "
                "correct the pool under `pairs`"
            )
        self._check_sizes(self.noisy)

    @property
    def channels(self) -> int:
        """Colours of the images."""
        return self.noisy.channels

    def _fill(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> None:
        place = self._place(self.noisy, rng)
        unit(self._cut(self.noisy, place), y)
        unit(self._cut(self.truth, place), x)

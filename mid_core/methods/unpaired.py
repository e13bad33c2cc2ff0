"""What methods without pairs are shown: noisy crops, and clean ones of other scenes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from mid_core.errors import MidError
from mid_core.images.pixelwise import unit
from mid_core.masking import Masking
from mid_core.methods.crops import ALL_KEPT
from mid_core.patches import PatchSampler, Pool

SEEDS = 2**62


@dataclass(frozen=True)
class UnpairedCrops(PatchSampler):
    """Noisy crops, clean crops that have nothing to do with them, and a seed for each.

    A batch is y and x, (N, C, H, W) each in [0, 1], and integers (N, 1, 1, 1). From
    these a loss draws its noise, so that a training resumes exactly.

    Attributes
    ----------
    clean, noisy
        The two pools; without ``noisy`` y is x.

    Examples
    --------
    >>> from mid_core.patches import InMemory
    >>> clean = InMemory([("x", np.full((33, 47, 3), 255, np.uint8))])
    >>> noisy = InMemory([("y", np.full((20, 21, 3), 51, np.uint8))])
    >>> y, x, seeds = UnpairedCrops(clean, noisy, 2, 16, seed=[0]).draw(0)
    >>> round(float(y.max()), 3), float(x.min()), tuple(seeds.shape)
    (0.2, 1.0, (2, 1, 1, 1))
    """

    clean: Pool
    noisy: Pool | None
    batch_size: int
    patch_size: int
    seed: Sequence[int]
    masking: Masking = ALL_KEPT

    POOLS: ClassVar = {"clean": "clean images", "noisy": "noisy images"}
    MASK_DTYPE: ClassVar[type] = np.int64

    def __post_init__(self) -> None:
        if self.noisy and self.noisy.channels != self.clean.channels:
            raise MidError(
                f"the noisy images have {self.noisy.channels} colour(s) but the clean "
                f"ones {self.clean.channels}: use clean images of the same kind"
            )
        self._check_sizes(*self._pools().values())

    @property
    def channels(self) -> int:
        """Colours of the images."""
        return self.clean.channels

    def _fill(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> None:
        unit(self._cut(self.clean, self._place(self.clean, rng)), x)
        if self.noisy:
            unit(self._cut(self.noisy, self._place(self.noisy, rng)), y)
        else:
            y[...] = x

    def _kept(
        self, shape: tuple[int, int, int], rng: np.random.Generator
    ) -> np.ndarray:
        return np.full(shape, rng.integers(SEEDS))

    def _shown(self, y: Tensor, x: Tensor, kept: Tensor) -> tuple[Tensor, ...]:
        return y, x, kept[:, :1, :1]


class Draws:
    """Random numbers for the images of a batch, each from its own seed.

    Parameters
    ----------
    seeds
        A number for each of N images; two draws go on from each other.
    device
        Where the numbers are made; another kind of device draws other numbers.

    Examples
    --------
    >>> both = Draws(torch.tensor([5, 7]), torch.device("cpu")).normal(2, 3)
    >>> alone = Draws(torch.tensor([7]), torch.device("cpu")).normal(2, 3)
    >>> tuple(both.shape), torch.equal(both[1], alone[0])
    ((2, 2, 3), True)
    """

    def __init__(self, seeds: Tensor, device: torch.device) -> None:
        self._device = device
        self._generators = [
            torch.Generator(device).manual_seed(seed)
            for seed in seeds.flatten().tolist()
        ]

    def normal(self, *shape: int) -> Tensor:
        """Return (N, *shape) of mean 0 and variance 1."""
        return self._stack(torch.randn, shape)

    def uniform(self, *shape: int) -> Tensor:
        """Return (N, *shape), uniform in [0, 1)."""
        return self._stack(torch.rand, shape)

    def _stack(self, draw, shape: tuple[int, ...]) -> Tensor:  # type: ignore[no-untyped-def]
        own = {"device": self._device}
        return torch.stack([draw(*shape, generator=g, **own) for g in self._generators])

"""Random crops of pools of images, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from mid_core.devices import sender
from mid_core.errors import MidError
from mid_core.masking import draw_ratio, quick_bernoulli
from mid_core.parallel import ahead

if TYPE_CHECKING:
    from mid_core.sampling import Masking

# Threads at least: pools that are read from disk keep more of them busy.
AHEAD = 3
EVERY = slice(None)
CPU = torch.device("cpu")


class Images(Protocol):
    """A pool of images or noise fields, in memory or in a store."""

    names: list[str]
    sizes: list[tuple[int, int]]
    channels: int
    on_disk: bool

    def crop(self, index: int, top: int, left: int, size: int) -> np.ndarray:
        """Return a (size, size, C) window, integers or floats as stored."""
        ...


class Crop(NamedTuple):
    """Where a crop was taken: of a pool, in pixels; and whether it is all numbers."""

    pool: str
    image: str
    top: int
    left: int
    finite: bool

    def __str__(self) -> str:
        return (
            f"'{self.image}' of the {self.pool} at row {self.top}, column {self.left}"
        )


class Watched:
    """A pool that notes in ``crops`` what is taken from it."""

    def __init__(self, pool: Images, title: str, crops: list[Crop]) -> None:
        self._pool, self._title, self._crops = pool, title, crops
        self.names, self.sizes, self.channels = pool.names, pool.sizes, pool.channels
        self.on_disk = pool.on_disk

    def crop(self, index: int, top: int, left: int, size: int) -> np.ndarray:
        """Return the pool's window."""
        window = self._pool.crop(index, top, left, size)
        finite = bool(np.isfinite(window).all())
        crop = Crop(self._title, self.names[index], int(top), int(left), finite)
        self._crops.append(crop)
        return window


class Place(NamedTuple):
    """A window of an image of a pool, and how it is turned."""

    index: int
    top: int
    left: int
    mirrored: bool
    turns: int


def turned(window: np.ndarray, turns: int) -> np.ndarray:
    """Return a view of an (H, W, C) window by so many quarter turns (``np.rot90``).

    NumPy's own takes as long as all else that is done to a small crop.
    """
    if turns == 2:
        return window[::-1, ::-1]
    if turns == 1:
        return window[:, ::-1].swapaxes(0, 1)
    return window.swapaxes(0, 1)[:, ::-1] if turns else window


class Drawing:
    """Batches of crops; crop ``i`` of batch ``t`` depends on ``seed``, t and i alone.

    Nothing is remembered from crop to crop, so a training resumes anywhere, and each
    of several processes draws its own share of a batch. What a crop is made of, a
    subclass says in ``_fill``.

    Attributes
    ----------
    batch, patch
        Crops a batch, and their side in pixels.
    masking
        What is hidden.
    seed
        Entropy.
    channels
        Colours of a crop.
    POOLS
        The attributes that are pools, and what messages call them.
    """

    batch: int
    patch: int
    masking: Masking
    seed: Sequence[int]
    channels: int
    POOLS: ClassVar[dict[str, str]]

    def _check_sizes(self, *pools: Images) -> None:
        for pool in pools:
            for name, (height, width) in zip(pool.names, pool.sizes, strict=True):
                if min(height, width) < self.patch:
                    raise MidError(
                        f"'{name}' is {width}x{height} pixels, smaller than the "
                        f"training patch of {self.patch}: lower training.patch, or "
                        "leave the image out"
                    )

    def _place(self, pool: Images, rng: np.random.Generator) -> Place:
        """Choose a random window of a random image, flipped and turned at random."""
        image, row, column, mirrored, turns = rng.random(5)
        index = int(image * len(pool.names))
        height, width = pool.sizes[index]
        top = int(row * (height - self.patch + 1))
        left = int(column * (width - self.patch + 1))
        return Place(index, top, left, mirrored < 0.5, int(4 * turns))

    def _cut(self, pool: Images, place: Place) -> np.ndarray:
        """Take a window out of a pool."""
        window = pool.crop(place.index, place.top, place.left, self.patch)
        return turned(window[:, ::-1] if place.mirrored else window, place.turns)

    def _fill(self, x: np.ndarray, masked: np.ndarray, rng: np.random.Generator):
        """Draw a crop's target and input into (H, W, C) arrays."""
        raise NotImplementedError

    def _hide(self, y: np.ndarray, masked: np.ndarray, rng: np.random.Generator):
        """Draw a mask, and apply it."""
        ratio = draw_ratio(self.masking.ratio, rng)
        shape = (*y.shape[:2], self.masking.channels(self.channels))
        self.masking.apply(y, quick_bernoulli(shape, ratio, rng), out=masked)

    def draw(self, step: int, crops: slice = EVERY) -> tuple[Tensor, Tensor]:
        """Return batch ``step``, or a share: the masked noisy input and its target.

        Parameters
        ----------
        step
            Which batch, from 0.
        crops
            Which of its crops; shares that are put together are the whole batch.

        Returns
        -------
        Both float32, (N, C, H, W) in channels-last memory; the target in [0, 1]
        (Eq. 2 and 3 of the paper).
        """
        drawn, colours = range(self.batch)[crops], self.channels
        x = np.empty((len(drawn), self.patch, self.patch, colours), np.float32)
        channels = colours + self.masking.extra_channels(colours)
        masked = np.empty((*x.shape[:3], channels), np.float32)
        for i, crop in enumerate(drawn):
            seeds = np.random.SeedSequence([*self.seed, step, crop])
            self._fill(x[i], masked[i], np.random.Generator(np.random.SFC64(seeds)))
        return (
            torch.from_numpy(masked).permute(0, 3, 1, 2),
            torch.from_numpy(x).permute(0, 3, 1, 2),
        )

    def stream(
        self,
        first: int,
        last: int,
        crops: slice = EVERY,
        device: torch.device = CPU,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield what `draw` returns for batches ``first`` to ``last - 1``.

        For a CUDA device it is sent there. It is made ahead in threads, but where a CPU
        computes and all pools are in memory: drawing is a small part of such a step,
        and a thread would take one of its cores.
        """
        send, steps = sender(device), range(first, last)

        def make(step: int) -> tuple[Tensor, Tensor]:
            masked, x = self.draw(step, crops)
            return send(masked), send(x)

        if device.type == "cpu" and not self._on_disk():
            return map(make, steps)
        return ahead(make, steps, max(AHEAD, torch.get_num_threads()))

    def _on_disk(self) -> bool:
        return any(getattr(self, name).on_disk for name in self.POOLS)

    def origins(self, step: int) -> list[Crop]:
        """Say what batch ``step`` is made of: drawn again, it is the same."""
        crops: list[Crop] = []
        pools = {
            name: Watched(getattr(self, name), title, crops)
            for name, title in self.POOLS.items()
        }
        replace(self, **pools).draw(step)
        return crops

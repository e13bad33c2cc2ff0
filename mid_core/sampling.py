"""Batches of clean crops, noise crops and masks, made fast and reproducibly."""

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from mid_core.errors import MidError
from mid_core.masking import Ratio, bernoulli, draw_ratio
from mid_core.store import Store

AHEAD = 3
log = logging.getLogger("mid")


class Images(Protocol):
    """A pool of images or noise fields, in memory or in a store."""

    names: list[str]
    sizes: list[tuple[int, int]]
    channels: int

    def crop(self, index: int, top: int, left: int, size: int) -> np.ndarray:
        """Return a (size, size, C) window, integers or floats as stored."""
        ...


class InMemory:
    """A pool of images held in memory, for random crops at the speed of memory."""

    def __init__(self, named: Iterable[tuple[str, np.ndarray]]) -> None:
        self.names, self._images = map(list, zip(*named, strict=True))
        self.sizes = [image.shape[:2] for image in self._images]
        self.channels = self._images[0].shape[2]

    def crop(self, index: int, top: int, left: int, size: int) -> np.ndarray:
        """Return a (size, size, C) view of image ``index``."""
        return self._images[index][top : top + size, left : left + size]


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

    def crop(self, index: int, top: int, left: int, size: int) -> np.ndarray:
        """Return the pool's window."""
        window = self._pool.crop(index, top, left, size)
        finite = bool(np.isfinite(window).all())
        crop = Crop(self._title, self.names[index], int(top), int(left), finite)
        self._crops.append(crop)
        return window


def hold(store: Store, memory_gb: float) -> Images:
    """Return the images in memory if they fit, else the store, read crop by crop."""
    if store.nbytes > memory_gb * 2**30:
        log.info("%.1f GB: read from the store", store.nbytes / 2**30)
        return store
    return InMemory(store)


@dataclass(frozen=True)
class Masking:
    """How inputs are masked.

    Attributes
    ----------
    ratio
        Share of hidden pixels, or [low, high]: drawn anew for each image.
    per
        ``"pixel"``: one draw shared by the colours; ``"colour"``: a draw each.
    fill
        Value of hidden pixels.
    as_input
        Whether the network also sees the mask, as further channels.
    """

    ratio: Ratio
    per: str = "pixel"
    fill: float = 0.0
    as_input: bool = False

    def channels(self, colours: int) -> int:
        """Channels of the mask itself."""
        return 1 if self.per == "pixel" else colours

    def extra_channels(self, colours: int) -> int:
        """Input channels that the mask adds."""
        return self.channels(colours) if self.as_input else 0

    def apply(self, y: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Hide pixels of ``y`` (..., H, W, C): the network's input M*y."""
        hidden = mask * y if self.fill == 0 else mask * y + (1 - mask) * self.fill
        return np.concatenate([hidden, mask], axis=-1) if self.as_input else hidden


@dataclass(frozen=True)
class Batches:
    """Training batches; batch ``t`` depends on ``seed`` and ``t`` alone.

    Nothing is remembered from batch to batch, so a training resumes anywhere.

    Attributes
    ----------
    clean, noise
        The pools X and N_k. Positions of the two crops are independent.
    batch, patch
        Crops a batch, and their side in pixels.
    masking
        What is hidden.
    clip
        Whether x + n is clipped to [0, 1], as a camera's image is.
    seed
        Entropy.
    """

    clean: Images
    noise: Images
    batch: int
    patch: int
    masking: Masking
    clip: bool
    seed: Sequence[int]

    def __post_init__(self) -> None:
        if self.noise.channels < self.clean.channels:
            raise MidError(
                f"the noise has {self.noise.channels} colour but the clean images have "
                f"{self.clean.channels}: use noisy images of the same kind"
            )
        for pool in (self.clean, self.noise):
            for name, (height, width) in zip(pool.names, pool.sizes, strict=True):
                if min(height, width) < self.patch:
                    raise MidError(
                        f"'{name}' is {width}x{height} pixels, smaller than the "
                        f"training patch of {self.patch}: lower training.patch, or "
                        "leave the image out"
                    )

    def _crop(self, pool: Images, rng: np.random.Generator) -> np.ndarray:
        """Take a random window of a random image, flipped and turned at random."""
        index = rng.integers(len(pool.names))
        height, width = pool.sizes[index]
        top = rng.integers(height - self.patch + 1)
        left = rng.integers(width - self.patch + 1)
        window = pool.crop(index, top, left, self.patch)
        if rng.integers(2):
            window = window[:, ::-1]
        return np.rot90(window, rng.integers(4))

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Return batch ``step``: the masked noisy input and its clean target.

        Returns
        -------
        Both float32, (N, C, H, W) in channels-last memory; the target in [0, 1]
        (Eq. 2 and 3 of the paper).
        """
        rng = np.random.default_rng([*self.seed, step])
        colours = self.clean.channels
        x = np.empty((self.batch, self.patch, self.patch, colours), np.float32)
        y = np.empty_like(x)
        mask = np.empty((*x.shape[:3], self.masking.channels(colours)), np.float32)
        for i in range(self.batch):
            window = self._crop(self.clean, rng)
            x[i] = window
            if window.dtype.kind == "u":
                x[i] *= np.float32(1 / np.iinfo(window.dtype).max)
            # White noise has three colours; a grey pool takes the first.
            y[i] = self._crop(self.noise, rng)[..., :colours]
            ratio = draw_ratio(self.masking.ratio, rng)
            mask[i] = bernoulli(mask.shape[1:], ratio, rng)
        y += x
        if self.clip:
            np.clip(y, 0, 1, out=y)
        masked = self.masking.apply(y, mask)
        return (
            torch.from_numpy(masked).permute(0, 3, 1, 2),
            torch.from_numpy(x).permute(0, 3, 1, 2),
        )

    def origins(self, step: int) -> list[Crop]:
        """Say what batch ``step`` is made of: drawn again, it is the same."""
        crops: list[Crop] = []
        clean = Watched(self.clean, "clean images", crops)
        noise = Watched(self.noise, "noise", crops)
        replace(self, clean=clean, noise=noise).draw(step)
        return crops

    def stream(self, first: int, last: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches ``first`` to ``last - 1``, made ahead in a thread."""
        with ThreadPoolExecutor(1) as thread:
            ahead = deque(
                thread.submit(self.draw, step)
                for step in range(first, min(first + AHEAD, last))
            )
            for step in range(first, last):
                batch = ahead.popleft().result()
                if step + AHEAD < last:
                    ahead.append(thread.submit(self.draw, step + AHEAD))
                yield batch

"""Random crops of pools of images, in batches, reproducible and resumable anywhere."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from mid_core.errors import MidError
from mid_core.masking import Masking, draw_mask_ratio, quick_bernoulli
from mid_core.runtime.devices import sender
from mid_core.runtime.parallel import ahead

# Threads at least: pools that are read from disk keep more of them busy.
AHEAD = 3
ALL = slice(None)
CPU = torch.device("cpu")
log = logging.getLogger("mid")


class Pool(Protocol):
    """A pool of images or noise fields, in memory or in a store."""

    names: list[str]
    sizes: list[tuple[int, int]]
    channels: int
    on_disk: bool

    def crop(self, index: int, top: int, left: int, size: int) -> np.ndarray:
        """Return a (size, size, C) window, integers or floats as stored."""
        ...


class StoredPool(Pool, Protocol):
    """A pool on disk: all of its images may be read, by name."""

    path: object
    nbytes: int

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the name and (H, W, C) of each image."""
        ...


class InMemory:
    """A pool of images held in memory, for random crops at the speed of memory.

    Examples
    --------
    >>> pool = InMemory([("a.png", np.zeros((33, 47, 3), np.uint8))])
    >>> pool.sizes, pool.crop(0, top=1, left=20, size=16).shape
    ([(33, 47)], (16, 16, 3))
    """

    on_disk = False

    def __init__(self, named: Iterable[tuple[str, np.ndarray]]) -> None:
        names, images = zip(*named, strict=True)
        self.names: list[str] = list(names)
        self._images: list[np.ndarray] = list(images)
        self.sizes = [image.shape[:2] for image in self._images]
        self.channels = self._images[0].shape[2]

    def crop(self, index: int, top: int, left: int, size: int) -> np.ndarray:
        """Return a (size, size, C) view of image ``index``."""
        return self._images[index][top : top + size, left : left + size]


def hold(store: StoredPool, memory_gb: float) -> Pool:
    """Return the images in memory if they fit, else the store, read crop by crop."""
    fits = store.nbytes <= memory_gb * 2**30
    how = "held in memory" if fits else "read crop by crop"
    log.info("%s: %.2f GB, %s", store.path, store.nbytes / 2**30, how)
    return InMemory(store) if fits else store


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


class WatchedPool:
    """A pool that notes in ``crops`` what is taken from it."""

    def __init__(self, pool: Pool, title: str, crops: list[Crop]) -> None:
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

    image: int
    top: int
    left: int
    mirrored: bool
    turns: int


def turned(window: np.ndarray, turns: int) -> np.ndarray:
    """Return a view of an (H, W, C) window by so many quarter turns (``np.rot90``).

    NumPy's own takes as long as all else that is done to a small crop.

    Examples
    --------
    >>> turned(np.array([[[1], [2]]]), 1).tolist()
    [[[2]], [[1]]]
    """
    if turns == 2:
        return window[::-1, ::-1]
    if turns == 1:
        return window[:, ::-1].swapaxes(0, 1)
    return window.swapaxes(0, 1)[:, ::-1] if turns else window


class PatchSampler(ABC):
    """Batches of crops; crop ``i`` of batch ``t`` depends on ``seed``, t and i alone.

    Nothing is remembered from crop to crop, so a training resumes anywhere, and each
    of several processes draws its own shard of a batch. What a crop is made of, a
    subclass says in ``_fill``.

    Attributes
    ----------
    batch_size, patch_size
        Crops a batch, and their side in pixels.
    masking
        What is hidden.
    seed
        Entropy.
    POOLS
        The attributes that are pools, and what messages call them.
    MASK_DTYPE
        Of what ``_kept`` draws.
    """

    batch_size: int
    patch_size: int
    masking: Masking
    seed: Sequence[int]
    POOLS: ClassVar[dict[str, str]]
    MASK_DTYPE: ClassVar[type] = bool

    @property
    @abstractmethod
    def channels(self) -> int:
        """Colours of a crop."""

    @abstractmethod
    def _fill(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> None:
        """Draw a crop's target ``x`` and its noisy input ``y``, (H, W, C) each."""

    def _check_sizes(self, *pools: Pool) -> None:
        for pool in pools:
            for name, (height, width) in zip(pool.names, pool.sizes, strict=True):
                if min(height, width) < self.patch_size:
                    raise MidError(
                        f"'{name}' is {width}x{height} pixels, smaller than the "
                        f"training patch of {self.patch_size}: lower "
                        "training.patch_size, or leave the image out"
                    )

    def _place(self, pool: Pool, rng: np.random.Generator) -> Place:
        """Choose a random window of a random image, flipped and turned at random."""
        image, row, column, mirrored, turns = rng.random(5)
        index = int(image * len(pool.names))
        height, width = pool.sizes[index]
        top = int(row * (height - self.patch_size + 1))
        left = int(column * (width - self.patch_size + 1))
        return Place(index, top, left, mirrored < 0.5, int(4 * turns))

    def _cut(self, pool: Pool, place: Place) -> np.ndarray:
        """Take a window out of a pool."""
        window = pool.crop(place.image, place.top, place.left, self.patch_size)
        return turned(window[:, ::-1] if place.mirrored else window, place.turns)

    def _kept(
        self, shape: tuple[int, int, int], rng: np.random.Generator
    ) -> np.ndarray:
        """Draw a crop's mask, (H, W, 1 or C): booleans, true = kept."""
        return quick_bernoulli(
            shape, draw_mask_ratio(self.masking.mask_ratio, rng), rng
        )

    def _shown(self, y: Tensor, x: Tensor, kept: Tensor) -> tuple[Tensor, ...]:
        """Put a batch together, (N, H, W, C) each: the input and its target first."""
        return self.masking.apply(y, kept), x

    def draw(self, step: int, crops: slice = ALL) -> tuple[Tensor, ...]:
        """Return batch ``step``, or a shard: the masked noisy input and its target.

        Parameters
        ----------
        step
            Which batch, from 0.
        crops
            Which of its crops; shards that are put together are the whole batch.

        Returns
        -------
        M*y and x, both float32, (N, C, H, W) in channels-last memory; the target in
        [0, 1] (Eq. 2 and 3 of the paper). Some samplers add what their loss looks at.
        """
        drawn, side = range(self.batch_size)[crops], self.patch_size
        shape = (len(drawn), side, side)
        x, y = (np.empty((*shape, self.channels), np.float32) for _ in range(2))
        own = self.masking.channels(self.channels)
        masks: np.ndarray = np.empty((*shape, own), self.MASK_DTYPE)
        for i, crop in enumerate(drawn):
            seeds = np.random.SeedSequence([*self.seed, step, crop])
            rng = np.random.Generator(np.random.SFC64(seeds))
            self._fill(x[i], y[i], rng)
            masks[i] = self._kept(masks.shape[1:], rng)
        batch = self._shown(*map(torch.from_numpy, (y, x, masks)))
        return tuple(tensor.permute(0, 3, 1, 2) for tensor in batch)

    def stream(
        self,
        first: int,
        last: int,
        crops: slice = ALL,
        device: torch.device = CPU,
    ) -> Iterator[tuple[Tensor, ...]]:
        """Yield what ``draw`` returns for batches ``first`` to ``last - 1``.

        For a CUDA device it is sent there. It is made ahead in threads, but where a CPU
        computes and all pools are in memory: drawing is a small part of such a step,
        and a thread would take one of its cores.
        """
        send, steps = sender(device), range(first, last)

        def make(step: int) -> tuple[Tensor, ...]:
            return tuple(map(send, self.draw(step, crops)))

        if device.type == "cpu" and not self._on_disk():
            return map(make, steps)
        return ahead(make, steps, max(AHEAD, torch.get_num_threads()))

    def _pools(self) -> dict[str, Pool]:
        """The pools by name, without one that this sampler does without."""
        pools = {name: getattr(self, name) for name in self.POOLS}
        return {name: pool for name, pool in pools.items() if pool is not None}

    def _on_disk(self) -> bool:
        return any(pool.on_disk for pool in self._pools().values())

    def origins(self, step: int) -> list[Crop]:
        """Tell of what batch ``step`` is made, by drawing it again."""
        crops: list[Crop] = []
        pools = {
            name: WatchedPool(pool, self.POOLS[name], crops)
            for name, pool in self._pools().items()
        }
        # Every sampler is a dataclass.
        replace(self, **pools).draw(step)  # type: ignore[type-var]
        return crops

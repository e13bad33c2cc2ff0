"""Batches of clean crops, noise crops and masks, made fast and reproducibly."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mid_core.drawing import Drawing, Images
from mid_core.errors import MidError
from mid_core.masking import Ratio
from mid_core.pixelwise import add_noise, hide
from mid_core.store import Store

log = logging.getLogger("mid")


class InMemory:
    """A pool of images held in memory, for random crops at the speed of memory."""

    on_disk = False

    def __init__(self, named: Iterable[tuple[str, np.ndarray]]) -> None:
        self.names, self._images = map(list, zip(*named, strict=True))
        self.sizes = [image.shape[:2] for image in self._images]
        self.channels = self._images[0].shape[2]

    def crop(self, index: int, top: int, left: int, size: int) -> np.ndarray:
        """Return a (size, size, C) view of image ``index``."""
        return self._images[index][top : top + size, left : left + size]


def hold(store: Store, memory_gb: float) -> Images:
    """Return the images in memory if they fit, else the store, read crop by crop."""
    fits = store.nbytes <= memory_gb * 2**30
    how = "held in memory" if fits else "read crop by crop"
    log.info("%s: %.2f GB, %s", store.path, store.nbytes / 2**30, how)
    return InMemory(store) if fits else store


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

    def apply(
        self, y: np.ndarray, mask: np.ndarray, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Hide pixels of ``y`` (H, W, C): the network's input M*y, in ``out``."""
        colours = y.shape[-1]
        if out is None:
            channels = colours + self.extra_channels(colours)
            out = np.empty((*y.shape[:2], channels), np.float32)
        hide(y, mask, self.fill, out)
        if self.as_input:
            out[..., colours:] = mask
        return out


@dataclass(frozen=True)
class Batches(Drawing):
    """Clean crops with noise on them, masked, and the clean crops.

    Attributes
    ----------
    clean, noise
        The pools X and N_k. Positions of the two crops are independent.
    clip
        Whether x + n is clipped to [0, 1], as a camera's image is.
    """

    clean: Images
    noise: Images
    batch: int
    patch: int
    masking: Masking
    clip: bool
    seed: Sequence[int]

    POOLS: ClassVar = {"clean": "clean images", "noise": "noise"}

    def __post_init__(self) -> None:
        if self.noise.channels < self.clean.channels:
            raise MidError(
                f"the noise has {self.noise.channels} colour but the clean images have "
                f"{self.clean.channels}: use noisy images of the same kind"
            )
        self._check_sizes(self.clean, self.noise)

    @property
    def channels(self) -> int:
        """Colours of the clean images."""
        return self.clean.channels

    def _fill(self, x: np.ndarray, masked: np.ndarray, rng: np.random.Generator):
        clean = self._cut(self.clean, self._place(self.clean, rng))
        # White noise has three colours; a grey pool takes the first.
        noise = self._cut(self.noise, self._place(self.noise, rng))
        y = masked[..., : self.channels]
        add_noise(clean, noise, x, y)
        if self.clip:
            np.clip(y, 0, 1, out=y)
        self._hide(y, masked, rng)

"""What a training is shown: (M*(x + n), x), or a teacher's predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mid_core.errors import MidError
from mid_core.images.pixelwise import add_noise, unit
from mid_core.masking import Masking, quick_bernoulli
from mid_core.patches import PatchSampler, Pool


@dataclass(frozen=True)
class Batches(PatchSampler):
    """Clean crops with noise on them, masked, and the clean crops (paper, Eq. 2 and 3).

    The input is M*(x + n) and the target x; x from X, n from N_k, M a random mask.

    Attributes
    ----------
    clean, noise
        The pools X and N_k. Positions of the two crops are independent.
    clip
        Whether x + n is clipped to [0, 1], as a camera's image is.

    Examples
    --------
    >>> from mid_core.patches import InMemory
    >>> clean = InMemory([("x", np.full((33, 47, 3), 128, np.uint8))])
    >>> noise = InMemory([("n", np.zeros((20, 20, 3), np.float16))])
    >>> batches = Batches(clean, noise, 4, 16, Masking(0.8), False, seed=[0])
    >>> masked, x = batches.draw(step=0)
    >>> tuple(x.shape), bool(x.eq(128 / 255).all())
    ((4, 3, 16, 16), True)
    >>> 0.7 < float((masked == 0).float().mean()) < 0.9
    True
    """

    clean: Pool
    noise: Pool
    batch_size: int
    patch_size: int
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

    def _fill(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> None:
        clean = self._cut(self.clean, self._place(self.clean, rng))
        # White noise has three colours; a grey pool takes the first.
        noise = self._cut(self.noise, self._place(self.noise, rng))
        add_noise(clean, noise, x, y)
        if self.clip:
            np.clip(y, 0, 1, out=y)


@dataclass(frozen=True)
class DistillationBatches(PatchSampler):
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
    clean, clean_share
        Clean images, and the share of the crops that are theirs, with what a target
        leaves of its noisy image: the student then learns detail of more images than
        the noisy ones.
    """

    noisy: Pool
    targets: Pool
    batch_size: int
    patch_size: int
    masking: Masking
    recharge: float
    seed: Sequence[int]
    clean: Pool | None = None
    clean_share: float = 0.0

    POOLS: ClassVar = {
        "noisy": "noisy images",
        "targets": "targets",
        "clean": "clean images",
    }

    def __post_init__(self) -> None:
        each = self.each
        wanted = [size for size in self.noisy.sizes for _ in range(each)]
        if not each or wanted != list(self.targets.sizes):
            raise MidError(
                "the targets are not those of these noisy images, in number or size: "
                "delete their manifest, then run the workflow again, which makes them anew"
            )
        self._check_sizes(self.noisy, *([self.clean] if self.clean else []))
        if self.clean and self.clean.channels != self.noisy.channels:
            raise MidError(
                f"the noisy images have {self.noisy.channels} colour(s) but the clean "
                f"ones {self.clean.channels}: use clean images of the same kind"
            )

    @property
    def each(self) -> int:
        """Predictions of each image."""
        return len(self.targets.names) // len(self.noisy.names)

    @property
    def channels(self) -> int:
        """Colours of the images."""
        return self.noisy.channels

    def _fill(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> None:
        place = self._place(self.noisy, rng)
        unit(self._cut(self.noisy, place), y)
        target = self.each * place.image + int(self.each * rng.random())
        unit(self._cut(self.targets, place._replace(image=target)), x)
        if self.clean and rng.random() < self.clean_share:
            noise = y - x
            unit(self._cut(self.clean, self._place(self.clean, rng)), x)
            np.add(x, noise, out=y)
            return
        kept = quick_bernoulli((*x.shape[:2], 1), self.recharge, rng)
        np.copyto(x, y, where=~kept)

"""Warn of images whose noise is unlike what a model was trained on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mid_core.errors import MidError
from mid_core.images.picture import to_float
from mid_core.runtime.progress import log

# Sides in pixels: below, nothing is seen; a larger image is looked at in its middle.
LEAST, MOST = 32, 512
# All of the first images are looked at, then one of so many: a GPU is faster than a look.
FIRST, EVERY = 64, 16
# How far beyond the training's levels, as factors, and from its correlation.
BELOW, ABOVE, APART = 0.5, 1.5, 0.3


@dataclass(frozen=True)
class Noise:
    """Noise that a model was trained on: std ``low`` to ``high`` of 255, correlation."""

    low: float
    high: float
    lag_1: float

    def is_like(self, level: float, lag_1: float) -> bool:
        """Whether noise of this std (of 255) and correlation is near to it."""
        if not BELOW * self.low <= level <= ABOVE * self.high:
            return False
        # The correlation of what does not vary is nobody's.
        return level == 0 or abs(lag_1 - self.lag_1) <= APART


def trained_noise(card: dict, model: Path) -> Noise | None:
    """Read the noise off a model's card; None for one written before cards told it.

    Raises
    ------
    MidError
        If what the card tells are no such numbers.
    """
    if "noise_seen" not in card:
        return None
    try:
        own = card["noise_seen"]
        low, high, lag_1 = map(float, (*own["std"], own["lag_1"]))
    except (KeyError, TypeError, ValueError) as error:
        raise MidError(
            f"the card of {model} says of its noise {card['noise_seen']!r}, not std and "
            "lag_1: give the model.safetensors of a round, or train it anew"
        ) from error
    return Noise(low, high, lag_1)


def noise_of(y: np.ndarray) -> tuple[float, float]:
    """Level of an image's noise, std of 255, and correlation of neighbouring pixels.

    Parameters
    ----------
    y
        Noisy image, float32 (H, W, C) in [0, 1], of at least 32 pixels a side.

    Raises
    ------
    ModuleNotFoundError
        Where SciPy is not installed.
    """
    # What denoises alone has no SciPy, and does not wait for it.
    from mid_core.cameras import look_alone
    from mid_core.evaluation.sights import correlations

    one = look_alone(y)
    return 255 * one.mean_level, correlations(one)["lag_1"]


class Watch:
    """Compares the noise of one image after another with that of the training.

    Parameters
    ----------
    trained
        Noise of the training; None: nothing is looked at.
    """

    def __init__(self, trained: Noise | None) -> None:
        self._trained = trained
        self._given = self._looked = self._unlike = 0

    def __call__(self, name: str, samples: np.ndarray) -> None:
        """Look at the middle of an image, (H, W, C) as stored; warn of the first."""
        if self._trained is None or min(samples.shape[:2]) < LEAST:
            return
        self._given += 1
        if self._given > FIRST and self._given % EVERY:
            return
        try:
            level, lag_1 = noise_of(to_float(_middle(samples)))
        except ModuleNotFoundError as error:
            self._trained = None
            log.info(
                "whether the noise is like the training's is not looked at: that needs "
                "%s, which is not installed: pip install 'mid-denoise[workflow]'",
                error.name,
            )
            return
        self._looked += 1
        if self._trained.is_like(level, lag_1):
            return
        self._unlike += 1
        if self._unlike == 1:
            _warn(name, level, lag_1, self._trained)

    def conclude(self) -> None:
        """Say how many images were unlike, if there were others than the first."""
        if self._unlike > 1:
            log.warning(
                "%d of %d images looked at have noise unlike what this model was "
                "trained on",
                *(self._unlike, self._looked),
            )


def _middle(samples: np.ndarray) -> np.ndarray:
    """Cut the middle out of an image: of a file on disk, no more is read."""
    height, width = samples.shape[:2]
    top, left = max(0, (height - MOST) // 2), max(0, (width - MOST) // 2)
    return samples[top : top + MOST, left : left + MOST]


def _warn(name: str, level: float, lag_1: float, trained: Noise) -> None:
    log.warning(
        "%s: its noise (level %.1f of 255, lag-1 correlation %s) is unlike what this "
        "model was trained on (level %.1f to %.1f, lag 1 %s): it may take out detail or "
        "leave noise; train on such images, or blend with --strength",
        *(name, level, f"{lag_1:z.2f}"),
        *(trained.low, trained.high, f"{trained.lag_1:z.2f}"),
    )

"""What image files show of their noise: each by itself, and all of them together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mid_core.cameras import Camera, together
from mid_core.errors import MidError
from mid_core.images.files import header, read_pixels
from mid_core.images.listing import list_images
from mid_core.images.picture import to_float
from mid_core.look import BINS, Look, autocorrelation, look, smoothed

# Names of the colours, and of their pairs.
COLOURS = {1: ("grey",), 3: ("R", "G", "B")}
PAIRS = {"RG": (0, 1), "RB": (0, 2), "GB": (1, 2)}
# Shifts down and right, whose correlations are told; a lag's is the mean of two.
LAGS = {
    "lag_1": ((0, 1), (1, 0)),
    "lag_2": ((0, 2), (2, 0)),
    "lag_4": ((0, 4), (4, 0)),
    "diagonal": ((1, 1),),
}
# Of its pixels, for an image to say something of the noise at a brightness.
_SEEN = 0.01


@dataclass(frozen=True)
class Seen:
    """What one image shows.

    Attributes
    ----------
    name, size
        Of the image: its height and width in pixels.
    look
        Of its noise.
    brightness
        (C, 16), the share of its pixels by brightness.
    """

    name: str
    size: tuple[int, int]
    look: Look
    brightness: np.ndarray


@dataclass(frozen=True)
class Sight:
    """Images of the same number of colours, looked at together."""

    images: tuple[Seen, ...]
    camera: Camera

    @property
    def colours(self) -> tuple[str, ...]:
        """Names of the colours."""
        return COLOURS[len(self.images[0].look.level)]


def image_files(source: Path) -> list[Path]:
    """List an image, or the images of a folder, as ``mid denoise`` does.

    Raises
    ------
    MidError
        If a folder holds no image.
    """
    if source.is_dir():
        return [source / name for name in list_images(source)]
    return [source]


def look_at(files: Iterable[Path]) -> tuple[list[Sight], list[str]]:
    """Look at the noise of image files, the pages of a TIFF one by one.

    Returns
    -------
    The grey images and those in colour, as far as there are some; and a sentence for
    each that cannot be read or is too small.

    Raises
    ------
    MidError
        If not one could be looked at.
    """
    seen, refused = [], []
    for file in files:
        try:
            pages = header(file).pages
        except MidError as error:
            refused.append(str(error))
            continue
        for page in pages:
            name = file.name if len(pages) == 1 else f"{file.name}#{page:03d}"
            try:
                y = to_float(read_pixels(file, page))
            except MidError as error:
                refused.append(str(error))
                continue
            try:
                seen.append(Seen(name, y.shape[:2], look(y), _brightness(y)))
            except MidError as error:
                refused.append(f"{file.with_name(name)}: {error}")
    if not seen:
        raise MidError("no image could be looked at:\n" + "\n".join(refused))
    kinds = ([s for s in seen if len(s.look.level) == count] for count in COLOURS)
    return [_sight(kind) for kind in kinds if kind], refused


def _sight(images: Sequence[Seen]) -> Sight:
    return Sight(tuple(images), together([one.look for one in images]))


def _brightness(y: np.ndarray) -> np.ndarray:
    bins = np.minimum((smoothed(y) * BINS).astype(int), BINS - 1)
    counts = [
        np.bincount(own.ravel(), minlength=BINS) for own in np.moveaxis(bins, 2, 0)
    ]
    return np.array(counts) / bins[..., 0].size


def correlations(one: Look) -> dict[str, float]:
    """Return the noise's correlations by shift, mean of colours, and between colours.

    Keys: those of ``LAGS``, and of ``PAIRS`` where there are three colours. They are
    what an image shows by itself, some of it structure where little of it is flat.
    """
    values = autocorrelation(one.spectrum)
    middle = len(values) // 2
    here = values[middle, middle]
    found = {}
    for name, shifts in LAGS.items():
        there = [np.diag(values[middle + y, middle + x]) for y, x in shifts]
        found[name] = float(np.mean(there))
    if len(here) == 3:
        found |= {name: float(here[pair]) for name, pair in PAIRS.items()}
    return found


def curve(sight: Sight) -> np.ndarray:
    """Median over images of the std by brightness, (C, 16) in grey levels of 255.

    NaN where no image has pixels of that brightness.
    """
    looks = sight.camera.looks
    stds = np.array([255 * one.curve for one in looks])
    seen = np.array([one.brightness > _SEEN for one in sight.images])
    medians = np.full(stds.shape[1:], np.nan)
    for c, i in zip(*np.nonzero(seen.any(axis=0)), strict=True):
        medians[c, i] = np.median(stds[seen[:, c, i], c, i])
    return medians


def rows(sights: Iterable[Sight]) -> list[dict]:
    """Return a row for each image; levels and detail are stds in grey levels of 255."""
    return [
        {
            "image": seen.name,
            "colours": len(one.level),
            "is_white": sight.camera.is_white,
            "level": 255 * one.mean_level,
            **{f"level_{c}": 255 * float(v) for c, v in _by_colour(sight, one)},
            **correlations(seen.look),
            "clipped": one.clipped,
            "flat": one.flat,
            "detail": 255 * one.detail,
        }
        for sight in sights
        for seen, one in zip(sight.images, sight.camera.looks, strict=True)
    ]


def _by_colour(sight: Sight, one: Look) -> Iterable[tuple[str, float]]:
    return zip(sight.colours, one.level, strict=True)

"""The noise of image files in words: what each shows, and all of them together."""

import math
from collections.abc import Iterable, Mapping, Sequence
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
_NOTES = {
    "size": "pixels, smallest and largest",
    "level": "std of 255, median (range)",
    "by brightness": "level where an image is dark, between, and light",
    "clipped": "share of the values that are 0 or 1, median",
    "flat": "share of the blocks that show noise alone, median",
    "detail": "std of 255 of structure in 16x16 pixels, median: what is to lose",
}


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


def summary(sights: Sequence[Sight]) -> str:
    """Return in a few lines what images show."""
    return "\n".join(
        line for sight in sights for line in _summary(sight, rows([sight]))
    )


def in_words(sights: Sequence[Sight]) -> str:
    """Return what images show, as text: for all together, then a line for each."""
    return "\n".join(line for sight in sights for line in _lines(sight))


def _summary(sight: Sight, table: Sequence[dict]) -> list[str]:
    medians, levels = _medians(table), [row["level"] for row in table]
    told = {
        "size": _sizes(sight),
        "level": f"{medians['level']:.2f} ({min(levels):.2f} to {max(levels):.2f})",
        "by brightness": _by_brightness(sight),
        "clipped": f"{medians['clipped']:.3f}",
        "flat": f"{medians['flat']:.2f}",
        "detail": f"{medians['detail']:.2f}",
    }
    return [*_character(sight), *_told(told, _NOTES)]


def _sizes(sight: Sight) -> str:
    sizes = sorted((one.size for one in sight.images), key=math.prod)
    ends = [f"{width}x{height}" for height, width in (sizes[0], sizes[-1])]
    return " to ".join(dict.fromkeys(ends))


def _by_brightness(sight: Sight) -> str:
    """The level of the colours together, at three brightnesses that images have."""
    power = np.square(curve(sight))
    seen = np.flatnonzero(np.isfinite(power).any(axis=0))
    middles = 255 * (np.arange(BINS) + 0.5) / BINS
    chosen = dict.fromkeys(seen[[0, len(seen) // 2, -1]].tolist())
    return ", ".join(
        f"{np.sqrt(np.nanmean(power[:, i])):.1f} at {middles[i]:.0f}" for i in chosen
    )


def _lines(sight: Sight) -> list[str]:
    table = rows([sight])
    medians, told = _medians(table), {}
    for name in sight.colours if len(sight.colours) > 1 else ():
        of_colour = [row[f"level_{name}"] for row in table]
        ends = f"({min(of_colour):.2f} to {max(of_colour):.2f})"
        told[f"level {name}"] = f"{medians[f'level_{name}']:.2f} {ends}"
    near = ", ".join(f"{medians[lag]:z.2f}" for lag in ("lag_1", "lag_2", "lag_4"))
    told |= {"autocorrelation": near, "diagonal": f"{medians['diagonal']:z.2f}"}
    notes = {"autocorrelation": "lags 1, 2, 4", "diagonal": "shift (1, 1)"}
    if len(sight.colours) == 3:
        told["colour correlation"] = ", ".join(f"{medians[p]:z.2f}" for p in PAIRS)
        notes["colour correlation"] = ", ".join(PAIRS)
    more = _told(told, notes) + _curve_lines(sight) + _image_lines(table)
    return _summary(sight, table) + more


def _medians(table: Sequence[dict]) -> dict[str, float]:
    """Take the medians of the rows' numbers."""
    words = ("image", "colours", "is_white")
    return {
        key: float(np.median([row[key] for row in table]))
        for key in table[0]
        if key not in words
    }


def _told(told: Mapping[str, str], notes: Mapping[str, str]) -> list[str]:
    return [
        f"  {name:<19}  {text:<36}  {notes.get(name, '')}".rstrip()
        for name, text in told.items()
    ]


def _character(sight: Sight) -> list[str]:
    """Say whether the noise is white, and how many images alone would tell otherwise."""
    white = sight.camera.is_white
    said = (
        "the noise is white, that of neighbouring pixels independent; what is correlated "
        "below is taken for the images' structure"
        if white
        else "the noise is correlated, neighbouring pixels share some of it"
    )
    alone = [together([seen.look]).is_white for seen in sight.images]
    others = sum(one != white for one in alone)
    kind = "in colour" if len(sight.colours) == 3 else "in grey"
    lines = [f"{len(alone)} {kind}: {said}"]
    if others:
        lines.append(
            f"  but {others} of {len(alone)} would by themselves say otherwise: little "
            "of them is flat, or not all are of one camera"
        )
    return lines


def _curve_lines(sight: Sight) -> list[str]:
    lines, middles = [], 255 * (np.arange(BINS) + 0.5) / BINS
    for brightness, stds in zip(middles, curve(sight).T, strict=True):
        if not np.isnan(stds).all():
            text = ", ".join("-" if np.isnan(s) else f"{s:.2f}" for s in stds)
            lines.append(f"  std at brightness {brightness:3.0f}  {text}")
    lines[0] = f"{lines[0]:<59}  {', '.join(sight.colours)}, median"
    return lines


def _image_lines(table: Sequence[dict]) -> list[str]:
    width = max(len(row["image"]) for row in table)
    lines = [f"  {'':<{width}}  level  lag 1  clipped  flat  detail"]
    for row in table:
        lines.append(
            f"  {row['image']:<{width}}  {row['level']:5.2f}  {row['lag_1']:z5.2f}  "
            f"{row['clipped']:7.3f}  {row['flat']:4.2f}  {row['detail']:6.2f}"
        )
    return lines

"""The noise of image files in words."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from mid_core.cameras import together
from mid_core.evaluation.sights import PAIRS, Sight, curve, rows
from mid_core.look import BINS

# The middle of each bin of brightness, in grey levels of 255.
_MIDDLES = 255 * (np.arange(BINS) + 0.5) / BINS
_NOTES = {
    "size": "pixels, smallest and largest",
    "level": "std of 255, median (range)",
    "by brightness": "level where an image is dark, between, and light",
    "clipped": "share of the values that are 0 or 1, median",
    "flat": "share of the blocks that show noise alone, median",
    "detail": "std of 255 of structure in 16x16 pixels, median: what is to lose",
}


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
    chosen = dict.fromkeys(seen[[0, len(seen) // 2, -1]].tolist())
    return ", ".join(
        f"{np.sqrt(np.nanmean(power[:, i])):.1f} at {_MIDDLES[i]:.0f}" for i in chosen
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
    lines = []
    for brightness, stds in zip(_MIDDLES, curve(sight).T, strict=True):
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

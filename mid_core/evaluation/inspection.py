"""A store in words and in a picture: where it comes from, and its statistics."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import yaml

from mid_core.errors import MidError
from mid_core.evaluation.gate import SYMPTOMS
from mid_core.evaluation.noise_statistics import lag_correlation, std_by_brightness
from mid_core.store import Store

# What is said beside a statistic.
_NOTES = {
    "mean": "of 255, by colour",
    "std": "of 255, by colour",
    "autocorrelation": "lags 1, 2, 4",
    "diagonal": "shift (1, 1)",
    "colour correlation": "RG, RB, GB",
    **SYMPTOMS,
}


def noise_of(store: Store) -> Store:
    """Return the noise of a noise store.

    Raises
    ------
    MidError
        If the store holds images instead.
    """
    if store.kind != "noise":
        raise MidError(f"{store.path} holds images, not noise: give a noise.zarr")
    return store


def middle_crops(store: Store, count: int, size: int) -> list[np.ndarray]:
    """Take a square crop from the middle of images spread over a store.

    Returns
    -------
    ``count`` arrays (size, size, C), smaller where an image is.
    """
    crops = []
    for i in np.linspace(0, len(store) - 1, count).astype(int).tolist():
        height, width = store.sizes[i]
        side = min(size, height, width)
        crops.append(store.crop(i, (height - side) // 2, (width - side) // 2, side))
    return crops


def noise_patches(store: Store, count: int = 8, size: int = 64) -> list[np.ndarray]:
    """Take ``count`` patches of one size from a noise store, for a mosaic.

    Returns
    -------
    (size, size, C) each, smaller if an image is.
    """
    size = min(size, *(min(sides) for sides in store.sizes))
    return middle_crops(noise_of(store), count, size)


def mosaic(patches: Sequence[np.ndarray], columns: int = 4) -> np.ndarray:
    """Lay noise patches out around mid grey, twice as strong as they are.

    Parameters
    ----------
    patches
        (S, S, C) each, in units of [0, 1]; as many as fill whole rows.

    Returns
    -------
    float32 in [0, 1], (rows S, columns S, C).
    """
    rows = [patches[i : i + columns] for i in range(0, len(patches), columns)]
    whole = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    return np.clip(0.5 + 2 * whole.astype(np.float32), 0, 1)


def provenance(store: Store) -> str:
    """Return what made a store, as YAML."""
    left_out = ("names", "tile", "statistics")
    known = {key: v for key, v in store.attributes.items() if key not in left_out}
    known |= {"content": store.content}
    return yaml.safe_dump(known, sort_keys=False, default_flow_style=None)


def statistics_in_words(statistics: Mapping) -> dict[str, str]:
    """Return a bank's statistics as texts, by their names; see also ``gate.SYMPTOMS``.

    Parameters
    ----------
    statistics
        As ``noise_statistics.Statistics`` gathers them.
    """
    correlation = np.asarray(statistics["autocorrelation"])
    middle = len(correlation) // 2
    colours = np.asarray(statistics["colour_correlation"])
    between = colours[np.triu_indices(len(colours), 1)]
    near = [lag_correlation(statistics, lag) for lag in (1, 2, 4)]
    found = {
        "mean": _numbers(255 * np.asarray(statistics["mean"]), 2),
        "std": _numbers(255 * np.asarray(statistics["std"]), 2),
        "autocorrelation": _numbers(near, 3),
        "diagonal": _numbers([correlation[middle + 1, middle + 1]], 3),
    }
    if len(between):
        found["colour correlation"] = _numbers(between, 3)
    known = [key for key in SYMPTOMS if key in statistics]
    return found | {key: _numbers([statistics[key]], 3) for key in known}


def _numbers(values: Iterable[float], digits: int) -> str:
    # z: never -0.00.
    return ", ".join(f"{v:z.{digits}f}" for v in values)


def size_in_words(store: Store) -> str:
    """Return how many images of which sizes a store holds, and their bytes."""
    heights, widths = zip(*store.sizes, strict=True)
    smallest, largest = f"{min(widths)}x{min(heights)}", f"{max(widths)}x{max(heights)}"
    sizes = smallest if smallest == largest else f"{smallest} to {largest}"
    return f"{len(store)} of {sizes} pixels, {store.nbytes / 1e6:.1f} MB"


def describe(store: Store) -> str:
    """Return a store's content, provenance and statistics as text."""
    lines = [
        str(store.path),
        f"  {store.kind} ({store.dtype}): {size_in_words(store)}",
        "provenance",
        textwrap.indent(provenance(store).rstrip(), "  "),
    ]
    if "statistics" in store.attributes:
        statistics = store.attributes["statistics"]
        lines.append("statistics")
        for name, text in statistics_in_words(statistics).items():
            lines.append(f"  {name:<19}  {text:<22}  {_NOTES[name]}")
        for brightness, std in std_by_brightness(statistics).items():
            lines.append(f"  std at brightness {brightness:3.0f}  {std:.2f}")
    return "\n".join(lines)

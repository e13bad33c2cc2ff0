"""A store in words: where it comes from and what its statistics are."""

import numpy as np

from mid_core.errors import MidError
from mid_core.evaluation.gate import SYMPTOMS
from mid_core.store import Store


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


def patches(store: Store, count: int = 8, size: int = 64) -> list[np.ndarray]:
    """Take patches from the middle of images spread over a noise store.

    Returns
    -------
    ``count`` arrays (size, size, C), smaller if the images are.
    """
    noise = noise_of(store)
    size = min(size, *(min(sides) for sides in noise.sizes))
    chosen = np.linspace(0, len(noise) - 1, count).astype(int)
    return [
        noise.crop(
            int(i),
            (noise.sizes[i][0] - size) // 2,
            (noise.sizes[i][1] - size) // 2,
            size,
        )
        for i in chosen
    ]


def _provenance(attributes: dict, indent: str = "  ") -> list[str]:
    """Lay out what made a store, one fact a line."""
    lines = []
    for key, value in attributes.items():
        if key in ("names", "tile", "statistics"):
            continue
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *_provenance(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {value}")
    return lines


def _statistics(statistics: dict) -> list[str]:
    """Lay out the statistics, in grey levels of 255."""
    correlation = np.asarray(statistics["autocorrelation"])
    middle = correlation.shape[0] // 2
    lags = [correlation[middle, middle + lag] for lag in (1, 2, 4)]
    mean, spread = (255 * np.asarray(statistics[key]) for key in ("mean", "std"))
    colours = np.asarray(statistics["colour_correlation"])
    upper = colours[np.triu_indices(len(colours), 1)]
    lines = [
        f"  mean by colour       {' '.join(f'{v:7.2f}' for v in mean)}  of 255",
        f"  std by colour        {' '.join(f'{v:7.2f}' for v in spread)}  of 255",
        f"  autocorrelation      {' '.join(f'{v:7.3f}' for v in lags)}  lags 1, 2, 4",
        f"  diagonal (1, 1)      {correlation[middle + 1, middle + 1]:7.3f}",
    ]
    if len(upper):
        values = " ".join(f"{value:7.3f}" for value in upper)
        lines.append(f"  colour correlation   {values}  RG, RB, GB")
    lines += [
        f"  {key:<19}  {statistics[key]:7.3f}  {meaning}"
        for key, meaning in SYMPTOMS.items()
        if key in statistics
    ]
    curve = statistics["variance_by_brightness"]
    for brightness, variance in zip(
        curve["brightness"], curve["variance"], strict=True
    ):
        spread = 255 * max(variance, 0) ** 0.5
        lines.append(f"  std at brightness {255 * brightness:3.0f}  {spread:7.2f}")
    return lines


def describe(store: Store) -> str:
    """Return a store's content, provenance and statistics as text."""
    heights, widths = zip(*store.sizes, strict=True)
    sizes = f"{min(widths)}x{min(heights)} to {max(widths)}x{max(heights)} pixels"
    size = f"{sizes}, {store.nbytes / 2**20:.1f} MB"
    lines = [
        str(store.path),
        f"  content: {store.content}",
        f"  {store.kind}: {len(store)} of {store.dtype}, {size}",
    ]
    lines += ["provenance", *_provenance(store.attributes)]
    if "statistics" in store.attributes:
        lines += ["statistics", *_statistics(store.attributes["statistics"])]
    return "\n".join(lines)

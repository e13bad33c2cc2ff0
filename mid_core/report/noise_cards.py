"""A card for each noise bank: a picture, its statistics, where it comes from."""

from typing import NamedTuple

import numpy as np
import yaml

from mid_core.evaluation.inspection import patches
from mid_core.report.pictures import mosaic, webp_uri
from mid_core.store import Store


class Card(NamedTuple):
    """A noise bank in words: facts, provenance as YAML, and a picture's data URI."""

    name: str
    picture: str
    facts: dict[str, str]
    provenance: str


def noise_card(name: str, store: Store) -> Card:
    """Describe a bank.

    Parameters
    ----------
    name
        What it is called, as ``N_1``.
    store
        The bank; its attributes hold the statistics.
    """
    heights, widths = zip(*store.sizes, strict=True)
    smallest, largest = f"{min(widths)}×{min(heights)}", f"{max(widths)}×{max(heights)}"
    sizes = smallest if smallest == largest else f"{smallest} to {largest}"
    facts = {
        "size": f"{len(store)} of {sizes} px, {store.nbytes / 1e6:.1f} MB",
        "made by": f"{store.attributes['made_by']['stage']}, version "
        f"{store.attributes['made_by']['version']}",
    }
    unsaid = ("names", "tile", "statistics")
    known = {k: v for k, v in store.attributes.items() if k not in unsaid}
    known |= {"content": store.content}
    provenance = yaml.safe_dump(known, sort_keys=False, default_flow_style=None)
    picture = webp_uri(mosaic(patches(store)))
    facts |= _statistics(store.attributes["statistics"])
    return Card(name, picture, facts, provenance)


def _statistics(statistics: dict) -> dict[str, str]:
    """Say the statistics, in grey levels of 255."""
    correlation = np.asarray(statistics["autocorrelation"])
    middle = correlation.shape[0] // 2
    near = [
        (correlation[middle, middle + lag] + correlation[middle + lag, middle]) / 2
        for lag in (1, 2, 4)
    ]
    colours = np.asarray(statistics["colour_correlation"])
    between = colours[np.triu_indices(len(colours), 1)]
    facts = {
        "mean": _numbers(255 * np.asarray(statistics["mean"]), 2),
        "std": _numbers(255 * np.asarray(statistics["std"]), 2),
        "kurtosis": _numbers([statistics["kurtosis"]], 2),
        "autocorrelation": _numbers(near, 3),
        "diagonal": _numbers([correlation[middle + 1, middle + 1]], 3),
    }
    if len(between):
        facts["colours"] = _numbers(between, 2)
    if "leakage" in statistics:
        facts["explained"] = f"{100 * statistics['leakage']:.1f} %"
        facts["cut off"] = f"{100 * statistics['clipped']:.1f} %"
    return facts


def _numbers(values: np.ndarray | list[float], digits: int) -> str:
    # Adding 0 turns -0.00 into 0.00.
    return ", ".join(
        f"{round(float(value), digits) + 0:.{digits}f}" for value in values
    )

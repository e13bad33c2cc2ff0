"""A card for each noise bank: a picture, its statistics, where it comes from."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from mid_core.evaluation.inspection import (
    mosaic,
    noise_patches,
    provenance,
    size_in_words,
    statistics_in_words,
)
from mid_core.images.picture import to_dtype
from mid_core.report.pictures import webp_uri
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
    made_by = store.attributes["made_by"]
    facts = {
        "size": size_in_words(store),
        "made by": f"{made_by['stage']}, version {made_by['version']}",
        **statistics_in_words(store.attributes["statistics"]),
    }
    samples = to_dtype(mosaic(noise_patches(store)), np.uint8)
    picture = Image.fromarray(samples if samples.shape[2] == 3 else samples[..., 0])
    return Card(name, webp_uri(picture), facts, provenance(store))

"""What a job takes for ``auto``: what a look at the noisy images says, or a choice."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mid_core.cameras import from_plain
from mid_core.masking import Masking


def chosen_brightness(settings: Mapping[str, Any], inputs: Any) -> str:
    """Return the ``brightness`` of an extraction; for auto, what the look says.

    Parameters
    ----------
    settings
        Of the extraction.
    inputs
        The job's files; for auto ``inputs.look`` is among them.
    """
    brightness = str(settings.get("brightness", "predicted"))
    if brightness != "auto":
        return brightness
    camera = from_plain(json.loads(Path(inputs.look).read_text()))
    return "developed" if camera.is_developed else "predicted"


def settled(masking: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of masks with the ratio that was chosen, if theirs is auto.

    Parameters
    ----------
    masking
        As the config has it.
    made
        The card of the network in question, or what its trials chose.
    """
    if masking["mask_ratio"] != "auto":
        return dict(masking)
    return {**masking, "mask_ratio": made.get("masking", made)["mask_ratio"]}


def answering(
    settings: Mapping[str, Any], card: Mapping[str, Any]
) -> tuple[Masking, list[int]]:
    """Return how a network is asked for its answer: masks, and the sizes K that count.

    Parameters
    ----------
    settings
        ``masking`` and ``num_masks``, as the config has them.
    card
        Of the network.
    """
    masking = Masking(**settled(settings["masking"], card))
    return masking, settings["num_masks"] if masking.mask_ratio != 0 else [1]


def lowest(scores: Mapping[float, float]) -> float:
    """Return the mask ratio of the lowest score; of those near it, the smallest.

    Fewer hidden pixels make a faster answer, and short trials differ by a third.

    Examples
    --------
    >>> lowest({0: 12.0, 0.3: 10.0, 0.8: 15.0}), lowest({0: 20.0, 0.3: 10.0})
    (0, 0.3)
    """
    best = min(scores.values())
    return min(ratio for ratio, score in scores.items() if score <= 1.5 * best)

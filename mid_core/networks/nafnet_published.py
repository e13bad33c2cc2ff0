"""Published weights of NAFNet, as weights and settings of the NAFNet here.

The layout of the authors' files (Chen et al., "Simple Baselines for Image Restoration",
ECCV 2022): ``intro`` and ``ending``, blocks ``encoders.{level}.{i}``, ``middle_blks.{i}``
and ``decoders.{level}.{i}``, and between the levels ``downs.{level}`` and
``ups.{level}.0``. The names are those of ``nafnet.NAFNet``, which computes the same:
normalisation with 1e-6, padding by zeros at the bottom and right, the input added at the
end. Its statistics are over the whole image while ``set_patch_size(None)`` holds, as in
the authors' plain model; their local one (NAFNetLocal) has the same file.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mid_core.errors import MidError
from mid_core.networks.nafnet import NAFNet
from mid_core.networks.shapes import unlike

# What no other published network has together.
_MARKS = ("intro.weight", "ending.weight", "downs.0.weight", "ups.0.0.weight")


def is_nafnet(weights: Mapping[str, Tensor]) -> bool:
    """Whether a file's weights have the names of a NAFNet's beginning and end."""
    return all(name in weights for name in _MARKS)


def from_published(
    weights: Mapping[str, Tensor],
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return settings and weights of the NAFNet whose published weights these are.

    Parameters
    ----------
    weights
        By name, as ``published.read_published`` reads them.

    Returns
    -------
    The arguments of ``NAFNet``, with ``channels``; and its state dict, in float32.

    Raises
    ------
    MidError
        If the weights are not those of a NAFNet.
    """
    if not is_nafnet(weights):
        absent = ", ".join(name for name in _MARKS if name not in weights)
        raise MidError(f"the weights are not a NAFNet's: they have no {absent}")
    intro = weights["intro.weight"]
    if intro.ndim != 4:
        raise MidError(
            f"the weights are not a NAFNet's: intro.weight is {list(intro.shape)}"
        )
    levels = range(_count(weights, "downs"))
    settings = {
        "channels": intro.shape[1],
        "width": intro.shape[0],
        "encoder": [_count(weights, f"encoders.{level}") for level in levels],
        "middle": _count(weights, "middle_blks"),
        "decoder": [_count(weights, f"decoders.{level}") for level in levels],
        "pixel_unshuffle": 1,
        "residual": True,
        "centred": False,
    }
    _check_shapes(weights, settings)
    return settings, {name: one.float() for name, one in weights.items()}


def _count(weights: Mapping[str, Tensor], stack: str) -> int:
    """How many numbered parts there are below a name: the largest number, plus 1."""
    numbers = [re.match(rf"{re.escape(stack)}\.(\d+)\.", name) for name in weights]
    return max((int(number[1]) + 1 for number in numbers if number), default=0)


def _check_shapes(weights: Mapping[str, Tensor], settings: dict[str, Any]) -> None:
    blocks = [*settings["encoder"], settings["middle"], *settings["decoder"]]
    # A false number in one name must not build millions of blocks.
    if sum(blocks) > len(weights):
        raise MidError("the weights are not a NAFNet's: blocks are missing")
    with torch.device("meta"):
        network = NAFNet(**settings)
    if differing := unlike(weights, network):
        raise MidError(
            f"the weights are not a plain NAFNet's: {len(differing)} differ, "
            f"{'; '.join(differing[:3])}"
        )

"""Model files: weights in safetensors, with the settings that make them usable."""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import nn

from mid_core.errors import MidError
from mid_core.masking import Masking
from mid_core.methods import answer_of
from mid_core.networks import build
from mid_core.networks.published import Published
from mid_core.networks.shapes import unlike
from mid_core.runtime.files import written_whole

# Far above the width and the blocks of any network of ours, together.
MOST = 2000


def save_model(path: Path, network: nn.Module, card: dict) -> str:
    """Write the weights, with ``card`` inside the same file; return its SHA-256.

    Parameters
    ----------
    path
        ``model.safetensors``; appears complete or not at all.
    network
        The model.
    card
        What it is and how to use it: at least ``network`` (settings), ``masking``,
        ``patch_size`` and ``channels``.
    """
    weights = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in network.state_dict().items()
    }
    content = save(weights, metadata={"mid": json.dumps(card, sort_keys=True)})
    with written_whole(path) as file:
        file.write(content)
    return hashlib.sha256(content).hexdigest()


def load_model(
    path: Path | str, device: torch.device, bare: bool = False
) -> tuple[nn.Module, dict]:
    """Read a model that ``save_model`` wrote: the network, ready to use, and its card.

    Nothing in the file is executed, and it takes no more memory than its own size.

    Parameters
    ----------
    path
        ``model.safetensors``, or the ``model.json`` beside it.
    device
        Where the network is to be.
    bare
        Whether to return the network itself where its method answers in another way
        than by one pass of it.

    Raises
    ------
    MidError
        If the file is missing, not a model of ours, or does not fit its network.
    """
    path = Path(path)
    if path.suffix == ".json":
        path = path.with_suffix(".safetensors")
    if not path.is_file():
        raise MidError(f"there is no model at {path}: train one, or correct the path")
    # What a stranger wrote may fail anywhere, with whatever it leads to.
    try:
        with safe_open(path, "pt") as file:
            card = json.loads((file.metadata() or {})["mid"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        is_published = card["network"]["name"] == "published"
        network = None if is_published else _without_memory(card)
    except Exception as error:
        raise MidError(
            f"{path} is not a model that this project wrote ({error}): give the "
            "model.safetensors of a round"
        ) from error
    if network is None:
        return Published(weights).to(device).eval(), card
    _check_shapes(path, weights, network)
    network.to_empty(device=device).load_state_dict(weights)
    if "answer" in card and not bare:
        network = _answering(path, card, network)
    return network.eval(), card


def _answering(path: Path, card: dict, network: nn.Module) -> nn.Module:
    """Put around a network how its method uses it."""
    try:
        answer = answer_of(card["answer"], network)
    # Base installations lack what some methods train with.
    except ImportError as error:
        raise MidError(
            f"the method of {path} needs more packages ({error}): "
            "pip install 'mid-denoise[workflow]'"
        ) from error
    answer.set_patch_size(card["patch_size"])
    return answer


def _without_memory(card: dict) -> nn.Module:
    """Construct a card's network, whatever size it claims to have."""
    settings, channels = card["network"], card["channels"]
    lists = [v if isinstance(v, list) else [v] for v in settings.values()]
    sizes = [abs(n) for values in lists for n in values if isinstance(n, int)]
    if sum(sizes) > MOST:
        raise ValueError(f"its network is said to be of size {max(sizes)}")
    masking = Masking(**card["masking"])
    ratio = np.asarray(masking.mask_ratio, float)
    if not (ratio.shape in ((), (2,)) and np.all((ratio >= 0) & (ratio < 1))):
        raise ValueError(f"its mask ratio is {masking.mask_ratio}")
    with torch.device("meta"):
        network = build(settings, channels, masking.extra_channels(channels))
    network.set_patch_size(card["patch_size"])
    return network


def _check_shapes(path: Path, weights: dict, network: nn.Module) -> None:
    if differing := unlike(weights, network):
        raise MidError(
            f"{path} does not fit its network: {len(differing)} weight(s) differ, "
            f"{'; '.join(differing[:3])}. Give another model, or train it anew"
        )

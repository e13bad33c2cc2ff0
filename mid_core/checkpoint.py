"""Model files: weights in safetensors, with the settings that make them usable."""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from mid_core.errors import MidError
from mid_core.files import written_whole
from mid_core.networks import build
from mid_core.sampling import Masking


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
        ``patch`` and ``channels``.
    """
    weights = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in network.state_dict().items()
    }
    content = save(weights, metadata={"mid": json.dumps(card, sort_keys=True)})
    with written_whole(path) as file:
        file.write(content)
    return hashlib.sha256(content).hexdigest()


def load_model(path: Path, device: torch.device) -> tuple[nn.Module, dict]:
    """Read a model that ``save_model`` wrote: the network, ready to use, and its card.

    Raises
    ------
    MidError
        If the file is missing, not a model of ours, or does not fit its network.
    """
    if not path.is_file():
        raise MidError(f"there is no model at {path}: train one, or correct the path")
    try:
        with safe_open(path, "pt", device=str(device)) as file:
            card = json.loads((file.metadata() or {})["mid"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError) as error:
        raise MidError(
            f"{path} is not a model that this project wrote ({error}): give the "
            "model.safetensors of a round"
        ) from error
    masking, channels = Masking(**card["masking"]), card["channels"]
    extra = masking.extra_channels(channels)
    network = build(card["network"], channels, extra).to(device)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise MidError(f"{path} does not fit its network: {error}") from error
    network.set_patch(card["patch"])
    return network.eval(), card

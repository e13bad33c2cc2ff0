"""Networks whose weights come from a file that somebody published.

A NAFNet becomes the one of ``nafnet``, and the networks of AT-BSN and TM-BSN become
those of ours. All else is built by the package ``spandrel``,
which knows a network by the names and shapes of its weights, and is installed by who
asks for it. Nothing in a file is executed.
"""

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from mid_core.errors import MidError
from mid_core.networks import build
from mid_core.networks.denoiser import Denoiser
from mid_core.networks.nafnet_published import from_published, is_nafnet
from mid_core.networks.shapes import unlike
from mid_core.networks.shifted_unet import from_published as at_bsn
from mid_core.networks.triangular import from_published as tm_bsn

# Under which name files keep their weights, the better first: averaged ones are meant
# to be used.
_UNDER = ("params_ema", "params", "state_dict", "model_state_dict")
# What training on several GPUs puts before each name.
_PREFIX = "module."
# What ``Published`` puts there.
_OWN = "network."
# Windows of attention, such as 8 pixels three times halved, lie on a grid from the
# corner of what a network is given: spandrel does not tell it.
_GRID_PX = 64


def read_published(path: Path | str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the weights of a published file, and nothing else of it.

    Parameters
    ----------
    path
        ``.safetensors``, or what ``torch.save`` wrote (``.pth``, ``.pt``, ``.ckpt``):
        the weights by name, or these under one of the usual names, among them
        ``params`` and ``state_dict``.

    Returns
    -------
    The weights by name, without ``module.`` before it. And what the file is: its name
    ``file``, its ``sha256``, and ``under``: where in it the weights were, "" for its
    top.

    Raises
    ------
    MidError
        If there is no such file, or it holds something else, too.
    """
    path = Path(path)
    if not path.is_file():
        raise MidError(f"there is no file of weights at {path}: correct the path")
    content = _content(path)
    weights, under = _unwrapped(content)
    others = [str(name) for name, one in weights.items() if not _is_weight(name, one)]
    if others or not weights:
        what = f"besides weights {', '.join(others[:3])}" if others else "nothing"
        raise MidError(
            f"{path} holds {what}: save its state dict alone, best as safetensors"
        )
    if all(name.startswith(_PREFIX) for name in weights):
        weights = {name.removeprefix(_PREFIX): one for name, one in weights.items()}
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return weights, {"file": path.name, "sha256": digest, "under": under}


def network_of(path: Path | str) -> tuple[Denoiser, dict[str, Any]]:
    """Return the network that a published file has the weights of, ready to use.

    Parameters
    ----------
    path
        See ``read_published``.

    Returns
    -------
    The network; and for the card of a model its settings ``network``, its
    ``channels``, ``patch_size`` None (statistics are of the whole image, as published)
    and ``source``: what ``read_published`` tells of the file.

    Raises
    ------
    MidError
        If the file is none of weights, no known network has such weights, or spandrel
        is needed and missing.
    """
    weights, source = read_published(path)
    network, settings = from_weights(weights)
    facts = {"network": settings, "channels": network.channels}
    return network, facts | {"patch_size": None, "source": source}


def from_weights(weights: Mapping[str, Tensor]) -> tuple[Denoiser, dict[str, Any]]:
    """Return the network with these weights, and its settings; see ``network_of``."""
    for settings, renamed in _READERS:
        try:
            own = renamed(weights)
        except MidError:
            continue
        network = build(settings)
        if not unlike(own, network):
            network.load_state_dict(own)
            return network.eval(), settings
    if is_nafnet(weights):
        settings, own = from_published(weights)
        channels, settings = settings.pop("channels"), {"name": "nafnet", **settings}
        network = build(settings, channels)
        network.load_state_dict(own)
        return network.eval(), settings
    published = Published(weights).eval()
    return published, {"name": "published", "architecture": published.architecture}


# Of blind-spot networks whose authors publish weights: settings, and their names here.
_READERS: tuple[tuple[dict[str, Any], Callable[..., dict[str, Tensor]]], ...] = (
    ({"name": "skip_unet", "ending": "at_bsn"}, partial(at_bsn, net="nbsn")),
    ({"name": "shifted_unet"}, at_bsn),
    ({"name": "triangular"}, tm_bsn),
)


class Published(Denoiser):
    """A network that spandrel knows, around which images are padded as it needs.

    Its output is clipped to [0, 1] by spandrel. Networks that take a noise level
    (DRUNet, FDnCNN) are given spandrel's own, 15/255, whatever the image's is.

    Parameters
    ----------
    weights
        By name, as ``read_published`` reads them, or from a state dict of this class.
    margin
        Pixels by which tiles overlap: spandrel does not tell how far a network looks.

    Attributes
    ----------
    architecture
        What spandrel calls the network.

    Raises
    ------
    MidError
        If spandrel is missing or does not know the network, or it is no denoiser.
    """

    def __init__(self, weights: Mapping[str, Tensor], margin: int = 64) -> None:
        if all(name.startswith(_OWN) for name in weights):
            weights = {name.removeprefix(_OWN): one for name, one in weights.items()}
        described = _described(weights)
        super().__init__(described.input_channels, 0, 1, levels=0, residual=False)
        # The same module twice: torch moves the one, and spandrel calls the other.
        self.network, self._described = described.model, described
        self.architecture: str = described.architecture.name
        self.stride = math.lcm(_GRID_PX, described.size_requirements.multiple_of)
        self._margin = margin

    @property
    def receptive_field_radius(self) -> int:
        """Pixels around an output pixel that count, as far as is assumed."""
        return self._margin

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) in [0, 1] to the clean estimate (N, C, H, W) in [0, 1]."""
        # spandrel takes one image at a time.
        return torch.cat([self._described(one[None]) for one in x]).float()


def _content(path: Path) -> Any:
    """Read a file, whatever it holds, without executing anything."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    # What a stranger wrote may fail anywhere, with whatever it leads to.
    except Exception as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))
        why = f" (it asks for {asked[1]})" if asked else ""
        raise MidError(
            f"{path} is not a file of weights alone{why}, and nothing of it was "
            "executed: where its code is, save its state dict, best as safetensors"
        ) from error


def _unwrapped(content: Any) -> tuple[Mapping[Any, Any], str]:
    """Find the weights in what was read, and the name under which they were."""
    if not isinstance(content, Mapping):
        return {"one without a name": None}, ""
    for name in _UNDER:
        if isinstance(content.get(name), Mapping):
            return content[name], name
    return content, ""


def _is_weight(name: Any, one: Any) -> bool:
    return isinstance(name, str) and isinstance(one, Tensor)


def _described(weights: Mapping[str, Tensor]) -> Any:
    """Let spandrel build the network; return its descriptor of it."""
    spandrel = _package()
    first = ", ".join(list(weights)[:3])
    try:
        described = spandrel.ModelLoader().load_from_state_dict(dict(weights))
    except spandrel.UnsupportedModelError as error:
        raise MidError(
            f"spandrel {spandrel.__version__} knows no network with weights such as "
            f"{first}: give the weights of another"
        ) from error
    # It took the weights for those of another network.
    except Exception as error:
        raise MidError(
            f"spandrel {spandrel.__version__} cannot build the network with weights "
            f"such as {first} ({' '.join(str(error).split())}): give those of another"
        ) from error
    name, channels = described.architecture.name, described.input_channels
    if described.purpose == "Inpainting" or described.scale != 1:
        raise MidError(f"the weights are of {name}, which is no denoiser: give others")
    if described.output_channels != channels:
        raise MidError(
            f"the weights are of a {name} that maps {channels} colours to "
            f"{described.output_channels}: give those of a denoiser"
        )
    return described


def _package() -> Any:
    try:
        import spandrel
    except ImportError as error:
        raise MidError(
            "networks other than NAFNet are built by the package spandrel, which is not "
            f"installed ({error}): pip install 'mid-denoise[spandrel]'"
        ) from error
    # A torchvision that was built for another torch fails with what it likes.
    except Exception as error:
        raise MidError(
            f"the package spandrel cannot be imported ({error}): install the "
            f"torchvision that belongs to torch {torch.__version__}"
        ) from error
    return spandrel

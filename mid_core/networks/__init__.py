"""Networks by name: a constructor each, all with the same calling convention."""

from collections.abc import Sequence

import numpy as np
import torch

from mid_core.errors import MidError
from mid_core.networks.denoiser import Denoiser
from mid_core.networks.dncnn import DnCNN
from mid_core.networks.nafnet import NAFNet
from mid_core.networks.restormer import Restormer
from mid_core.networks.unet import UNet

NETWORKS = {"nafnet": NAFNet, "unet": UNet, "dncnn": DnCNN, "restormer": Restormer}


def build(
    settings: dict,
    channels: int = 3,
    extra_channels: int = 0,
    seed: Sequence[int] = (0,),
) -> Denoiser:
    """Construct the network that ``settings`` name, in channels-last memory.

    Parameters
    ----------
    settings
        ``name`` and the constructor's other arguments.
    channels, extra_channels
        Colours of the image, and input channels besides them.
    seed
        Entropy of the initial weights; torch's global generator is left alone.

    Raises
    ------
    MidError
        For an unknown name or impossible arguments.
    """
    arguments = dict(settings)
    name = arguments.pop("name")
    if name not in NETWORKS:
        raise MidError(f"network '{name}' is unknown; there are: {', '.join(NETWORKS)}")
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
            network = NETWORKS[name](
                channels=channels, extra_channels=extra_channels, **arguments
            )
    except (TypeError, ValueError) as error:
        raise MidError(f"network '{name}' cannot be built: {error}") from error
    return network.to(memory_format=torch.channels_last)

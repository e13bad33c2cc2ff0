"""Networks by name: a file each, with a constructor and its keys in the config."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

import numpy as np
import torch

from mid_core.errors import MidError
from mid_core.networks.denoiser import Denoiser

# The file and the class of each network; mid_config reads this, and each file's KEYS.
NETWORKS = {
    "nafnet": "NAFNet",
    "unet": "UNet",
    "dncnn": "DnCNN",
    "restormer": "Restormer",
    "skip_unet": "SkipUNet",
    "shifted_unet": "ShiftedUNet",
    "blind_pair": "BlindPair",
    "triangular": "Triangular",
    "dbsn": "DBSN",
    "c_bsn": "CBSN",
    "lg_bpn": "LGBPN",
    "cvf_sid": "CVFSID",
    "variational_unet": "VariationalUNet",
    "sampled_unet": "SampledUNet",
    "blind_gaussian": "BlindGaussian",
    "dbsn_noise": "DBSNNoise",
    "noise_generator": "NoiseGenerator",
}


def constructor(name: str) -> type[Denoiser]:
    """Return the class of a network.

    Raises
    ------
    MidError
        For an unknown name.
    """
    if name not in NETWORKS:
        raise MidError(f"network '{name}' is unknown; there are: {', '.join(NETWORKS)}")
    return getattr(import_module(f"mid_core.networks.{name}"), NETWORKS[name])


@contextmanager
def weights_from(seed: Sequence[int]) -> Iterator[None]:
    """Draw what is initialised here from this entropy, and leave torch's own alone."""
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which would also seed the generators of all GPUs.
        number = int(np.random.SeedSequence(seed).generate_state(1)[0])
        torch.default_generator.manual_seed(number)
        yield


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
    network_class = constructor(name)
    try:
        with weights_from(seed):
            network = network_class(
                channels=channels, extra_channels=extra_channels, **arguments
            )
    except (TypeError, ValueError) as error:
        raise MidError(f"network '{name}' cannot be built: {error}") from error
    return network.to(memory_format=torch.channels_last)

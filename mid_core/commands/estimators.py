"""How images are estimated: by a trained network, or by a method without training."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from mid_core.checkpoints.model_file import load_model
from mid_core.commands.unlike import Watch, trained_noise
from mid_core.ensemble import denoise_bands
from mid_core.masking import Masking
from mid_core.methods import denoise_without_training


@dataclass(frozen=True)
class Estimator:
    """What denoises the images of one call.

    Attributes
    ----------
    estimate
        Yields bands of rows of an image; called as ``denoise_bands`` is, without the
        network and its options.
    channels
        Of the images that it takes; None: those of each image.
    watch
        Told of each image, to warn where its noise is unlike a training's.
    """

    estimate: Callable[..., Iterator[np.ndarray]]
    channels: int | None
    watch: Watch


def by_network(
    model: Path,
    device: torch.device,
    ratio: float | None,
    num_masks: int,
    tile: int | None,
) -> Estimator:
    """Return what a trained network makes of images; see ``denoise_files``."""
    network, card = load_model(model, device)
    own = {} if ratio is None else {"mask_ratio": ratio}
    masking = Masking(**card["masking"] | own)
    options = {"masking": masking, "num_masks": num_masks, "tile": tile}
    estimate = partial(denoise_bands, network, **options)
    return Estimator(estimate, card["channels"], Watch(trained_noise(card, model)))


def by_method(name: str) -> Estimator:
    """Return what a method without training makes of images, by its quick options."""
    # Not at the top: what denoises by a model alone has no YAML.
    from mid_config import registry

    known = registry.method(name)
    options = known["options"] | known.get("quick", {})

    def estimate(
        read_rows: Callable[[int, int], np.ndarray],
        height: int,
        seed: int,
        report: Callable[[float], None],
    ) -> Iterator[np.ndarray]:
        yield denoise_without_training(name, options, read_rows(0, height))
        report(1)

    return Estimator(estimate, None, Watch(None))

"""CVF-SID: an image is split into its parts (Neshatavar et al., CVPR 2022, 2203.13009).

Networks write a noisy image as y = C + C W + B: the clean image, noise that depends on
it, and noise that does not. Split again, parts and their sums have to give the same
parts, or nothing; and the noise has to be as strong as the image varies within 6 x 6
pixels. The answer is one pass of the network of C.

Differences from the published code: an image's deviation is measured in 64 crops of
it at most, not everywhere; Adam has neither amsgrad nor the weight decay of 1e-9; a cosine
schedule ends where 1 % less every ten epochs does. Steps are those of 5000 epochs of the
1280 crops that the authors publish a training for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.errors import MidError
from mid_core.images.pixelwise import unit
from mid_core.losses import Batch
from mid_core.methods.crops import NoisyCrops
from mid_core.methods.stage import Drawing, Stage
from mid_core.networks import weights_from
from mid_core.networks.cvf_sid import Decomposition, Parts
from mid_core.networks.denoiser import Denoiser
from mid_core.patches import PatchSampler, Pool

LABEL = "CVF-SID"
FAMILY = "self-supervised"
STAGES = """
parts:
  does: cvf_sid.Split
  sees: [noisy]
  options: {around: 20, noise_depth: 10, head_depth: 4, again: 0.1}
  network: {name: cvf_sid, width: 64, depth: 17}
  training: {iterations: 100000, batch_size: 64, patch_size: 40, learning_rate: 1.0e-4, min_learning_rate: 6.6e-7, max_grad_norm: 0}
"""

# Side of the windows of a standard deviation in pixels, and how many crops of an image
# tell it: so many along each side.
WINDOW, CROPS = 6, 8
# Signs of W and of B in the sums that are split again; 0: left out.
SUMS = (1, -1), (-1, 1), (-1, -1), (1, 1), (0, 1), (0, -1), (-1, 0)


@dataclass(frozen=True)
class Split(Stage):
    """Three networks learn to split images so that a second time changes nothing.

    Attributes
    ----------
    around
        Pixels that are added around crops, and around all that is split again, by
        reflection; fewer than the crops' side.
    noise_depth, head_depth
        Of the network of the noise, which is as wide as that of the clean image: see
        ``Decomposition``.
    again
        How much each of the seven further sums counts.
    """

    around: int = 20
    noise_depth: int = 10
    head_depth: int = 4
    again: float = 0.1

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return crops of the noisy images, and the deviation of each one's image.

        Raises
        ------
        MidError
            If crops are too small to be reflected, or to be measured.
        """
        least = max(self.around + 1, WINDOW)
        if how.patch_size < least:
            raise MidError(
                f"training.patch_size is {how.patch_size}, and CVF-SID adds "
                f"{self.around} pixels around crops by reflection: set it to {least} "
                "or more, or lower options.around"
            )
        return _CropsWithDeviation(pools["noisy"], *how)

    def build(
        self, network: dict[str, Any], channels: int, seed: Sequence[int]
    ) -> nn.Module:
        """Return the network of the clean image and that of the noise."""
        clean = super().build(network, channels, seed)
        with weights_from([*seed, 1]):
            depths = self.noise_depth, self.head_depth
            whole = Decomposition(clean, clean.layers[0].out_channels, *depths)  # type: ignore
        return whole.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def trained(self, network: nn.Module) -> Denoiser:
        """Return the network of the clean image."""
        return network.clean  # type: ignore[return-value]

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the sum of all squared errors, over the crops and what is around."""
        y, deviation = batch
        y = F.pad(y, (self.around,) * 4, mode="reflect")
        parts = Parts(*(part.float() for part in network(y)))
        return self._main(network, y, parts, deviation) + self.again * self._sums(
            network, parts
        )

    def _again(self, network: nn.Module, images: Sequence[Tensor]) -> list[Parts]:
        """Split images whose inner pixels are reflected around anew, all at once."""
        inner = slice(self.around, -self.around or None)
        x = torch.cat([image[..., inner, inner] for image in images])
        found = network(F.pad(x, (self.around,) * 4, mode="reflect"))
        each = [part.float().chunk(len(images)) for part in found]
        return [Parts(*parts) for parts in zip(*each, strict=True)]

    def _main(
        self, network: nn.Module, y: Tensor, parts: Parts, deviation: Tensor
    ) -> Tensor:
        clean, weight, rest = parts
        signal = clean + clean * weight
        of_clean, of_signal, of_rest = self._again(network, [clean, signal, rest])
        zero = torch.zeros_like(clean)
        pairs = [
            (signal + rest, y),
            (of_clean.clean, clean),
            (of_clean.weight, zero),
            (of_clean.rest, zero),
            (of_signal.clean, clean),
            (of_signal.weight, weight),
            (of_signal.rest, zero),
            (of_rest.clean, zero),
            (of_rest.rest, rest),
            (noise_deviation(parts), deviation),
        ]
        return torch.stack([F.mse_loss(one, other) for one, other in pairs]).sum()

    def _sums(self, network: nn.Module, parts: Parts) -> Tensor:
        clean, weight, rest = parts
        images = [clean + a * clean * weight + b * rest for a, b in SUMS]
        errors = []
        for (a, b), found in zip(SUMS, self._again(network, images), strict=True):
            wanted = clean, a * weight, b * rest
            errors += [F.mse_loss(*pair) for pair in zip(found, wanted, strict=True)]
        return torch.stack(errors).sum()


def noise_deviation(parts: Parts) -> Tensor:
    """Return how much the noise of the parts varies, (N, C, 1, 1).

    sqrt(mean(m^2) var(W) + var(B)), where m is the mean of C in 6x6 pixels around each.

    Examples
    --------
    >>> rest = torch.tensor([[[[0.0, 0.3], [0.3, 0.0]]]]).repeat(1, 1, 3, 3)
    >>> nothing = torch.zeros_like(rest)
    >>> found = noise_deviation(Parts(nothing, nothing, rest))
    >>> bool(torch.isclose(found, rest.std()).all())
    True
    """
    blurred = F.avg_pool2d(parts.clean, WINDOW, stride=1, padding=WINDOW // 2)
    signal = blurred.square().mean((2, 3), keepdim=True)
    weight, rest = (
        part.var((2, 3), keepdim=True) for part in (parts.weight, parts.rest)
    )
    # The root of 0 has no gradient.
    return (signal * weight + rest).clamp_min(1e-12).sqrt()


def local_deviation(image: np.ndarray) -> np.ndarray:
    """Return the mean standard deviation of the windows of an image.

    Parameters
    ----------
    image
        (H, W, C), at least 6x6 pixels.

    Returns
    -------
    (C,).

    Examples
    --------
    >>> board = np.indices((9, 7)).sum(axis=0)[..., None] % 2
    >>> local_deviation(board.astype(float)).tolist()
    [0.5]
    """
    windows = np.lib.stride_tricks.sliding_window_view(
        image, (WINDOW, WINDOW), axis=(0, 1)
    )
    return windows.std(axis=(-2, -1)).mean(axis=(0, 1))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class _CropsWithDeviation(NoisyCrops):
    """Noisy crops, (N, C, H, W), and the deviation of the image of each, (N, C, 1, 1)."""

    # Of the images by their number, as far as they were asked for.
    known: dict[int, np.ndarray] = field(default_factory=dict, compare=False)

    def _fill(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> None:
        place = self._place(self.noisy, rng)
        unit(self._cut(self.noisy, place), y)
        if place.image not in self.known:
            self.known[place.image] = self._deviation(place.image)
        x[...] = self.known[place.image]

    def _deviation(self, image: int) -> np.ndarray:
        """Mean over crops that are spread evenly over the image; (C,)."""
        side, found = self.patch_size, []
        height, width = self.noisy.sizes[image]
        rows, columns = (
            np.unique(np.linspace(0, length - side, CROPS).astype(int))
            for length in (height, width)
        )
        crop = np.empty((side, side, self.channels), np.float32)
        for row in rows:
            for column in columns:
                unit(self.noisy.crop(image, int(row), int(column), side), crop)
                found.append(local_deviation(crop))
        return np.mean(found, axis=0)  # type: ignore[no-any-return]

    def _shown(self, y: Tensor, x: Tensor, kept: Tensor) -> tuple[Tensor, ...]:
        return y, x[:, :1, :1]

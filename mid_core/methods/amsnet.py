"""AMSNet: what is hidden is learnt (Liao et al., ECCV 2024, arXiv 2407.06514).

Any network will do, as the blind spot is in its input: each pixel of a sub-image falls
at random into one of two groups, one group is hidden, and only there the prediction is
compared with the noisy pixels. This is MID without clean images, on MID's own network.
In use each group is hidden once, and what was predicted of hidden pixels is put together.

The network is the paper's NAFNet but for its blocks, which are twice as wide inside, as
MID's. It predicts the image, not a correction, which at hidden pixels has nothing to
correct. The paper's learning rate is almost flat, and its figures are those of the best
of several checkpoints; here the rate falls.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mid_core.losses import Batch
from mid_core.masking import Masking
from mid_core.methods.crops import NoisyCrops
from mid_core.methods.pixel_shuffle import PERIOD, ByStride, repeated
from mid_core.methods.stage import Drawing
from mid_core.methods.strided import Strided
from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import sub_images
from mid_core.patches import PatchSampler, Pool

LABEL = "AMSNet"
FAMILY = "self-supervised"
STAGES = """
masked:
  does: amsnet.Hidden
  sees: [noisy]
  options: {stride: 5, groups: 2}
  network: {name: nafnet, width: 32, encoder: [2, 2, 4, 8], middle: 12, decoder: [2, 2, 2, 2], residual: false}
  training: {iterations: 625000, batch_size: 4, patch_size: 160, learning_rate: 1.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 0}
  answer: {does: amsnet.Complementary, stride: 2, groups: 2, refinements: 8, share: 0.16, trained_stride: 5}
"""


@dataclass(frozen=True)
class Hidden(Strided):
    """A network learns hidden noisy pixels of sub-images from the visible ones.

    Attributes
    ----------
    groups
        k: a pixel is hidden with chance 1 / k.
    """

    groups: int = 2

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return noisy crops with hidden pixels, whole ones, and which are visible."""
        return _MaskedCrops(pools["noisy"], *how, Masking(1 / self.groups))

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean absolute error at hidden pixels.

        The sum is divided by how many are hidden on average, so that the parts of a
        batch add up to the whole.
        """
        shown, targets, kept = (sub_images(one, self.stride) for one in batch)
        error = (network(shown).float() - targets).abs()
        return self.groups * torch.where(kept, 0.0, error).mean()


class Complementary(ByStride):
    """Groups of pixels are hidden one after another, and each is predicted when hidden.

    Parameters
    ----------
    network, stride, refinements, share
        See ``ByStride``; noisy values are put back for all colours of a pixel at once.
    groups
        k: each pass of ``ByStride`` is k passes of the network.
    trained_stride
        That of the training: the network had crops of a patch's sub-images.
    """

    def __init__(
        self,
        network: Denoiser,
        stride: int = 2,
        groups: int = 2,
        refinements: int = 8,
        share: float = 0.16,
        trained_stride: int = 5,
    ) -> None:
        super().__init__(network, stride, refinements, share, per="pixel")
        self.groups, self.trained_stride = groups, trained_stride

    def set_patch_size(self, patch: int | None) -> None:
        """Tell the network how large the sub-images of its training's crops were."""
        self.network.set_patch_size(patch and patch // self.trained_stride)

    def estimate(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Predict each pixel of (N, C, H, W) from the other groups of pixels."""
        shape = len(x), 1, PERIOD, PERIOD
        own = repeated(torch.randint(self.groups, shape, generator=rng), x)
        merged = torch.zeros_like(x)
        for group in range(self.groups):
            hidden = own == group
            predicted = self.network(torch.where(hidden, 0.0, x))
            merged = torch.where(hidden, predicted, merged)
        return merged


@dataclass(frozen=True)
class _MaskedCrops(NoisyCrops):
    """Noisy crops with hidden pixels, whole ones, and the mask: true = visible."""

    def _shown(self, y: Tensor, x: Tensor, kept: Tensor) -> tuple[Tensor, ...]:
        return self.masking.apply(y, kept), x, kept

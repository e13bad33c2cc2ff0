"""Pixel-shuffle downsampling (PD): sub-images in which noise is correlated less.

Zhou et al. ("When AWGN-based Denoiser Meets Real Noises", AAAI 2020) cut an image into
the sub-images of a grid. Here these are further images of the batch. In the code of
AP-BSN they are tiles of one image, and a network that reaches far enough sees the
neighbouring tile: the very pixels that the grid took away.
"""

from math import lcm

import torch
import torch.nn.functional as F
from torch import Tensor

from mid_core.errors import MidError
from mid_core.methods.answer import Answer
from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import sub_images, whole_images

SEED = 0
# Random patterns come again after so many pixels: so tiles do not change the answer.
PERIOD = 32


def check_patch_size(patch_size: int, stride: int) -> None:
    """Raise MidError if crops of this size cannot be cut into sub-images."""
    if patch_size % stride:
        raise MidError(
            f"training.patch_size is {patch_size}, which is no multiple of the "
            f"stride, {stride}: set it to {max(1, patch_size // stride) * stride}"
        )


def repeated(pattern: Tensor, like: Tensor) -> Tensor:
    """Cover images with a pattern.

    Parameters
    ----------
    pattern
        (N, K, P, P).
    like
        (N, C, H, W).

    Returns
    -------
    (N, K, H, W), where ``like`` is.

    Examples
    --------
    >>> pattern = torch.tensor([[[[1, 2], [3, 4]]]])
    >>> repeated(pattern, torch.empty(1, 3, 1, 5)).tolist()
    [[[[1, 2, 1, 2, 1]]]]
    """
    (rows, columns), (height, width) = pattern.shape[2:], like.shape[2:]
    times = (1, 1, -(-height // rows), -(-width // columns))
    return pattern.to(like.device).repeat(times)[..., :height, :width]


class ByStride(Answer):
    """A network used on sub-images, and again on the whole image (AP-BSN, section 4).

    The first pass, on sub-images, gives z. What the grid leaves of noise, each further
    pass takes away: it sees z, with some of the noisy values put back at random, as a
    whole image. The answer is the mean of these passes (random-replacing refinement,
    R3). What is random is always the same, on any device and in any tile.

    An image whose sides are no multiples of the stride is padded by its last row and
    column. A blind-spot network would find a pixel again among its reflections.

    Parameters
    ----------
    network
        In evaluation mode.
    stride
        Of the sub-images.
    refinements
        T, further passes; 0: the answer is z.
    share
        p, the chance of a noisy value to be put back.
    per
        ``"colour"``: a draw for each colour of a pixel (AP-BSN). ``"pixel"``: one draw
        for all of them (AMSNet).
    """

    def __init__(
        self,
        network: Denoiser,
        stride: int = 2,
        refinements: int = 8,
        share: float = 0.16,
        per: str = "colour",
    ) -> None:
        super().__init__(network)
        self.stride, self.refinements = stride, refinements
        self.share, self.per = share, per

    @property
    def margin(self) -> int:
        """Pixels around an output pixel that its value mostly depends on."""
        reaches = self.stride + (1 if self.refinements else 0)
        return reaches * self.network.margin

    @property
    def alignment(self) -> int:
        """Tiles that start at multiples of this see the whole image's grids and draws."""
        return self.stride * lcm(self.network.alignment, PERIOD)

    def estimate(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Map (N, C, H, W) to the clean estimate, without sub-images.

        ``rng`` is there for networks that hide pixels at random.
        """
        return self.network(x)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) in [0, 1] to the clean estimate (N, C, H, W)."""
        rng = torch.Generator().manual_seed(SEED)
        z = self._by_sub_images(x, rng)
        if not self.refinements:
            return z
        total = torch.zeros_like(z)
        for _ in range(self.refinements):
            mixed = torch.where(self._put_back(x, rng), x, z)
            total += self.estimate(mixed, rng)
        return total / self.refinements

    def _by_sub_images(self, x: Tensor, rng: torch.Generator) -> Tensor:
        height, width = x.shape[-2:]
        around = (0, -width % self.stride, 0, -height % self.stride)
        parts = sub_images(F.pad(x, around, mode="replicate"), self.stride)
        z = whole_images(self.estimate(parts, rng), self.stride)
        return z[..., :height, :width]

    def _put_back(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """Draw which noisy values are put back: booleans, (N, 1 or C, H, W)."""
        channels = 1 if self.per == "pixel" else x.shape[1]
        chances = torch.rand(len(x), channels, PERIOD, PERIOD, generator=rng)
        return repeated(chances < self.share, x)

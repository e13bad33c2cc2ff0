"""Blind2Unblind: what is hidden becomes visible (Wang et al., CVPR 2022, 2203.06967).

An image goes through the network in 16 copies; in each, one pixel of every 4 x 4 cell is
replaced by a mean of its neighbours. Put together from where they were hidden, the
predictions g(y) are blind. A further pass e(y) sees everything. Its gradient is stopped,
but it is in the loss, so that g(y) makes up for what e(y) keeps of the noise. The answer
is (g + beta e) / (1 + beta).

It is made for noise that is independent from pixel to pixel. Its authors took raw images,
as noise in sRGB is correlated: there it is learnt, and little of it goes.

Network, learning rate, batch and beta are those of its training on raw images of SIDD.
Four things differ: beyond the border there are no neighbours, where its code has zeros
that count; a cosine schedule instead of four halvings; no weight decay; and the number of
steps, which its code gives in passes over its own crops, is a guess.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import lcm

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.losses import Batch
from mid_core.methods.answer import Answer
from mid_core.methods.crops import NoisyCrops, Ramp
from mid_core.methods.stage import Drawing, Stage
from mid_core.networks.denoiser import Denoiser
from mid_core.patches import PatchSampler, Pool

LABEL = "Blind2Unblind"
FAMILY = "self-supervised"
STAGES = """
network:
  does: blind2unblind.Revisible
  sees: [noisy]
  options: {cell: 4, beta: [2, 20], rises_after: 0.4}
  network: {name: skip_unet, width: 48, ending: b2u}
  training: {iterations: 500000, batch_size: 4, patch_size: 256, learning_rate: 1.0e-4, min_learning_rate: 6.0e-6, max_grad_norm: 0}
  answer: {does: blind2unblind.Unblind, cell: 4, beta: 20}
"""

# Of a hidden pixel's neighbours: the edges count twice as much as the corners.
WEIGHTS = (0.5, 1.0, 0.5), (1.0, 0.0, 1.0), (0.5, 1.0, 0.5)


@dataclass(frozen=True)
class Revisible(Stage):
    """A network learns hidden pixels, more and more by what it sees of them.

    Attributes
    ----------
    cell
        Side of the cells in pixels: ``cell**2`` copies of each crop.
    beta
        How much the visible pass counts: at first, and at the end.
    rises_after
        Share of the training after which beta rises, in a straight line. The paper's
        0.8 is for white noise of one level.
    """

    cell: int = 4
    beta: tuple[float, float] = (2, 20)
    rises_after: float = 0.4

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return crops of the noisy images, and the beta of the step."""
        last = max(1, self.iterations - 1)
        beta = Ramp(*self.beta, begins=self.rises_after * last, ends=last)
        return NoisyCrops(pools["noisy"], *how, ramp=beta)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return mean((g - y + beta (e - y))^2) + mean((g - y)^2)."""
        y, _, beta = batch
        copies = torch.stack([shown for _, shown in hidden_copies(y, self.cell)])
        predictions = network(copies.flatten(0, 1)).float().unflatten(0, (-1, len(y)))
        g = torch.zeros_like(y)
        for prediction, mask in zip(predictions, sites(y, self.cell), strict=True):
            g = torch.where(mask, prediction, g)
        with torch.no_grad():
            e = network(y).float()
        return ((g - y + beta * (e - y)) ** 2).mean() + F.mse_loss(g, y)


def sites(y: Tensor, cell: int) -> Iterator[Tensor]:
    """Yield where each copy has its hidden pixels: booleans, (1, 1, H, W), by rows."""
    rows, columns = (torch.arange(side, device=y.device) % cell for side in y.shape[2:])
    for row in range(cell):
        for column in range(cell):
            yield ((rows == row)[:, None] & (columns == column))[None, None]


def neighbour_means(y: Tensor) -> Tensor:
    """Return the weighted mean of the 8 pixels around each, as far as there are any.

    Of an image of one pixel it is 0.

    Examples
    --------
    >>> y = torch.tensor([[[[1.0, 9.0, 4.0]]]])
    >>> neighbour_means(y).flatten().tolist()
    [9.0, 2.5, 9.0]
    """
    kernel = torch.tensor(WEIGHTS, dtype=y.dtype, device=y.device)[None, None]
    planes = y.flatten(0, 1)[:, None]
    sums = F.conv2d(planes, kernel, padding=1).view_as(y)
    counts = F.conv2d(torch.ones_like(planes[:1]), kernel, padding=1)
    return sums / counts.clamp_min(1e-6)


def hidden_copies(y: Tensor, cell: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield what is hidden in each copy of (N, C, H, W), and the copy itself."""
    means = neighbour_means(y)
    for mask in sites(y, cell):
        yield mask, torch.where(mask, means, y)


class Unblind(Answer):
    """The blind and the visible passes, together.

    Parameters
    ----------
    network
        In evaluation mode.
    cell
        Side of the cells in pixels: ``cell**2`` passes, and one more.
    beta
        That of the training's end.
    """

    def __init__(self, network: Denoiser, cell: int = 4, beta: float = 20) -> None:
        super().__init__(network)
        self.cell, self.beta = cell, beta

    @property
    def margin(self) -> int:
        """Pixels around an output pixel that its value mostly depends on."""
        return self.network.margin + 1

    @property
    def alignment(self) -> int:
        """Tiles that start at multiples of this see the cells of the whole image."""
        return lcm(self.network.alignment, self.cell)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) in [0, 1] to the clean estimate (N, C, H, W)."""
        g = torch.zeros_like(x)
        for mask, shown in hidden_copies(x, self.cell):
            g = torch.where(mask, self.network(shown), g)
        return (g + self.beta * self.network(x)) / (1 + self.beta)

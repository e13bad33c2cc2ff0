"""A blind-spot network that answers by Bayes' rule (Laine et al., NeurIPS 2019).

"High-Quality Self-Supervised Deep Image Denoising". From all pixels but one the shifted
U-Net predicts what the colour of that one may be: a Gaussian distribution. Another
U-Net, which sees all pixels, measures the noise. The estimate weighs the prediction
against the noisy pixel itself.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import (
    CELLS_PER_WINDOW,
    he_normal,
    positive_deviation,
    window_mean,
)
from mid_core.networks.shifted_unet import ShiftedUNet
from mid_core.networks.skip_unet import LEVELS, SkipUNet

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 1, maximum: 1000, default: 48, examples: [4], description: "Features on the way down, of both U-Nets; twice as many on the way up."}
hole: {type: integer, minimum: 1, maximum: 31, default: 1, examples: [3], description: "Side of the square around a pixel that its prediction does not see, in training and in an answer; odd."}
noise: {enum: [gaussian, poisson], default: gaussian, description: "What is measured of the noise: its level, or with poisson how its variance grows with brightness."}
"""

# Noise that grows with brightness does not vanish in the dark.
DARKEST = 1e-3


class Belief(NamedTuple):
    """What is known of an image before its own pixel is looked at.

    Attributes
    ----------
    mean, covariance
        Of the clean colours: (N, H, W, C) and (N, H, W, C, C).
    noise
        Variance of the noise of each colour, (N, H, W, C).
    """

    mean: Tensor
    covariance: Tensor
    noise: Tensor

    @property
    def of_noisy(self) -> Tensor:
        """Covariance of the noisy colours, (N, H, W, C, C)."""
        return self.covariance + torch.diag_embed(self.noise)

    def posterior_mean(self, y: Tensor) -> Tensor:
        """Return the mean clean colours, given the noisy ones; (N, H, W, C) each.

        The published form inverts the covariance of the clean colours; this one, equal
        to it, does not, and so needs nothing added where it is singular.
        """
        away = torch.linalg.solve(self.of_noisy, (y - self.mean)[..., None])
        return self.mean + (self.covariance @ away)[..., 0]


class BlindGaussian(Denoiser):
    """A shifted U-Net for the clean colours, a plain one for the noise.

    Parameters
    ----------
    channels
        Colours of the image.
    extra_channels
        0: a mask has no place in it.
    width
        Features on the way down, of both. The paper's is 48: for three colours
        1,269,129 parameters and 1,083,553.
    hole
        Side of the square that a prediction does not see; the paper's is 1.
    noise
        ``"gaussian"``: one level for all brightnesses; ``"poisson"``: the variance is
        proportional to the predicted brightness.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 48,
        hole: int = 1,
        noise: str = "gaussian",
    ) -> None:
        if extra_channels:
            raise ValueError("it takes no mask as input")
        if noise not in ("gaussian", "poisson"):
            raise ValueError(
                f"noise '{noise}' is unknown; there are: gaussian, poisson"
            )
        super().__init__(channels, 0, 1, LEVELS, residual=False)
        self.noise = noise
        self.blind = ShiftedUNet(channels, width=width, hole=hole)
        outputs = channels + channels * (channels + 1) // 2
        self.blind.ending[-1] = he_normal(nn.Conv2d(2 * width, outputs, 1), 1.0)
        self.level = SkipUNet(channels, width=width)
        self.level.ending = nn.Conv2d(2 * width, 1, 1)
        # All images begin with nearly the same level.
        nn.init.normal_(self.level.ending.weight, std=1e-3)
        nn.init.zeros_(self.level.ending.bias)
        self.averages = nn.Sequential(_Average())

    def stacks(self) -> list[tuple[nn.Sequential, int]]:
        """What takes means over the image."""
        return [(self.averages, 1)]

    @property
    def receptive_field_radius(self) -> int:
        """Pixels around one that the convolutions look at."""
        return max(self.blind.margin, self.level.margin)

    def belief(self, y: Tensor) -> Belief:
        """Map (N, C, H, W) in [0, 1] to a ``Belief``, in double precision."""
        # Small matrices, which must stay positive. Apple's GPUs have no doubles.
        dtype = torch.float32 if y.device.type == "mps" else torch.float64
        predicted = self.blind(y).to(dtype).permute(0, 2, 3, 1)
        mean, entries = predicted[..., : self.channels], predicted[..., self.channels :]
        factor = entries.new_zeros((*mean.shape, self.channels))
        rows, columns = torch.triu_indices(self.channels, self.channels)
        factor[..., rows, columns] = entries
        level = self.averages(self.level(y).to(dtype)).permute(0, 2, 3, 1)
        level = positive_deviation(level)
        brightness = mean.clamp(min=DARKEST) if self.noise == "poisson" else level
        return Belief(mean, factor.mT @ factor, (level * brightness).expand_as(mean))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) in [0, 1] to the posterior mean (N, C, H, W)."""
        belief = self.belief(x)
        y = x.permute(0, 2, 3, 1).to(belief.mean.dtype)
        return belief.posterior_mean(y).permute(0, 3, 1, 2).to(x.dtype)


class _Average(nn.Module):
    """The mean over the image; or, where ``cell`` is set, over 5x5 cells around."""

    def __init__(self) -> None:
        super().__init__()
        self.cell: int | None = None

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        if self.cell is None or CELLS_PER_WINDOW * self.cell >= max(height, width):
            return x.mean(dim=(2, 3), keepdim=True).expand_as(x)
        cells = F.avg_pool2d(x, self.cell, ceil_mode=True, count_include_pad=False)
        means = F.interpolate(
            window_mean(cells), scale_factor=self.cell, mode="bilinear"
        )
        return means[..., :height, :width]

"""SDAP: random sub-samples of one image (Pan et al., ICCV 2023, arXiv 2307.16825).

The image is cut into cells of 5 x 5 pixels. Sub-sample k has one pixel of each cell, and
no two have the same: 25 images of one scene, with other noise. From each a blind-spot
network learns the next one. Its answer is that on the sub-images of stride 2, put
together and denoised once more as a whole (the paper's E): refinement without noise.

The paper's loss is a sum of 25 means, here it is their mean: Adam divides such a factor
away, but for its epsilon. The learning rate of the code is flat, and the paper has a
second stage at a tenth of it with larger crops; here one stage falls to a tenth.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.losses import Batch
from mid_core.methods.crops import NoisyCrops
from mid_core.methods.stage import Drawing
from mid_core.methods.strided import Strided
from mid_core.networks.layers import sub_images
from mid_core.patches import PatchSampler, Pool

LABEL = "SDAP (E)"
FAMILY = "self-supervised"
STAGES = """
blind:
  does: sdap.SubSamples
  sees: [noisy]
  options: {stride: 5}
  network: {name: dbsn, width: 128, modules: 9}
  training: {iterations: 80000, batch_size: 16, patch_size: 160, learning_rate: 1.0e-4, min_learning_rate: 1.0e-5, max_grad_norm: 0}
  answer: {does: pixel_shuffle.ByStride, stride: 2, refinements: 1, share: 0}
"""


@dataclass(frozen=True)
class SubSamples(Strided):
    """A blind-spot network learns from each sub-sample the next one.

    The stride is also the side of the cells.
    """

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return crops of the noisy images, the pixels of each cell in random order."""
        return _ShuffledCrops(pools["noisy"], *how, cell=self.stride)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean absolute error to the next sub-sample, the last to the first."""
        y, _ = batch
        parts = sub_images(y, self.stride)
        count = self.stride**2
        targets = parts.unflatten(0, (-1, count)).roll(-1, dims=1).flatten(0, 1)
        return F.l1_loss(network(parts).float(), targets)


def shuffled_cells(y: np.ndarray, cell: int, rng: np.random.Generator) -> np.ndarray:
    """Put the pixels of each cell in a random order of its own.

    Parameters
    ----------
    y
        (H, W, C), both sides multiples of ``cell``; colours of a pixel stay together.
    cell
        Side of the cells in pixels.

    Returns
    -------
    (H, W, C); the sub-images of stride ``cell`` are random sub-samples of ``y``.

    Examples
    --------
    >>> y = np.arange(8).reshape(2, 4, 1)
    >>> found = shuffled_cells(y, 2, np.random.default_rng(0))
    >>> [sorted(found[:, at : at + 2].ravel().tolist()) for at in (0, 2)]
    [[0, 1, 4, 5], [2, 3, 6, 7]]
    """
    height, width, colours = y.shape
    rows, columns = height // cell, width // cell
    cells = y.reshape(rows, cell, columns, cell, colours).swapaxes(1, 2)
    pixels = cells.reshape(rows * columns, cell**2, colours)
    order = rng.random(pixels.shape[:2], np.float32).argsort(axis=1)
    pixels = np.take_along_axis(pixels, order[..., None], axis=1)
    cells = pixels.reshape(rows, columns, cell, cell, colours).swapaxes(1, 2)
    return cells.reshape(y.shape)


@dataclass(frozen=True)
class _ShuffledCrops(NoisyCrops):
    """Noisy crops whose cells are shuffled."""

    cell: int = 1

    def _fill(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> None:
        super()._fill(x, y, rng)
        y[...] = shuffled_cells(y, self.cell, rng)
        x[...] = y

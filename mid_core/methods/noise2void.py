"""Noise2Void (Krull et al., CVPR 2019, arXiv 1811.10980).

A few pixels of each crop are replaced by a neighbour, and the network learns the noisy
value that was there. Where noise is independent from pixel to pixel, the best guess is
the clean value. That of photographs is not: then the network learns some noise as well.

Differences from the published code: one network for all colours, which sees those of a
pixel that are not replaced, instead of one network for each; 3x3 convolutions without
batch normalisation, a level deeper, instead of 5x5 ones with it; images in [0, 1] as
they are, not standardised; a cosine schedule instead of halving on a plateau.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from mid_core.losses import ERRORS, Batch
from mid_core.masking import Masking
from mid_core.methods.crops import NoisyCrops
from mid_core.methods.stage import Drawing, Stage
from mid_core.patches import PatchSampler, Pool

LABEL = "Noise2Void"
FAMILY = "self-supervised"
STAGES = """
network:
  does: noise2void.Replaced
  sees: [noisy]
  options: {box: 8, radius: 5, error: l1}
  network: {name: unet, width: 32, depth: 3}
  training: {iterations: 40000, batch_size: 16, patch_size: 64, learning_rate: 4.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 0}
"""

EACH_COLOUR = Masking(0.0, per="colour")


@dataclass(frozen=True)
class Replaced(Stage):
    """A network learns pixels that were replaced by their neighbours.

    Attributes
    ----------
    box
        Side of the boxes, in each of which one pixel is replaced.
    radius
        Its replacement is at most so many rows and columns away.
    error
        Name in ``losses.ERRORS``: ``l1`` in the published code, ``mse`` in the paper.
    """

    box: int = 8
    radius: int = 5
    error: str = "l1"

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return noisy crops with replaced pixels, as they were, and which these are."""
        return ReplacedPixels(pools["noisy"], *how, box=self.box, radius=self.radius)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean error of the replaced pixels.

        It is divided by how many are expected, one of ``box**2``: all parts of a
        batch count alike, and a crop without any does no harm.
        """
        shown, y, replaced = batch
        prediction = torch.where(replaced, network(shown).float(), y)
        return self.box**2 * ERRORS[self.error](prediction, y)


@dataclass(frozen=True)
class ReplacedPixels(NoisyCrops):
    """Noisy crops in which some pixels are replaced, each colour by itself.

    A batch is the input, the noisy crops as they were, and booleans: true = replaced;
    (N, C, H, W) each. Of each box one pixel is drawn, and dropped if the box reaches
    over the edge and it is outside. Its replacement is uniform in the square of
    ``radius`` around it, as far as that is in the crop; it may be the pixel itself.

    Examples
    --------
    >>> from mid_core.patches import InMemory
    >>> noisy = InMemory([("y", np.arange(33 * 47 * 3, dtype=np.uint16).reshape(33, 47, 3))])
    >>> shown, y, replaced = ReplacedPixels(noisy, 2, 16, seed=[0]).draw(0)
    >>> tuple(shown.shape), replaced.sum(dim=(2, 3)).tolist()
    ((2, 3, 16, 16), [[4, 4, 4], [4, 4, 4]])
    >>> bool((shown == y)[~replaced].all())
    True
    """

    masking: Masking = EACH_COLOUR
    box: int = 8
    radius: int = 5

    # Of each pixel the number of the one that replaces it; -1: none.
    MASK_DTYPE: ClassVar[type] = np.int64

    def _kept(
        self, shape: tuple[int, int, int], rng: np.random.Generator
    ) -> np.ndarray:
        side, _, colours = shape
        corners = np.arange(0, side, self.box)
        boxes = (len(corners), len(corners), colours)
        rows = corners[:, None, None] + rng.integers(0, self.box, boxes)
        columns = corners[:, None] + rng.integers(0, self.box, boxes)
        sources = self._near(rows, side, rng) * side + self._near(columns, side, rng)
        inside = (rows < side) & (columns < side)
        colour = np.broadcast_to(np.arange(colours), boxes)
        replacement = np.full(shape, -1, self.MASK_DTYPE)
        places = rows[inside], columns[inside], colour[inside]
        replacement[places] = sources[inside]
        return replacement

    def _near(
        self, centres: np.ndarray, side: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw a row, or a column, at most ``radius`` away and in the crop."""
        first = np.maximum(centres - self.radius, 0)
        last = np.minimum(centres + self.radius, side - 1)
        # Of a centre outside, which is dropped, the window may be empty.
        return rng.integers(first, np.maximum(first, last), endpoint=True)

    def _shown(self, y: Tensor, x: Tensor, kept: Tensor) -> tuple[Tensor, ...]:
        sources, pixels = kept.flatten(1, 2), y.flatten(1, 2)
        own = torch.arange(pixels.shape[1])[:, None]
        shown = pixels.gather(1, torch.where(sources < 0, own, sources))
        return shown.view_as(y), x, kept >= 0

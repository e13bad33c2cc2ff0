"""SASL (Li et al., "Spatially Adaptive Self-Supervised Learning", CVPR 2023).

A blind-spot network with a hole of 9x9 pixels is right where an image is flat; a network
that sees only 3x3 pixels, and learns from it, keeps texture. A U-Net learns from both,
each where it is better. The paper works in 0..255; here all is in [0, 1], and so only
the bounds of flatness are in grey levels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.losses import Batch
from mid_core.methods.stage import Stage, begin_with

LABEL = "SASL"
FAMILY = "self-supervised"
STAGES = """
teacher: at_bsn.teacher
local:
  does: sasl.Local
  sees: [noisy, before]
  options: {hole: 9}
  network: {name: blind_pair, width: 48, local_width: 64, local_blocks: 6, local_px: 3}
  training: {iterations: 400000, batch_size: 8, patch_size: 256, learning_rate: 3.0e-4, min_learning_rate: 0, max_grad_norm: 0}
unet:
  does: sasl.Adaptive
  sees: [noisy, before]
  options: {hole: 9}
  network: {name: skip_unet, width: 48, ending: n2n}
  training: {iterations: 400000, batch_size: 8, patch_size: 256, learning_rate: 3.0e-4, min_learning_rate: 0, max_grad_norm: 0}
"""

# Side of the windows of a standard deviation in pixels; where an image is flat, and
# where it is texture, in grey levels of 255.
WINDOW = 7
FLAT, TEXTURED = 1.0, 5.0


@dataclass(frozen=True)
class Local(Stage):
    """The local network learns what the blind-spot network predicts (stage 2).

    Both end in one model file, a ``BlindPair``; of it only the local one learns.

    Attributes
    ----------
    hole
        Of the blind-spot network: that of its training.
    """

    hole: int = 9

    def build(
        self, network: dict[str, Any], channels: int, seed: Sequence[int]
    ) -> nn.Module:
        """Return the pair, whose blind part is the network before, frozen.

        Raises
        ------
        MidError
            If the network before has another shape.
        """
        pair = super().build(network, channels, seed)
        begin_with(pair.blind, self.before, "network.width")  # type: ignore[arg-type]
        pair.blind.requires_grad_(False)  # type: ignore[operator]
        return pair

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean absolute error to the blind-spot network's prediction."""
        y = batch[0]
        with torch.no_grad():
            (target,) = self.before.predictions(y, [self.hole])  # type: ignore[union-attr, operator]
        return F.l1_loss(network(y).float(), target.float())


@dataclass(frozen=True)
class Adaptive(Stage):
    """A U-Net learns from the blind-spot and from the local network (stage 3).

    Attributes
    ----------
    hole
        Of the blind-spot network: that of its training.
    """

    hole: int = 9

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the weighted sum of the mean absolute errors to both."""
        y, pair = batch[0], self.before
        with torch.no_grad():
            blind = pair.blind.predictions(y, [self.hole])[0].float()  # type: ignore[union-attr, operator]
            local = pair.local(y).float()  # type: ignore[union-attr, operator]
            weight = local_weight(blind)
        x = network(y).float()
        flat = F.l1_loss((1 - weight) * x, (1 - weight) * blind)
        return flat + F.l1_loss(weight * x, weight * local)


def local_weight(x: Tensor) -> Tensor:
    """Return how much the local network counts at each pixel: alpha of the paper.

    It is sigmoid(std - 1) below a standard deviation of 1 grey level of 255, a half up to
    5, and sigmoid(std - 5) above; of the mean colour, in 7x7 pixels around each.

    Parameters
    ----------
    x
        The blind-spot network's prediction, (N, C, H, W) in [0, 1]; at least 4x4 pixels.

    Returns
    -------
    (N, 1, H, W), from sigmoid(-1) = 0.269 to 1.

    Examples
    --------
    >>> round(local_weight(torch.zeros(1, 3, 8, 9))[0, 0, 4, 4].item(), 3)
    0.269
    """
    grey = 255 * x.mean(dim=1, keepdim=True)
    grey = F.pad(grey, (WINDOW // 2,) * 4, mode="reflect")
    windows = grey.unfold(-2, WINDOW, 1).unfold(-2, WINDOW, 1)
    std = windows.std(dim=(-2, -1), correction=0)
    half = torch.full_like(std, 0.5)
    weight = torch.where(std < FLAT, torch.sigmoid(std - FLAT), half)
    return torch.where(std > TEXTURED, torch.sigmoid(std - TEXTURED), weight)

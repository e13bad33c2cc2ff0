"""AP-BSN: a blind spot for sub-images (Lee et al., CVPR 2022, arXiv 2203.11799).

Noise is correlated between neighbours, and a blind-spot network would pass it on. Pixels
5 apart have almost none of that, so the network learns on the sub-images of stride 5;
on those of stride 2, which keep more detail, it is used. What follows is R3: see
``pixel_shuffle.ByStride``. Three things differ from the paper's code. Sub-images are a
batch, not tiles of one image. Values are in [0, 1], not in 0..255, where a step of Adam
moves biases by less. R3 does not pad the image by two reflected pixels. The paper's
learning rate falls by a factor of 10 every 8 of its 20 epochs.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.losses import Batch
from mid_core.methods.strided import Strided
from mid_core.networks.layers import sub_images

LABEL = "AP-BSN + R3"
FAMILY = "self-supervised"
STAGES = """
blind:
  does: ap_bsn.Blind
  sees: [noisy]
  options: {stride: 5}
  network: {name: dbsn, width: 128, modules: 9}
  training: {iterations: 61000, batch_size: 8, patch_size: 120, learning_rate: 1.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 0}
  answer: {does: pixel_shuffle.ByStride, stride: 2, refinements: 8, share: 0.16}
"""


@dataclass(frozen=True)
class Blind(Strided):
    """A blind-spot network learns the noisy pixels of sub-images from one another."""

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean absolute error to the noisy pixels."""
        # Before sub-images are put together: the mean is the same.
        parts, targets = (sub_images(y, self.stride) for y in batch)
        return F.l1_loss(network(parts).float(), targets)

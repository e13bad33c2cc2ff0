"""Restormer on real pairs (Zamir et al., CVPR 2022, arXiv 2111.09881).

The published training enlarges its crops as it goes, from 128 to 384 pixels with 64 to 8
of them in a batch; here it is one size. AdamW with a weight decay of 1e-4 is Adam here.
Published steps have one rate for the first 92 000, and crops blended with each other
(mixup). The layer norms here have a bias and take off the mean, as in the authors' models
for Gaussian noise; those of their models for real noise do neither.
"""

LABEL = "Restormer"
FAMILY = "supervised"
STAGES = """
network:
  does: pairs.Pairs
  sees: [pairs]
  options: {error: l1}
  network: {name: restormer}
  training: {iterations: 300000, batch_size: 64, patch_size: 128, learning_rate: 3.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 0.01}
"""

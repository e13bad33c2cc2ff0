"""NAFNet on real pairs (Chen et al., ECCV 2022, arXiv 2204.04676).

The published loss is the PSNR itself; here it is the smooth absolute error. AdamW without
weight decay is Adam, here with torch's betas instead of (0.9, 0.9). The published crops
are not turned or mirrored; these are. Steps and batch are those of its width of 32.
"""

LABEL = "NAFNet"
FAMILY = "supervised"
STAGES = """
network:
  does: pairs.Pairs
  sees: [pairs]
  options: {error: charbonnier}
  network: {name: nafnet, width: 32, encoder: [2, 2, 4, 8], middle: 12, decoder: [2, 2, 2, 2]}
  training: {iterations: 200000, batch_size: 32, patch_size: 256, learning_rate: 1.0e-3, min_learning_rate: 1.0e-7, max_grad_norm: 0.01}
"""

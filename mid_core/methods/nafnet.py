"""NAFNet on real pairs (Chen et al., ECCV 2022, arXiv 2204.04676).

The published loss is the PSNR itself; here it is the smooth absolute error. AdamW
without weight decay is Adam.
"""

LABEL = "NAFNet"
FAMILY = "supervised"
STAGES = """
network:
  does: pairs.Pairs
  sees: [pairs]
  options: {error: charbonnier}
  network: {name: nafnet, width: 32, encoder: [2, 2, 4, 8], middle: 12, decoder: [2, 2, 2, 2]}
  training: {iterations: 400000, batch_size: 64, patch_size: 256, learning_rate: 1.0e-3, min_learning_rate: 1.0e-7, max_grad_norm: 0.01}
"""

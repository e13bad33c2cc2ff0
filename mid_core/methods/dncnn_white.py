"""DnCNN-B on white noise (Zhang et al., "Beyond a Gaussian Denoiser", IEEE TIP 2017).

The network of 2017 without any real noise: clean images, and white noise of levels as
in the config's ``method.awgn``; the paper's are uniform in [0, 55].
"""

LABEL = "DnCNN, white noise"
FAMILY = "synthetic pairs"
STAGES = """
network:
  does: pairs.White
  sees: [clean, white]
  options: {error: mse}
  network: {name: dncnn, width: 64, depth: 20, norm: batch}
  training: {iterations: 200000, batch_size: 128, patch_size: 50, learning_rate: 1.0e-3, min_learning_rate: 1.0e-6, max_grad_norm: 0}
"""

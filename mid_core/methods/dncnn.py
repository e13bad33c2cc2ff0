"""DnCNN on real pairs (Zhang et al., "Beyond a Gaussian Denoiser", IEEE TIP 2017).

The supervised network of 2017: 20 layers of 64 features, batch normalisation, mean
squared error. The paper trains by SGD and also by Adam; here it is Adam.
"""

LABEL = "DnCNN"
FAMILY = "supervised"
STAGES = """
network:
  does: pairs.Pairs
  sees: [pairs]
  options: {error: mse}
  network: {name: dncnn, width: 64, depth: 20, norm: batch}
  training: {iterations: 200000, batch_size: 128, patch_size: 50, learning_rate: 1.0e-3, min_learning_rate: 1.0e-6, max_grad_norm: 0}
"""

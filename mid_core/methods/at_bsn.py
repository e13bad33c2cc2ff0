"""AT-BSN (Chen et al., "Exploring Asymmetric Tunable Blind-Spots", CVPR 2024).

The large hole of the training keeps correlated noise out; the small one of the answer
brings detail back. The paper works in 0..255; here all is in [0, 1], where Adam's
epsilon is larger beside the gradients.
"""

LABEL = "AT-BSN"
FAMILY = "self-supervised"
STAGES = """
teacher:
  does: holes.Blind
  sees: [noisy]
  options: {hole: 9}
  network: {name: shifted_unet, width: 48, hole: 3}
  training: {iterations: 400000, batch_size: 8, patch_size: 256, learning_rate: 3.0e-4, min_learning_rate: 0, max_grad_norm: 0}
"""

"""TM-BSN: a triangular-masked blind-spot network (CVPR 2026, arXiv 2604.04484).

It learns each noisy pixel from those outside a diamond of radius 4 (hole 5), and
answers with one of radius 3 (hole 4). The paper keeps the learning rate for 200,000
steps before its cosine; here the cosine takes all 500,000.
"""

LABEL = "TM-BSN"
FAMILY = "self-supervised"
STAGES = """
teacher:
  does: holes.Blind
  sees: [noisy]
  options: {hole: 5}
  network: {name: triangular, width: 48, groups: 5, blocks: 5, hole: 4}
  training: {iterations: 500000, batch_size: 4, patch_size: 128, learning_rate: 1.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 0}
"""

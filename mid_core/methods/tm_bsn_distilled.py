"""TM-BSN (D): a plain student of a triangular-masked network (CVPR 2026, 2604.04484).

The teacher is that of TM-BSN. The student learns what it predicts with five holes at
once, and in each a fifth of the pixels is put back to the noisy ones. Its recipe is the
one of the published instructions; an earlier version of that code took 200,000 steps
with 8 crops, half of them at a flat learning rate.
"""

LABEL = "TM-BSN (D)"
FAMILY = "self-supervised"
STAGES = """
teacher: tm_bsn.teacher
student:
  does: holes.Student
  sees: [noisy, before]
  options: {holes: [2, 3, 4, 5, 6], recharge: true}
  network: {name: skip_unet, ending: tm_bsn}
  training: {iterations: 500000, batch_size: 4, patch_size: 128, learning_rate: 1.0e-4, min_learning_rate: 1.0e-6, max_grad_norm: 0}
"""

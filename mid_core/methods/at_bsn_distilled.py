"""AT-BSN (D): a plain U-Net learns from AT-BSN's answers with seven holes (CVPR 2024).

The paper gives two sizes for this student, "C"; here it is that of its code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from mid_core.methods import holes

LABEL = "AT-BSN (D)"
FAMILY = "self-supervised"
STAGES = """
teacher: at_bsn.teacher
student:
  does: at_bsn_distilled.Student
  sees: [noisy, before]
  options: {holes: [0, 1, 3, 5, 7, 9, 11]}
  network: {name: skip_unet, width: 48, ending: at_bsn}
  training: {iterations: 100000, batch_size: 8, patch_size: 128, learning_rate: 3.0e-4, min_learning_rate: 0, max_grad_norm: 0}
"""

# Of the student, what is fresh: the level where it ends.
FRESH = "features.decoders.4."


@dataclass(frozen=True)
class Student(holes.Student):
    """A student that starts from its teacher's weights, as far as there are such."""

    def build(
        self, network: dict[str, Any], channels: int, seed: Sequence[int]
    ) -> nn.Module:
        """Return the student; a weight of another shape than the teacher's is fresh."""
        student = super().build(network, channels, seed)
        own, before = student.state_dict(), self.before.state_dict()  # type: ignore[union-attr]
        same = {
            name: value
            for name, value in before.items()
            if name.startswith("features.")
            and not name.startswith(FRESH)
            and name in own
            and own[name].shape == value.shape
        }
        student.load_state_dict(own | same)
        return student

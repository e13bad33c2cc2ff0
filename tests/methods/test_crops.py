"""Factors that change on the way of a training."""

import numpy as np
import pytest

from mid_core.methods.crops import NoisyCrops, Ramp
from mid_core.patches import InMemory


@pytest.mark.parametrize(
    ("step", "begins", "value"),
    [
        *((0, 400, 2), (400, 400, 2), (700, 400, 11), (1000, 400, 20), (1500, 400, 20)),
        *((800, 800, 2), (900, 800, 11), (1000, 800, 20)),
        # Where it begins at its end it jumps there; where it begins later, then.
        *((999, 1000, 2), (1000, 1000, 20), (1000, 1200, 2)),
    ],
)
def test_a_ramp_rises_in_a_straight_line(step, begins, value):
    assert Ramp(2, 20, begins, ends=1000).at(step) == pytest.approx(value)


def test_a_batch_ends_with_the_ramp_of_its_step(rng):
    noisy = InMemory([("y", rng.random((33, 47, 3)).astype(np.float32))])
    own = {"batch_size": 3, "patch_size": 16, "seed": [0]}
    plain, ramped = (
        NoisyCrops(noisy, **own),
        NoisyCrops(noisy, **own, ramp=Ramp(0, 1, 0, 4)),
    )
    *batch, weight = ramped.draw(1, slice(1, 3))
    assert weight.flatten().tolist() == [0.25, 0.25]
    for one, other in zip(batch, plain.draw(1, slice(1, 3)), strict=True):
        assert (one == other).all()

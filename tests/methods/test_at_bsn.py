"""AT-BSN and its student: their losses, where the student starts, and trainings."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mid_config import registry
from mid_core.methods import at_bsn, at_bsn_distilled, stage_of
from mid_core.methods.holes import recharged
from mid_core.networks import build
from tests.conftest import Pool
from tests.methods.correlated import Pictures

SMALL = {"name": "shifted_unet", "width": 4}
HOLES = [0, 1, 3, 5]


def stages(method):
    return registry.method(method.__name__.rpartition(".")[2])["stages"]


@pytest.fixture(scope="module")
def pictures():
    return Pictures(np.random.default_rng(7))


@pytest.fixture(scope="module")
def teacher(pictures):
    """A trained one."""
    stage = stage_of(stages(at_bsn)["teacher"] | {"options": {"hole": 5}})
    network = build(SMALL)
    first, last = pictures.train(stage, network, 60)
    assert last < first / 2
    return network


def test_the_networks_are_the_papers():
    teacher, student = stages(at_bsn_distilled).values()
    with torch.device("meta"):
        networks = [build(stage["network"]) for stage in (teacher, student)]
    sizes = [sum(p.numel() for p in network.parameters()) for network in networks]
    assert sizes == [1_268_547, 1_003_011]
    assert networks[0].hole == 3
    assert student["options"]["holes"] == [0, 1, 3, 5, 7, 9, 11]


def test_the_teacher_learns_with_its_large_hole(rng):
    stage = stage_of(stages(at_bsn)["teacher"])
    network = build(SMALL | {"hole": 1})
    y = torch.tensor(rng.random((2, 3, 32, 32)), dtype=torch.float32)
    with torch.no_grad():
        found, wanted = stage.loss(network, (y, y)), network(y, hole=9)
    assert found.item() == pytest.approx((wanted - y).abs().mean().item())
    assert found.item() != pytest.approx((network(y) - y).abs().mean().item())


class Agreeing(torch.nn.Module):
    """A teacher that answers alike with every hole."""

    def predictions(self, y, holes):
        return [0.5 * y for _ in holes]


def test_the_loss_is_a_sum_over_targets(rng):
    _, student = stages(at_bsn_distilled).values()
    stage = stage_of(student, Agreeing())
    batches = stage.batches({"noisy": Pool(rng.random((33, 47, 3)))}, 2, 16, [0])
    batch = batches.draw(0)
    y = batch[0]
    loss = stage.loss(torch.nn.Identity(), batch)
    assert loss.item() == pytest.approx(7 * F.l1_loss(y, 0.5 * y).item())


def test_recharged_pixels_are_disjoint_and_complete(rng):
    stage = stage_of({"does": "holes.Student", "options": {"holes": HOLES}}, Agreeing())
    batches = stage.batches({"noisy": Pool(rng.random((33, 47, 3)))}, 2, 30, [0])
    y, _, choice = batches.draw(3)
    empty = torch.full_like(y, -1)
    back = torch.stack([one != -1 for one in recharged([empty] * 4, y, choice)])
    assert (back.sum(dim=0) == 1).all()
    # Alike in all colours, and a quarter each.
    assert (back == back[:, :, :1]).all()
    np.testing.assert_allclose(back.float().mean(dim=(1, 2, 3, 4)), 0.25, atol=0.05)


def test_the_student_starts_from_the_teacher():
    teacher = build(SMALL, seed=[1]).eval()
    stage = stage_of(stages(at_bsn_distilled)["student"], teacher)
    settings = {"name": "skip_unet", "width": 4, "ending": "at_bsn"}
    student, fresh = stage.build(settings, 3, [2]), build(settings, seed=[2])
    theirs, alone = teacher.state_dict(), fresh.state_dict()
    for name, value in student.state_dict().items():
        is_fresh = name.startswith(("features.decoders.4.", "ending."))
        assert torch.equal(value, (alone if is_fresh else theirs)[name]), name
        if name.endswith("weight") and not is_fresh:
            assert not torch.equal(value, alone[name]), name


def test_a_student_of_another_width_starts_fresh():
    stage = stage_of(stages(at_bsn_distilled)["student"], build(SMALL))
    settings = {"name": "skip_unet", "width": 5, "ending": "at_bsn"}
    fresh = build(settings, seed=[2]).state_dict()
    for name, value in stage.build(settings, 3, [2]).state_dict().items():
        if name.endswith("weight"):
            assert torch.equal(value, fresh[name]), name


def test_gradients_reach_the_student_only(rng):
    teacher = build(SMALL).eval()
    stage = stage_of(stages(at_bsn_distilled)["student"], teacher)
    student = stage.build({"name": "skip_unet", "width": 4}, 3, [0])
    batches = stage.batches({"noisy": Pool(rng.random((33, 47, 3)))}, 1, 32, [0])
    stage.loss(student, batches.draw(0)).backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert all(p.grad is not None for p in student.parameters())


def test_the_teacher_denoises(teacher, pictures):
    noisy = pictures.error(lambda y: y)
    assert pictures.error(teacher) < 0.5 * noisy


def test_the_student_denoises(teacher, pictures):
    settings = stages(at_bsn_distilled)["student"] | {"options": {"holes": HOLES}}
    stage = stage_of(settings, teacher)
    network = stage.build({"name": "skip_unet", "width": 4, "ending": "at_bsn"}, 3, [0])
    first, last = pictures.train(stage, network, 60)
    assert last < first / 2
    assert pictures.error(network) < 0.5 * pictures.error(lambda y: y)

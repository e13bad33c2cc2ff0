"""Steps of compared methods in a trial, by a clock that ticks once a look."""

from itertools import count

import pytest
import torch
import yaml

from mid_config.loading import load_config
from mid_config.plan import Plan
from mid_core.networks import build
from mid_core.planning import step_trial
from mid_core.planning.step_trial import pass_seconds, step_seconds
from mid_core.trainer import Training
from tests.conftest import ROOT, TINY

CPU = torch.device("cpu")
# What the methods see: pairs; white noise; networks before, the critics' ones too.
METHODS = ("vdn", "dncnn_white", "wu", "c2n", "scpgabnet", "apr_rd", "pn2v")


@pytest.fixture
def ticking(monkeypatch):
    """A clock on which every step takes a second."""
    ticks = count()
    monkeypatch.setattr(step_trial.time, "perf_counter", lambda: next(ticks))


@pytest.fixture(scope="module")
def plan():
    config = yaml.safe_load((ROOT / "config/real_noise.yaml").read_text())
    kept = {name: config["compared"][name] for name in METHODS}
    others = dict.fromkeys(config["compared"].keys() - kept.keys())
    return Plan(load_config([ROOT / "config/real_noise.yaml"], {"compared": others}))


@pytest.mark.parametrize("method", METHODS)
def test_a_step_of_a_part_of_the_batch_stands_for_the_whole(
    method, plan, ticking, monkeypatch
):
    trainings = [one.train for one in plan.rounds[method]]
    for k, settings in enumerate(trainings):
        training = settings["training"]
        monkeypatch.setattr(step_trial, "PIXELS", training["patch_size"] ** 2)
        whole = training["batch_size"]
        assert step_seconds(trainings, k, 3, CPU) == whole / min(2, whole)


def test_a_pass_is_a_third_of_a_step(ticking):
    seconds = pass_seconds(build(TINY), Training(10, 3, 16), CPU)
    assert seconds == pytest.approx(1 / (3 * 3 * 16**2))

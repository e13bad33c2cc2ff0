"""Inpainters of clean images: scored on held-out ones, while trained and at the end."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from torch import nn

from mid_core.batches import Batches
from mid_core.checkpoints.trainer_state import restore, state_of
from mid_core.evaluation.held_out import COLUMN, HeldOut
from mid_core.evaluation.noise_statistics import Statistics
from mid_core.jobs import status
from mid_core.jobs.dag import read_jobs
from mid_core.masking import Masking
from mid_core.networks import build
from mid_core.noise import white_gaussian
from mid_core.trainer import Trainer, Training
from mid_core.training import train
from tests.conftest import TINY, Pool
from tests.running import CONFIG
from tests.test_distillation import UNET

CPU = torch.device("cpu")
STEPS, CHECKS, EVERY = 11, 3, 4
PAPER = {
    "variant": "mid",
    "distilled": {"network": UNET, "targets": 2},
    "inpainting": {"mask_ratios": [0.5, 0.8], "crops": 3, "checks": 2},
}
RESULTS = "results/tiny"


@pytest.fixture
def batches(rng):
    clean = rng.integers(0, 256, (41, 33, 3), np.uint8)
    zeros = np.zeros((16, 16, 3), np.float16)
    return Batches(Pool(clean), Pool(zeros), 4, 16, Masking(0.5), False, [0, 0])


@pytest.fixture
def held_out(batches, rng):
    images = Pool(*(rng.integers(0, 256, (19, 25, 3), np.uint8) for _ in range(2)))
    return HeldOut(batches, images, 5, CHECKS, STEPS)


def trainer(network=None, **changes):
    settings = Training(
        **{"iterations": STEPS, "batch_size": 4, "patch_size": 16} | changes
    )
    return Trainer(network or build(TINY, seed=[0]), settings, CPU)


class Grey(nn.Module):
    """Says 0.5 when it is evaluated, and nonsense when it is trained."""

    channels = 3

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, y):
        return y * self.weight + (9 if self.training else 0.5)


def test_the_score_is_the_models_psnr_in_use(batches):
    images = Pool(np.full((16, 16, 3), 51, np.uint8))
    held_out = HeldOut(batches, images, 2, 1, STEPS)
    for ema_decay in (0, 0.9):
        taught = trainer(Grey(), ema_decay=ema_decay)
        # 10 log10(1 / 0.3**2)
        assert held_out.psnr_db(taught) == pytest.approx(10.4576, abs=1e-4)
        assert taught.network.training


def test_masks_hide_what_is_scored(batches, rng):
    images = Pool(rng.integers(200, 256, (40, 40, 3), np.uint8))

    class Same(Grey):
        def forward(self, y):
            return y + 0 * self.weight

    found = [
        HeldOut(replace(batches, masking=Masking(r)), images, 40, 1, 9).psnr_db(
            trainer(Same())
        )
        for r in (0.25, 0.5)
    ]
    # Twice as many pixels are lost: 3 dB less.
    assert found[0] - found[1] == pytest.approx(3.01, abs=0.3)


def test_checks_are_spread_evenly_and_the_last_is_at_the_end(batches, held_out):
    assert held_out.steps == {4, 7, 11}
    few = HeldOut(batches, batches.clean, 1, 10, 4)
    assert max(few.steps) == 4
    assert few.steps <= {0, 1, 2, 3, 4}


def weights(taught):
    return list(taught.model.state_dict().values())


def test_looking_changes_nothing_but_the_history(batches, held_out):
    seen, blind = trainer(), trainer()
    train(seen, batches, every=EVERY, score=held_out)
    train(blind, batches, every=EVERY)
    for a, b in zip(weights(seen), weights(blind), strict=True):
        assert torch.equal(a, b)
    assert [row["step"] for row in seen.history] == [4, 7, 8, 11]
    assert [row["step"] for row in seen.history if COLUMN in row] == [4, 7, 11]
    assert not any(COLUMN in row for row in blind.history)


class Cut(Exception):
    """The power is gone."""


@pytest.mark.parametrize("step", [4, 7, 8])
def test_a_training_that_was_cut_has_the_same_history_and_weights(
    step, batches, held_out
):
    whole, first, second = trainer(), trainer(), trainer()
    train(whole, batches, every=EVERY, score=held_out)
    file = io.BytesIO()

    def cut(now, *_):
        if now == step:
            torch.save(state_of(first), file)
            raise Cut

    with pytest.raises(Cut):
        train(first, batches, cut, EVERY, score=held_out)
    file.seek(0)
    restore(second, torch.load(file, weights_only=True))
    train(second, batches, every=EVERY, score=held_out)
    assert second.history == whole.history
    for a, b in zip(weights(second), weights(whole), strict=True):
        assert torch.equal(a, b)


def test_a_bank_without_noise_has_plain_statistics():
    statistics = Statistics()
    for _, noise in white_gaussian(2, 17, (0, 0), 3, seed=0):
        assert not noise.any()
        statistics.add(noise)
    found = statistics.summary()
    json.dumps(found, allow_nan=False)
    assert found["std"] == [0, 0, 0]
    assert found["zeros"] == 1


def config(**paper):
    return CONFIG | {"variants": {"mid": {}}, "paper": PAPER | paper}


def test_inpainters_see_clean_images_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs").mkdir()
    path = tmp_path / "config.yaml"
    shown = {"tables": {"rounds": ["mid", "inpaint_80"]}}
    path.write_text(yaml.safe_dump(config() | shown, sort_keys=False))
    plan = status.read_plan([path])
    jobs, truth = read_jobs([path], every_pool=True), plan.pool("noisy", "truth")
    model = f"{RESULTS}/inpaint_80/round_0/model.json"
    bank = plan.bank("inpaint_80", 0)
    assert "sigma_0-0_1x17px" in bank
    assert set(jobs[model].inputs) == {plan.pool("clean"), bank, truth}
    scores = jobs[plan.scores("inpaint_80", 0, "noisy")]
    assert set(scores.inputs) == {model, truth}
    assert plan.rounds["inpaint_80"][0].evaluate["num_masks"] == [1]
    # Other variants' trainings and scores have the params that they had.
    for name in ("held_out", "recharge"):
        assert name not in plan.rounds["mid"][0].train
    assert "of" not in plan.rounds["mid"][0].evaluate


def test_without_a_test_there_are_no_inpainters(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config() | {"tests": []}, sort_keys=False))
    assert not [v for v in status.read_plan([path]).rounds if "inpaint" in v]

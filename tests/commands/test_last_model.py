"""`mid denoise` without --model."""

import json
import os

import pytest

from mid_core.commands.last_model import last_model
from mid_core.errors import MidError


def ended(folder, dataset, at):
    """A run whose model is there, and which ended at that time."""
    model = folder / f"results/{dataset}/mid/round_1/model.safetensors"
    model.parent.mkdir(parents=True)
    model.touch()
    record = folder / f"results/{dataset}/last_model.json"
    text = json.dumps({"model": model.relative_to(folder).as_posix()})
    record.write_text(text)
    os.utime(record, (at, at))
    return model


def test_the_run_that_ended_last_gives_its_model(tmp_path, capsys):
    newer = ended(tmp_path, "a", 200)
    ended(tmp_path, "b", 100)
    assert last_model(tmp_path) == newer
    assert str(newer) in capsys.readouterr().out


def test_the_model_of_mid_run_is_found_from_beside_and_from_within(tmp_path):
    ended(tmp_path, "demo", 100)
    model = ended(tmp_path / "denoised/mid", "photos", 200)
    assert last_model(tmp_path) == last_model(tmp_path / "denoised") == model


def test_without_a_run_it_says_how_to_get_a_model(tmp_path):
    with pytest.raises(MidError, match="mid run FOLDER OUT"):
        last_model(tmp_path)


def test_a_model_that_is_gone_is_named(tmp_path):
    ended(tmp_path, "a", 100).unlink()
    with pytest.raises(MidError, match=r"round_1/model.safetensors, which is gone"):
        last_model(tmp_path)

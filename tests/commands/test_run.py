"""`mid run`: from a folder of noisy photos to denoised ones."""

import os
import re
from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest
import yaml

from mid_core.commands import run_config, run_workflow
from mid_core.commands import run_folder as module
from mid_core.commands.cli import main
from mid_core.commands.run_config import steps_in
from mid_core.commands.run_folder import run_folder
from mid_core.commands.run_request import Request
from mid_core.errors import MidError


def draw(folder, name, noise, seed, shape=(96, 130)):
    """A smooth picture with this much noise, of 255."""
    rng = np.random.default_rng(seed)
    light = np.linspace(60, 190, shape[1])[None, :, None] * np.ones((shape[0], 1, 3))
    image = light + rng.normal(0, noise, light.shape)
    folder.mkdir(exist_ok=True)
    iio.imwrite(folder / name, np.clip(np.round(image), 0, 255).astype(np.uint8))


@pytest.fixture
def request_for(tmp_path, monkeypatch):
    """A function that makes a request about images of some noise; nothing is run."""
    monkeypatch.setattr(module, "run_snakemake", lambda *_: None)
    monkeypatch.setattr(module, "_denoise", lambda *_: None)
    monkeypatch.setattr(run_config, "_step_seconds", lambda *_: 0.01)

    def make(noise, **more):
        draw(tmp_path / "noisy", "a.png", noise, 0)
        return Request(tmp_path / "noisy", tmp_path / "out", **more)

    return make


def test_steps_take_the_minutes():
    steps = steps_in(10, 0.02)
    total = steps["first"] + steps["taught"] + 3 * steps["trial"]
    assert 0.8 * 600 < 0.02 * total < 600
    assert steps_in(0, 0.02) == {"first": 20, "taught": 80, "trial": 10}


def test_what_has_hardly_any_noise_is_left_alone(request_for):
    with pytest.raises(MidError, match=r"no more than clean photos do: .*--force"):
        run_folder(request_for(0.5))
    request = request_for(0.5, force=True)
    run_folder(request)
    assert (request.folder / "config.yaml").is_file()


def test_the_config_says_what_was_asked(request_for, tmp_path):
    draw(tmp_path / "clean", "x.png", 0, 1)
    request = request_for(12, clean=tmp_path / "clean", minutes=5, cores=2)
    run_folder(request)
    config = yaml.safe_load((request.folder / "config.yaml").read_text())
    assert config["pools"]["clean"]["path"] == str(tmp_path / "clean")
    assert config["pools"]["noisy"]["path"] == str(tmp_path / "noisy")
    assert config["method"]["training"]["iterations"] == steps_in(5, 0.01)["first"]
    assert config["runtime"]["threads"] == 2
    assert iio.imread(request.out / "noise.png").size > 10_000


def test_pairs_only_score(request_for, tmp_path):
    for folder in ("before", "after"):
        draw(tmp_path / folder, "x.png", 0, 1)
    request = request_for(12, pairs=(tmp_path / "before", tmp_path / "after"))
    run_folder(request)
    config = yaml.safe_load((request.folder / "config.yaml").read_text())
    assert config["tests"] == ["pairs"]
    assert config["pools"]["pairs"]["truth"]["path"] == str(tmp_path / "after")
    request = request_for(12, pairs=(tmp_path / "before", tmp_path / "missing"))
    (request.folder / "config.yaml").unlink()
    with pytest.raises(MidError, match="missing is not a folder"):
        run_folder(request)


def test_a_second_call_goes_on_as_the_first_said(request_for, capsys):
    run_folder(request_for(12, minutes=5))
    request = request_for(12, minutes=50)
    before = (request.folder / "config.yaml").read_text()
    run_folder(request)
    assert (request.folder / "config.yaml").read_text() == before
    assert "going on as" in capsys.readouterr().out


def test_a_dry_run_leaves_no_config(request_for):
    request = request_for(12, dry_run=True)
    run_folder(request)
    assert not (request.folder / "config.yaml").exists()


def test_one_image_is_its_own_pattern(request_for, tmp_path):
    draw(tmp_path / "noisy", "a[1].png", 12, 0)
    request = Request(tmp_path / "noisy/a[1].png", tmp_path / "out")
    request_for(12)
    run_folder(request)
    config = yaml.safe_load((request.folder / "config.yaml").read_text())
    assert config["pools"]["noisy"]["pattern"] == "a[[]1[]].png"
    assert config["pools"]["clean"]["reader"] == "camera"


def test_a_trained_model_denoises_what_is_new_and_says_so(request_for, capsys):
    request = request_for(12)
    request.results.mkdir(parents=True)
    (request.results / "last_model.json").write_text("{}")
    run_folder(request)
    assert "to train again, for longer or with other" in capsys.readouterr().out
    assert not (request.folder / "config.yaml").exists()


def test_a_folder_with_files_of_the_images_names_is_refused(request_for, tmp_path):
    with pytest.raises(MidError, match=r"noisy already has files .*a\.png.*another"):
        run_folder(replace(request_for(12), out=tmp_path / "noisy"))
    assert [file.name for file in (tmp_path / "noisy").iterdir()] == ["a.png"]


def test_a_run_that_is_at_work_is_left_alone(tmp_path, monkeypatch):
    request = Request(tmp_path / "noisy", tmp_path / "out")
    locks = request.folder / ".snakemake/locks"
    locks.mkdir(parents=True)
    (locks / "0.input.lock").touch()
    started = []
    monkeypatch.setattr(run_workflow.subprocess, "Popen", started.append)

    def refused(folder):
        raise MidError(f"in {folder} is at work")

    monkeypatch.setattr(run_workflow, "recover", refused)
    with pytest.raises(MidError, match="out/mid is at work"):
        run_workflow.run_snakemake(request)
    assert not started


def test_jobs_of_a_cluster_have_the_threads_that_were_asked_for(request_for):
    assert request_for(12).threads == os.cpu_count()
    assert request_for(12, profile="slurm").threads == 1
    assert request_for(12, profile="slurm", cores=4).threads == 4


def test_a_model_without_a_record_denoises_too(tmp_path, monkeypatch):
    draw(tmp_path / "noisy", "a.png", 12, 0)
    request = Request(tmp_path / "noisy", tmp_path / "out")
    made = request.results / "mid/round_1/model.safetensors"
    made.parent.mkdir(parents=True)
    made.touch()
    monkeypatch.setattr(module, "run_snakemake", lambda *_: None)
    monkeypatch.setattr(run_config, "_step_seconds", lambda *_: 0.01)
    used = []
    monkeypatch.setattr(
        module, "denoise_files", lambda images, out, model, **_: used.append(model)
    )
    run_folder(request)
    assert used == [made]


@pytest.mark.slow
def test_a_dry_run_says_what_it_would_do(tmp_path, monkeypatch, capsys):
    for i in range(2):
        draw(tmp_path / "noisy", f"photo {i}.png", 25, i)
        draw(tmp_path / "clean", f"{i}.png", 0, 9 + i)
    monkeypatch.chdir(tmp_path)
    options = ["--clean", "clean", "--minutes", "0", "--cores", "1", "--dry-run"]
    monkeypatch.setattr("sys.argv", ["mid", "run", "noisy", "out", *options])
    main()
    said = capsys.readouterr().out
    assert "the noise is white" in said
    assert re.search(r"^train_round +2$", said, re.MULTILINE)
    assert not (tmp_path / "out/mid/results").exists()

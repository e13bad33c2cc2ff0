"""A run with ``rounds: auto``: measured noise, trials of mask ratios, a taught round."""

import json
import runpy
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from mid_config.loading import load_config
from mid_config.plan import Plan
from mid_core import training
from mid_core.commands.cli import main
from mid_core.store import Store
from tests.conftest import ROOT
from tests.running import changed, draw_images, jobs_of, snakemake

pytestmark = pytest.mark.slow
TRIALS = {"mask_ratios": [0, 0.5], "iterations": 2, "images": 2}
CHANGES = {
    "rounds": "auto",
    "trials": TRIALS,
    "taught": {"targets": 2, "training": {"iterations": 3}},
}
AUTO = changed(**CHANGES) | {"variants": {"mid": {}}}


def other(**changes) -> dict:
    """The same config with other settings of the method."""
    return AUTO | {"method": AUTO["method"] | changes}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The folder of a whole run."""
    folder = tmp_path_factory.mktemp("auto")
    draw_images(folder)
    run = snakemake(folder, AUTO)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.fixture(scope="module")
def results(ran):
    return ran / "results/tiny"


def read(path):
    return json.loads(path.read_text())


def test_trials_choose_a_ratio_and_round_0_takes_it(results):
    table = pd.read_csv(results / "mid/round_0/choice.csv")
    assert list(table["mask_ratio"]) == TRIALS["mask_ratios"]
    assert table["chosen"].sum() == 1
    assert table["images"].eq(2).all()
    assert (table["structure_taken"] >= 0).all()
    assert np.isfinite(table["structure_taken"]).all()
    chosen = table.loc[table["chosen"], "mask_ratio"].item()
    assert read(results / "mid/round_0/choice.json")["mask_ratio"] == chosen
    card = read(results / "mid/round_0/model.json")
    assert card["masking"]["mask_ratio"] == chosen
    assert card["training"]["iterations"] == 4
    # The scores say what was hidden, too.
    scores = pd.read_csv(results / "mid/round_0/scores/noisy.csv")
    assert scores["mask_ratio"].eq(chosen).all()


def test_the_first_bank_is_measured_on_the_noisy_images(results):
    look = read(results / "data/noisy/look.json")
    noisy = Store(results / "data/noisy/image.zarr")
    # The other one is 27 pixels high: too small for a look.
    assert look["images"] == ["noisy_0.png"]
    assert look["noisy"] == noisy.content
    bank = Store(results / "measured/noisy_3x17px_seed_0/noise.zarr")
    assert (len(bank), bank.sizes[0], bank.channels) == (3, (17, 17), 3)
    std = [255 * bank.read(i).astype(float).std() for i in range(3)]
    # The images have noise of 20 grey levels.
    assert 10 < min(std) <= max(std) < 40
    card = read(results / "mid/round_0/model.json")
    assert card["noise"] == bank.content


def test_the_second_round_is_taught_by_the_first(results):
    folder = results / "mid/round_1"
    targets, noisy = (
        Store(folder / "targets.zarr"),
        Store(results / "data/noisy/image.zarr"),
    )
    teacher = read(results / "mid/round_0/model.json")
    assert targets.attributes["model"] == teacher["sha256"]
    # Where nothing is hidden, all predictions of an image are one.
    each = 2 if teacher["masking"]["mask_ratio"] else 1
    assert len(targets) == each * len(noisy)
    assert not (folder / "noise.manifest.json").exists()
    card = read(folder / "model.json")
    assert card["targets"] == targets.content
    assert card["clean"] == Store(results / "data/clean/image.zarr").content
    assert (card["training"]["iterations"], card["clean_share"]) == (3, 0.5)
    assert card["masking"]["mask_ratio"] == 0
    assert list(pd.read_csv(folder / "history.csv")["step"]) == [3]


def test_the_taught_round_is_scored_by_one_pass(results):
    scores = pd.read_csv(results / "mid/round_1/scores/noisy.csv")
    assert set(scores["image"]) == {"noisy_0.png", "noisy_1.png"}
    assert set(scores["k"]) == {1}
    assert scores["psnr_db"].between(5, 60).all()
    table = pd.read_csv(results / "tables/rounds.csv")
    assert table["round"].dropna().max() == 1


def test_every_round_is_judged_without_its_scores(results):
    table = pd.read_csv(results / "tables/judged.csv")
    assert list(table["variant"]) == ["mid", "mid"]
    assert list(table["round"]) == [0, 1]
    assert np.isfinite(table[["structure_taken", "residual_std"]]).all(axis=None)
    assert table["verdict"].str.len().gt(0).all()


@pytest.mark.parametrize("k", [0, 1])
def test_the_model_of_either_round_denoises(k, ran, tmp_path, monkeypatch):
    model = ran / f"results/tiny/mid/round_{k}/model.safetensors"
    arguments = ["mid", "denoise", ran / "pairs", tmp_path / "out", "--model", model]
    monkeypatch.setattr("sys.argv", list(map(str, arguments)))
    main()
    files = {file.name for file in (tmp_path / "out").glob("*.png")}
    assert files == {f"{part}_{i}.png" for part in ("clean", "noisy") for i in (0, 1)}


def test_how_it_is_run_runs_nothing_again(ran):
    runtime = {"device": "cpu", "threads": 2, "tile": 256, "report_every": 7}
    runtime |= {"memory_gb": 1, "save_minutes": 1}
    assert jobs_of(snakemake(ran, AUTO | {"runtime": runtime}, "--dry-run")) == {}


def test_other_trials_are_tried_again_and_what_follows(ran):
    config = other(trials=TRIALS | {"iterations": 3})
    jobs = jobs_of(snakemake(ran, config, "--dry-run"))
    assert jobs["choose_ratio"] == 1
    assert jobs["train_round"] == 2
    assert jobs["distillation_targets"] == 1
    assert jobs["evaluate"] == 2
    assert not {"look", "measured_bank", "ingest", "check_pools"} & set(jobs)


def test_another_way_to_teach_tries_nothing_again(ran):
    taught = {"targets": 2, "training": {"iterations": 5}}
    jobs = jobs_of(snakemake(ran, other(taught=taught), "--dry-run"))
    assert (jobs["train_round"], jobs["evaluate"]) == (1, 1)
    assert not {"choose_ratio", "distillation_targets", "look"} & set(jobs)


def test_other_noisy_images_are_looked_at_again(ran, tmp_path):
    shutil.copytree(ran, tmp_path / "copy")
    image = tmp_path / "copy/pairs/noisy_1.png"
    shutil.copy(tmp_path / "copy/pairs/clean_1.png", image)
    jobs = jobs_of(snakemake(tmp_path / "copy", AUTO, "--dry-run"))
    rules = ("look", "measured_bank", "choose_ratio", "distillation_targets")
    assert [jobs[rule] for rule in rules] == [1] * len(rules)
    assert jobs["train_round"] == 2


def test_a_config_without_it_looks_at_nothing(finished):
    rules = {folder.name for folder in (finished / "results/tiny/logs").iterdir()}
    assert not {"look", "measured_bank", "choose_ratio"} & rules


def test_the_papers_diagram_knows_this_bank(ran):
    config = AUTO | {"paper": {"variant": "mid"}}
    run = snakemake(ran, config, "--", "results/tiny/figures/method.png")
    assert run.returncode == 0, run.stdout + run.stderr


class Files(dict):
    """Files by name, as Snakemake gives them."""

    __getattr__ = dict.__getitem__


def test_a_cut_choice_goes_on_with_the_trials_that_are_left(ran, tmp_path, monkeypatch):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(AUTO))
    plan = Plan(load_config([tmp_path / "config.yaml"], {}))
    data, trained = ran / "results/tiny", []
    bank = next(data.glob("measured/*/noise.manifest.json"))
    job = SimpleNamespace(
        params=SimpleNamespace(settings=plan.rounds["mid"][0].train, version=1),
        config=plan.config,
        wildcards=SimpleNamespace(variant="mid"),
        threads=1,
        input=Files(
            clean=str(data / "data/clean/image.manifest.json"),
            noisy=str(data / "data/noisy/image.manifest.json"),
            noise=str(bank),
        ),
        output=SimpleNamespace(
            choice=str(tmp_path / "choice.json"), table=str(tmp_path / "choice.csv")
        ),
        log=[str(tmp_path / "choose_ratio.log")],
    )
    whole = training.train

    def cut_in_the_second(trainer, *arguments):
        trained.append(trainer)
        if len(trained) == 2:
            signal.raise_signal(signal.SIGTERM)
        whole(trainer, *arguments)

    monkeypatch.setattr(training, "train", cut_in_the_second)
    script = str(ROOT / "workflow/scripts/choose_ratio.py")
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(script, {"snakemake": job}, "__main__")
    assert ended.value.code == 75
    assert "the trials that are done are kept" in Path(job.log[0]).read_text()
    runpy.run_path(script, {"snakemake": job}, "__main__")
    # The first one was not done again.
    assert len(trained) == 3
    found, once = (read(p / "choice.json") for p in (tmp_path, data / "mid/round_0"))
    assert found["trials"] == once["trials"]
    assert not (tmp_path / "choice.tried.json").exists()

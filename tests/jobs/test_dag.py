"""The jobs that are read from Snakemake's graph, against what its dry run says."""

import shutil
from collections import Counter

import pytest
import yaml

from mid_core.errors import MidError
from mid_core.jobs.dag import read_jobs
from tests.running import CONFIG, changed, draw_images, jobs_of, snakemake

MODEL = "results/tiny/mid/round_1/model.json"
BANK = "results/tiny/mid/round_1/noise.manifest.json"


def write(folder, config):
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return [path]


def files_of(folder):
    # Snakemake drops what a dry run knew of the times of files.
    every = (path for path in folder.rglob("*") if path.parent.name != "iocache")
    return {path for path in every if not path.is_dir()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    draw_images(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("target", [(), ("paper",)])
def test_they_are_those_of_a_dry_run(target, folder):
    asked = jobs_of(snakemake(folder, CONFIG, "--dry-run", *target))
    (folder / ".snakemake/locks/0.output.lock").write_text(MODEL)
    before = files_of(folder)
    jobs = read_jobs([folder / "config.yaml"], target)
    # A run may be at work; its lock and all else are left as they are.
    assert files_of(folder) == before
    rules = Counter(job.rule for job in jobs.values() if job.to_do)
    assert rules == {k: n for k, n in asked.items() if k not in ("all", "paper")}
    assert ("report" in rules) == bool(target)
    done = set()
    for name, job in jobs.items():
        assert name == job.outputs[0]
        # Each waits for those before it, which make its inputs.
        assert set(job.needs) <= done
        made = [path for one in job.needs for path in jobs[one].outputs]
        assert set(job.inputs) <= set(made)
        done.add(name)


def test_a_job_says_what_it_is_and_asks_for(folder):
    method = {
        "training": CONFIG["method"]["training"] | {"gpus": 2},
        "extraction": {"num_masks": 2, "gpus": 3},
    }
    config = changed(**method)
    config["runtime"] = config["runtime"] | {"device": "auto", "memory_gb": 3}
    jobs = read_jobs(write(folder, config))
    model, bank = jobs[MODEL], jobs[BANK]
    assert (model.rule, model.log) == (
        "train_round",
        "results/tiny/logs/train_round/mid_1.log",
    )
    assert model.benchmark == "results/tiny/benchmarks/train_round/mid_1.tsv"
    assert model.wildcards == {"dataset": "tiny", "variant": "mid", "k": "1"}
    assert BANK in model.needs
    assert "results/tiny/mid/round_0/model.json" in bank.inputs
    assert (model.gpus, bank.gpus) == (2, 3)
    # Two pools of 3 GB and 8 more, for each of the processes.
    assert (model.memory_mb, bank.memory_mb) == (2 * 14000, 3 * 16000)
    assert (model.minutes, bank.minutes) == (2880, 240)
    assert jobs["results/tiny/tables/rounds.csv"].gpus == 0


def test_data_sets_that_are_not_here_are_left_out_unless_asked_for(folder):
    shutil.rmtree(folder / "pairs")
    configs = write(folder, CONFIG)
    scores = "results/tiny/mid/round_1/scores/noisy.csv"
    assert scores not in read_jobs(configs)
    assert scores in read_jobs(configs, every_pool=True)


@pytest.mark.slow
def test_what_is_done_is_not_to_do(copied):
    assert not any(one.to_do for one in read_jobs(write(copied, CONFIG)).values())
    rounds = [{"mask_ratio": 0.8}, {"mask_ratio": 0.25}]
    jobs = read_jobs(write(copied, changed(rounds=rounds)))
    assert jobs[MODEL].to_do
    assert not jobs[BANK].to_do


def test_an_unknown_target_is_refused_in_snakemakes_words(folder):
    with pytest.raises(MidError, match=r"(?s)cannot list the jobs:.*nonsense"):
        read_jobs(write(folder, CONFIG), ["nonsense"])

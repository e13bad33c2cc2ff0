"""What `mid plan` says, against Snakemake's own graph, real runs and hand counts."""

import re
import shutil
from collections import Counter

import pytest
import torch
import yaml

from mid_config.plan import Plan
from mid_config.requests import memory_mb
from mid_core.commands.cli import main
from mid_core.errors import MidError
from mid_core.jobs import status
from mid_core.jobs.every_job import every_job
from mid_core.networks import build
from mid_core.planning.forecast import forecast
from mid_core.planning.graph import needs
from mid_core.planning.planned_jobs import planned_jobs
from mid_core.planning.speed import computed_speed, measured_speed
from mid_core.training import Training
from tests.conftest import ROOT, TINY
from tests.running import CONFIG, changed, draw_images, snakemake
from tests.workflow.test_sidd_run import data_sets, paper_config

CPU = torch.device("cpu")
MODEL = "results/tiny/mid/round_1/model.json"
BANK = "results/tiny/mid/round_1/noise.manifest.json"


def plan_of(folder, config):
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return status.read_plan([folder / "config.yaml"])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The images of the tiny config, on which nothing has run."""
    draw_images(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(finished, tmp_path, monkeypatch):
    """A copy of a finished run."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("paper", [False, True])
def test_the_graph_is_snakemakes(paper, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if paper:
        data_sets(tmp_path)
    else:
        draw_images(tmp_path)
    config = paper_config() if paper else CONFIG
    drawn = snakemake(tmp_path, config, "--dag").stdout
    rules = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)', drawn, re.MULTILINE))
    arrows = re.findall(r"^\s*(\d+) -> (\d+)", drawn, re.MULTILINE)
    theirs = Counter((rules[a], rules[b]) for a, b in arrows if rules[b] != "all")
    plan = plan_of(tmp_path, config)
    jobs, edges = every_job(plan), needs(plan)
    ours = Counter(
        (jobs[before].rule, jobs[result].rule)
        for result, own in edges.items()
        # Snakemake's lineage waits for the leaves only, by which for all.
        for before in own
        if jobs[result].rule != "lineage"
    )
    assert len(jobs) == len(rules) - 1
    assert ours == Counter({k: n for k, n in theirs.items() if k[1] != "lineage"})


@pytest.mark.slow
def test_the_memory_is_what_the_rules_ask_for(folder):
    said = snakemake(folder, CONFIG, "--dry-run").stdout
    blocks = re.findall(
        r"^(?:local)?rule (\w+):.*?mem_mb=(\d+)", said, re.MULTILINE | re.DOTALL
    )
    plan = plan_of(folder, CONFIG)
    assert {rule for rule, _ in blocks} == {j.rule for j in every_job(plan).values()}
    for rule, asked in blocks:
        assert memory_mb(rule, plan.config) == int(asked), rule


@pytest.mark.slow
def test_times_come_from_the_last_run(run):
    benchmark = run / "results/tiny/benchmarks/train_round/mid_1.tsv"
    lines = benchmark.read_text().splitlines()
    lines[1] = "\t".join(["4321.0", *lines[1].split("\t")[1:]])
    benchmark.write_text("\n".join(lines))
    jobs = planned_jobs(plan_of(run, CONFIG), {}, CPU)
    assert {one.source for one in jobs.values()} == {"last run"}
    assert jobs[MODEL].task.seconds == 4321
    assert all(one.memory_mb < 5000 for one in jobs.values())
    assert jobs[MODEL].memory_mb > 50
    assert (
        planned_jobs(plan_of(run, CONFIG), {}, CPU, anew=True)[MODEL].source == "trial"
    )


@pytest.mark.slow
def test_a_training_of_other_steps_is_tried_anew(run):
    training = CONFIG["method"]["training"] | {"iterations": 4000}
    jobs = planned_jobs(plan_of(run, changed(training=training)), {}, CPU)
    sources = {result: one.source for result, one in jobs.items()}
    assert [r for r in sources if sources[r] == "trial"] == [
        result for result, one in jobs.items() if one.job.rule == "train_round"
    ]
    # On another machine, the times of networks here are of no use.
    jobs = planned_jobs(plan_of(run, CONFIG), {}, CPU, rate=1e12)
    rules = {one.job.rule for one in jobs.values() if one.source == "computed"}
    assert rules == {"train_round", "extract_noise", "evaluate"}


@pytest.mark.slow
def test_several_gpus_share_a_training(folder):
    training = CONFIG["method"]["training"] | {"iterations": 10**6}
    plans = [
        planned_jobs(plan_of(folder, changed(training=training | ways)), {}, CPU, 1e9)
        for ways in ({}, {"gpus": 2})
    ]
    one, two = (jobs[MODEL].task for jobs in plans)
    assert (one.gpus, two.gpus) == (1, 2)
    assert one.seconds / two.seconds == pytest.approx(2, rel=0.01)


@pytest.mark.slow
def test_several_gpus_share_an_extraction(folder):
    plans = [
        planned_jobs(
            plan_of(folder, changed(extraction={"num_masks": 2} | ways)), {}, CPU, 1
        )
        for ways in ({}, {"gpus": 2})
    ]
    one, two = (jobs[BANK].task for jobs in plans)
    assert (one.gpus, two.gpus) == (1, 2)
    assert one.seconds / two.seconds == pytest.approx(2, rel=0.01)


def test_multiply_adds_are_those_of_the_paper():
    # Chen et al. 2022 count 16 G for NAFNet's width 32 on 256 x 256 pixels.
    network = build({"name": "nafnet"})
    speed = computed_speed(network, Training(10, 4, 64), rate=1e12)
    assert speed.pixel * 256**2 == pytest.approx(2 * 16e9 / 1e12, rel=0.02)
    assert speed.step == pytest.approx(4 * 64**2 * 3 * speed.pixel)


def test_a_trial_takes_no_time_that_is_not_there():
    speed = measured_speed(build(TINY), Training(10, 3, 16), CPU)
    # A pass is part of a step; a step of so small a network is far below a second.
    assert 0 < speed.pixel * 3 * 16**2 < speed.step < 5


def test_pools_that_are_not_here_are_counted_as_published(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = yaml.safe_load((ROOT / "config/sidd.yaml").read_text())
    config["pools"]["clean"]["split"]["share"] = 0.25
    config["pools"]["noisy"]["split"]["share"] = 0.25
    given = plan_of(tmp_path, config)
    pools = forecast(Plan(given.config), given.absent)
    counts = {pool: len(stacks["image"].sizes) for pool, stacks in pools.items()}
    assert counts == {
        "clean": 80,
        "noisy": 240,
        "validation": 1280,
        "benchmark": 1280,
        "dnd": 1000,
    }
    assert set(pools["validation"]) == {"image", "truth"}
    assert pools["dnd"]["image"].sizes[-1] == (512, 512)


def test_a_pool_of_unknown_size_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = plan_of(tmp_path, CONFIG)
    with pytest.raises(MidError, match="pool 'clean' is not at clean, and how large"):
        forecast(Plan(given.config), given.absent)


def test_a_few_images_stand_for_all(folder):
    for i in range(5):
        shutil.copy(folder / "clean/photo 0.jpg", folder / f"clean/more {i}.jpg")
    pools = forecast(plan_of(folder, CONFIG), {})
    sizes = pools["clean"]["image"].sizes
    assert len(sizes) == 7
    assert set(sizes) == {(41, 35), (27, 58)}


@pytest.mark.slow
def test_the_command_says_it_all(folder, monkeypatch, capsys):
    plan_of(folder, changed(training=CONFIG["method"]["training"] | {"gpus": 2}))
    arguments = ["mid", "plan", "config.yaml", "--gpus", "2,8", "--tflops", "0.5"]
    monkeypatch.setattr("sys.argv", arguments)
    main()
    said = capsys.readouterr().out
    assert said.startswith("plan of tiny: 24 jobs\n")
    assert "computed, not measured: GPUs that sustain 0.5 TFLOP/s" in said
    # 24 GB for each of its processes.
    assert re.search(r"^train_round +4 .*48 GB asked .*computed$", said, re.MULTILINE)
    assert re.search(r"^evaluate +4 .*computed$", said, re.MULTILINE)
    assert re.search(r"^all +24 ", said, re.MULTILINE)
    assert "longest chain of jobs, " in said
    assert re.search(r"^8 .*the longest chain$", said, re.MULTILINE)


@pytest.mark.parametrize("wrong", [["--gpus", "1,0"], ["--tflops", "-3"]])
def test_numbers_that_make_no_sense_are_refused(wrong, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["mid", "plan", *wrong])
    with pytest.raises(SystemExit):
        main()
    assert re.search(r"give (a number|numbers) above 0", capsys.readouterr().err)

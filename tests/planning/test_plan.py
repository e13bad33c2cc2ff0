"""What `mid plan` says, against real runs and hand counts."""

import re
import shutil

import pytest
import yaml

from mid_config.plan import Plan
from mid_core.commands.cli import main
from mid_core.errors import MidError
from mid_core.jobs import status
from mid_core.jobs.dag import Job, read_jobs
from mid_core.planning.disk_space import footprint
from mid_core.planning.forecast import forecast
from mid_core.planning.job_times import START_S, JobTimes
from mid_core.planning.plan_report import gpu_times, longest_chain
from tests.conftest import ROOT
from tests.running import CONFIG, changed, draw_images

MODEL = "results/tiny/mid/round_1/model.json"
TRAINING = CONFIG["method"]["training"]


def plan_of(folder, config):
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return status.read_plan([folder / "config.yaml"])


def job(rule, *needs, output="", gpus=0, **wildcards):
    """A job of the tiny config, such as Snakemake would list it."""
    name = "_".join(wildcards.values())
    benchmark = f"results/tiny/benchmarks/{rule}/{name}.tsv"
    return Job(
        *(rule, wildcards, [output], [], needs, "", benchmark),
        gpus=gpus,
        memory_mb=1,
        minutes=1,
        threads=1,
        to_do=True,
    )


TRAIN = job("train_round", output=MODEL, variant="mid", k="1")
EXTRACT = job("extract_noise", variant="mid", k="1")
EVALUATE = job("evaluate", variant="mid", k="1", pool="noisy")
EVERY = (TRAIN, EXTRACT, EVALUATE)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The images of the tiny config, on which nothing has run."""
    draw_images(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(copied):
    """A copy of a finished run, whose second training took 4321 seconds."""
    benchmark = copied / TRAIN.benchmark
    lines = benchmark.read_text().splitlines()
    lines[1] = "\t".join(["4321.0", *lines[1].split("\t")[1:]])
    benchmark.write_text("\n".join(lines))
    return copied


def times_of(folder, config, *options):
    plan = plan_of(folder, config)
    return JobTimes(plan, forecast(plan, {}), *options)


@pytest.mark.slow
def test_times_come_from_the_last_run(run):
    times = times_of(run, CONFIG)
    assert {times.time(one).source for one in EVERY} == {"last run"}
    assert times.time(TRAIN).seconds == 4321
    assert 50 < times.time(TRAIN).memory_mb < 5000
    assert times_of(run, CONFIG, None, True).time(TRAIN).source == "trial"
    # On another machine, the times of networks here are of no use.
    times = times_of(run, CONFIG, 1e12)
    assert {times.time(one).source for one in EVERY} == {"computed"}
    ingest = job("ingest", pool="clean", stack="image")
    assert times.time(ingest).source == "last run"
    # A training of other steps takes another time.
    times = times_of(run, changed(training=TRAINING | {"iterations": 4000}))
    sources = [times.time(one).source for one in EVERY]
    assert sources == ["trial", "last run", "last run"]


def test_the_work_of_each_kind_of_job(folder):
    rounds = [{"mask_ratio": 0.8}, {"mask_ratio": 0.3}, {"mask_ratio": 0}]
    config = changed(
        rounds=rounds,
        extraction={"num_masks": 5},
        evaluation={"num_masks": [1, 7]},
        training=TRAINING | {"iterations": 10**6},
    )
    times = times_of(folder, config, 1e9)

    def work(job):
        return times.time(job).seconds - START_S

    steps, drawn, scored = map(work, EVERY)
    # A step is three passes over 2 crops of 16 x 16; the noisy images have 41 x 35 and
    # 27 x 58 pixels.
    pixels = 41 * 35 + 27 * 58
    pixel = steps / (10**6 * 3 * 2 * 16**2)
    assert drawn == pytest.approx(5 * pixels * pixel)
    assert scored == pytest.approx(7 * pixels * pixel)
    sent = job("denoise_pool", variant="mid", k="1", pool="noisy", num_masks="3")
    assert work(sent) == pytest.approx(3 * pixels * pixel)
    # With nothing hidden, one pass is enough.
    last = job("evaluate", variant="mid", k="2", pool="noisy")
    assert work(last) == pytest.approx(pixels * pixel)


@pytest.mark.parametrize(
    ("stage", "one"), [("training", TRAIN), ("extraction", EXTRACT)]
)
def test_several_gpus_share_a_job(stage, one, folder):
    own = CONFIG["method"][stage]
    whole, half = (
        times_of(folder, changed(**{stage: own | {"gpus": n}}), 1).time(one).seconds
        for n in (1, 2)
    )
    assert whole / half == pytest.approx(2, rel=0.01)


def test_multiply_adds_are_those_of_the_paper(folder):
    # Chen et al. 2022 count 16 G for NAFNet's width 32 on 256 x 256 pixels.
    training = TRAINING | {"iterations": 1, "batch_size": 1, "patch_size": 256}
    awgn = {"count": 1, "size": 256}
    config = changed(network={"name": "nafnet"}, training=training, awgn=awgn)
    seconds = times_of(folder, config, 1e6).time(TRAIN).seconds
    assert seconds == pytest.approx(3 * 2 * 16e9 / 1e6, rel=0.02)


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


def test_the_longest_chain_and_the_least_time():
    # Two rounds of a, one of b, and a table of both, which takes no GPU.
    jobs = {
        "a0": job("train", gpus=1),
        "b0": job("train", gpus=2),
        "bank": job("extract", "a0", gpus=1),
        "a1": job("train", "bank", gpus=1),
        "table": job("table", "a1", "b0"),
    }
    seconds = {"a0": 5, "bank": 2, "a1": 5, "b0": 9, "table": 1}
    assert longest_chain(jobs, seconds) == ["a0", "bank", "a1", "table"]
    assert longest_chain(jobs, seconds | {"b0": 13}) == ["b0", "table"]
    # 30 seconds of a GPU, and a chain of 13.
    two, three = gpu_times(jobs, seconds, [2, 3]).splitlines()[1:]
    assert two.split(maxsplit=3) == ["2", "15", "s", "the number of GPUs"]
    assert three.split(maxsplit=3) == ["3", "13", "s", "the longest chain"]
    with pytest.raises(MidError, match="takes 2 GPUs: plan with as many, not 1"):
        gpu_times(jobs, seconds, [1])


def test_the_command_says_it_all_of_any_target(folder, monkeypatch, capsys):
    config = changed(training=TRAINING | {"gpus": 2, "iterations": 10**9})
    config["runtime"] = config["runtime"] | {"device": "auto"}
    plan = plan_of(folder, config)
    arguments = ["mid", "plan", "config.yaml", "--gpus", "2,8", "--tflops", "0.5"]
    monkeypatch.setattr("sys.argv", [*arguments, "--target", "paper"])
    main()
    said = capsys.readouterr().out
    assert said.startswith("plan of tiny: 27 jobs, 27 of them to do: ")
    assert "computed, not measured: GPUs that sustain 0.5 TFLOP/s" in said
    # 24 GB for each of its processes.
    assert re.search(
        r"^train_round +4 .*48 GB asked .*computed \(4\)$", said, re.MULTILINE
    )
    assert re.search(r"^evaluate +4 .*computed \(4\)$", said, re.MULTILINE)
    assert re.search(r"^report +1 .*start only \(1\)$", said, re.MULTILINE)
    assert re.search(r"^all +27 ", said, re.MULTILINE)
    assert "longest chain of jobs, " in said
    # Two trainings in a row, of four, and each takes both GPUs.
    assert re.search(r"^2 .*the number of GPUs$", said, re.MULTILINE)
    assert re.search(r"^8 .*the longest chain$", said, re.MULTILINE)
    # What is said to stay on disk are outputs of jobs.
    jobs = read_jobs([folder / "config.yaml"])
    assert footprint(plan, forecast(plan, {}), plan.asked()).keys() <= jobs.keys()


@pytest.mark.parametrize("wrong", [["--gpus", "1,0"], ["--tflops", "-3"]])
def test_numbers_that_make_no_sense_are_refused(wrong, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["mid", "plan", *wrong])
    with pytest.raises(SystemExit):
        main()
    assert re.search(r"give (a number|numbers) above 0", capsys.readouterr().err)

"""What `mid status` says of a small run: before it, at work, failed, killed, done."""

import re
import shlex
import subprocess
import sys
import time

import pytest
import yaml

from mid_core.errors import MidError
from mid_core.jobs import status
from mid_core.jobs.dag import Job
from mid_core.jobs.rule import run_rule
from mid_core.runtime.shipped import snakemake_command
from tests.conftest import ROOT
from tests.running import CONFIG, changed

LOG = "results/tiny/logs/train_round/mid_0.log"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder in which nothing has run."""
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def job(rule, *wildcards, to_do=True):
    """A job of Snakemake's graph, as `read_jobs` gives it."""
    own, name = dict(wildcards), "_".join(value for _, value in wildcards)
    facts = {"outputs": [f"results/tiny/{rule}{name}.json"], "inputs": [], "needs": []}
    facts |= {"log": f"results/tiny/logs/{rule}/{name}.log", "benchmark": ""}
    facts |= {"gpus": 0, "memory_mb": 9, "minutes": 9, "threads": 1, "to_do": to_do}
    return Job(rule=rule, wildcards={"dataset": "tiny"} | own, **facts)


def training(k="0", to_do=True):
    return job("train_round", ("variant", "mid"), ("k", k), to_do=to_do)


@pytest.fixture
def report(folder, monkeypatch):
    """What ``mid status`` says of jobs: its lines, and whether nothing has failed."""

    def read(*jobs):
        known = {one.outputs[0]: one for one in jobs}
        monkeypatch.setattr(status, "read_jobs", lambda *asked: known)
        text, sound = status.status([folder / "config.yaml"])
        return text.splitlines(), sound

    return read


def row(lines, name):
    return next(
        re.split(r"  +", line) for line in lines if line.startswith(f"{name}  ")
    )


def test_jobs_are_laid_out_by_rule_and_by_round(folder, report):
    extract = job("extract_noise", ("variant", "mid"), ("k", "1"))
    pools = [job("ingest", ("pool", name), to_do=name != "a") for name in "abc"]
    (folder / "results/tiny").mkdir(parents=True)
    # Its inputs are newer, or its settings others: Snakemake would do it again.
    (folder / pools[1].outputs[0]).touch()
    lines, sound = report(*pools, training(to_do=False), extract, training("1"))
    assert sound
    assert row(lines, "ingest") == ["ingest", "1 of 3 done, 1 out of date"]
    # In the order of the work, though the first round has only one of them.
    assert row(lines, "round") == ["round", "extract_noise", "train_round"]
    assert row(lines, "mid 0") == ["mid 0", "done"]
    assert row(lines, "mid 1") == ["mid 1", "waiting", "waiting"]
    assert lines[-1].startswith("tiny: 2 of 6 done, 1 out of date; next: snakemake")
    assert report(training(to_do=False))[0][-1] == "tiny: 1 of 1 done; nothing to do"


def test_a_failure_is_told_with_the_end_of_its_log(report):
    def fail():
        raise MidError("the loss became nan: lower training.learning_rate")

    with pytest.raises(SystemExit):
        run_rule(fail, LOG)
    lines, sound = report(training(), training("1"))
    assert not sound
    assert row(lines, "mid 0")[1] == "failed"
    at = lines.index("failed: train_round/mid_0")
    assert lines[at + 1] == "  the loss became nan: lower training.learning_rate"
    assert lines[at + 2].endswith(f"log: {LOG}")
    assert "mend what failed, then: snakemake" in lines[-1]
    # Done again, it is no failure any more.
    assert report(training(to_do=False))[1]


def test_a_running_and_a_killed_job(folder, report):
    log = folder / LOG
    code = (
        "from mid_core.jobs.rule import run_rule\n"
        "from mid_core.runtime.progress import TrainingReport\n"
        "import time\n"
        "def job():\n"
        "    TrainingReport('mid, round 0', 3)(3, 0.5, 1e-3)\n"
        "    time.sleep(60)\n"
        f"run_rule(job, {str(log)!r})"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as child:
        while not (log.exists() and "step 3" in log.read_text()):
            time.sleep(0.05)
        lines, sound = report(training())
        child.kill()
        child.wait()
    assert sound
    assert row(lines, "mid 0")[1] == "running"
    at = lines.index("running: train_round/mid_0")
    far = r"  mid, round 0: step 3 of 3, loss 0.50000, \S+ steps/s, 0 s left"
    assert re.fullmatch(far, lines[at + 2])
    assert f", process {child.pid}, since" in lines[at + 3]
    lines, sound = report(training())
    assert sound
    assert row(lines, "mid 0")[1] == "killed"
    assert "killed: train_round/mid_0" in lines
    assert "next: snakemake" in lines[-1]


def test_a_killed_run_is_to_be_recovered(folder, report):
    lock = folder / ".snakemake/locks/0.input.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    assert report(training())[0][-1].endswith("next: mid recover")


def test_a_wrong_config_is_a_sentence(folder):
    (folder / "config.yaml").write_text("dataset: a\npols: {}\n")
    with pytest.raises(MidError, match="'pols' is not a known key"):
        status.status([folder / "config.yaml"])


@pytest.mark.slow
def test_of_a_finished_run_a_changed_round_is_out_of_date(copied):
    text, sound = status.status(["config.yaml"])
    assert sound
    assert re.search(r"tiny: (\d+) of \1 done; nothing to do$", text)
    rounds = [{"mask_ratio": 0.8}, {"mask_ratio": 0.25}]
    text = yaml.safe_dump(changed(rounds=rounds), sort_keys=False)
    (copied / "config.yaml").write_text(text)
    lines = status.status(["config.yaml"])[0].splitlines()
    assert row(lines, "round") == ["round", "extract_noise", "train_round", "evaluate"]
    assert row(lines, "mid 0") == ["mid 0", "done", "done"]
    assert row(lines, "mid 1") == ["mid 1", "done", "out of date", "out of date"]
    command = [*snakemake_command(), "--cores", "all", "--configfile", "config.yaml"]
    assert f"next: {shlex.join(command)}" in lines[-1]

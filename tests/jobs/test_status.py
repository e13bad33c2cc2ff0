import logging
import re
import subprocess
import sys
import time

import pytest
import yaml

from mid_core.errors import MidError
from mid_core.jobs import status
from mid_core.jobs.log import read_attempt
from mid_core.runtime import progress
from mid_core.runtime.liveness import Process
from tests.conftest import ROOT
from tests.running import CONFIG, snakemake
from tests.workflow.test_sidd_run import data_sets, paper_config

VARIANTS = {
    **CONFIG,
    "variants": {"mid": {}, "short": {"rounds": [{"mask_ratio": 0.8}]}},
}
RESULTS = "results/tiny"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the images of a small config, in which nothing has run."""
    for name in ("clean", "pairs"):
        (tmp_path / name).mkdir()
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(VARIANTS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def report(folder):
    """What ``mid status`` says: its lines, and whether nothing has failed."""

    def read():
        text, sound = status.status([folder / "config.yaml"])
        return text.splitlines(), sound

    return read


def make(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def row(lines, name):
    return next(
        re.split(r"  +", line) for line in lines if line.startswith(f"{name}  ")
    )


def attempt(log, job):
    with pytest.raises(SystemExit):
        progress.run_rule(job, str(log))
    logging.basicConfig(force=True)


@pytest.mark.slow
@pytest.mark.parametrize("paper", [False, True])
def test_it_knows_every_job_of_the_workflow(paper, folder):
    config = paper_config() if paper else VARIANTS
    if paper:
        data_sets(folder)
    run = snakemake(folder, config, "--dry-run")
    said = run.stdout + run.stderr
    plan = status.read_plan([folder / "config.yaml"])
    jobs = [*status.pool_jobs(plan), *status.round_jobs(plan)]
    jobs += status.result_jobs(plan)
    assert {str(job.log) for job in jobs} == set(re.findall(r"    log: (\S+)", said))
    made = re.findall(r"    output: (.+)", said)
    for job in jobs:
        assert any(str(job.result) in outputs.split(", ") for outputs in made)


def test_done_is_what_has_its_result(folder, report):
    lines, sound = report()
    assert sound
    assert row(lines, "mid 0") == ["mid 0", "waiting", "waiting", "waiting"]
    for name in ("mid/round_0/model.json", "mid/round_0/scores/noisy.csv"):
        make(folder / RESULTS / name)
    make(folder / RESULTS / "data/noisy/truth.files.json")
    lines, sound = report()
    assert row(lines, "mid 0") == ["mid 0", "waiting", "done", "done"]
    # The short variant's only round is the other's first.
    shared = ["short 0", "waiting", "done (mid's)", "done (mid's)"]
    assert row(lines, "short 0") == shared
    assert row(lines, "noisy") == ["noisy", "1 of 2 done", "waiting"]
    # 6 of three stacks, 1 check, 2 banks, 2 trainings, 2 scores, 6 results.
    assert "3 of 19 done; next: snakemake --cores all --configfile" in lines[-1]


def test_all_done_names_no_job(folder, report):
    plan = status.read_plan([folder / "config.yaml"])
    for jobs in (status.pool_jobs, status.round_jobs, status.result_jobs):
        for job in jobs(plan):
            make(folder / job.result)
    lines, sound = report()
    assert sound
    assert lines[-1].startswith("tiny: 19 of 19 done; `snakemake -n` says")


def test_a_failure_is_told_with_the_end_of_its_log(folder, report):
    def job():
        raise MidError("the loss became nan: lower training.learning_rate")

    log = f"{RESULTS}/logs/train_round/mid_0.log"
    attempt(folder / log, job)
    lines, sound = report()
    assert not sound
    assert row(lines, "mid 0")[2] == "failed"
    assert row(lines, "short 0")[2] == "failed (mid's)"
    at = lines.index("failed: train_round/mid_0")
    assert lines[at + 1] == "  the loss became nan: lower training.learning_rate"
    assert lines[at + 2].endswith(f"log: {log}")
    assert "mend what failed, then: snakemake" in lines[-1]
    # Done again, it is no failure any more.
    make(folder / RESULTS / "mid/round_0/model.json")
    lines, sound = report()
    assert sound
    assert "failed" not in "".join(lines)


def test_a_running_and_a_killed_job(folder, report):
    log = folder / RESULTS / "logs/train_round/mid_0.log"
    code = (
        "from mid_core.runtime.progress import TrainingReport, run_rule\n"
        "import time\n"
        "def job():\n"
        "    TrainingReport('mid, round 0', 3)(3, 0.5, 1e-3)\n"
        "    time.sleep(60)\n"
        f"run_rule(job, {str(log)!r})"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as child:
        while not (log.exists() and read_attempt(log).far):
            time.sleep(0.05)
        lines, sound = report()
        child.kill()
        child.wait()
    assert sound
    assert row(lines, "mid 0")[2] == "running"
    at = lines.index("running: train_round/mid_0")
    assert re.fullmatch(
        r"  step 3 of 3, loss 0.50000, \S+ steps/s, 0 s left", lines[at + 1]
    )
    assert f"{Process.this().host}, process {child.pid}, since" in lines[at + 3]
    lines, sound = report()
    assert sound
    assert row(lines, "mid 0")[2] == "stopped"
    assert "killed, as it is neither finished nor alive" in "".join(lines)
    assert "next: snakemake" in lines[-1]


def test_a_killed_run_is_to_be_recovered(folder, report):
    make(folder / ".snakemake/locks/0.input.lock")
    assert report()[0][-1].endswith("next: mid recover")


def test_a_wrong_config_is_a_sentence(folder):
    (folder / "config.yaml").write_text("dataset: a\npols: {}\n")
    with pytest.raises(MidError, match="'pols' is not a known key"):
        status.status([folder / "config.yaml"])


@pytest.mark.slow
def test_it_needs_no_heavy_library(folder):
    code = "import sys; from mid_core.commands.cli import main; main()\n"
    code += "print({'torch', 'zarr', 'snakemake', 'scipy'} & set(sys.modules))"
    said = subprocess.run(
        [sys.executable, "-c", code, "status", "config.yaml"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.endswith("set()\n")

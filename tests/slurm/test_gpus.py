"""Who holds a GPU, and when, by SLURM's own records."""

import re
from datetime import datetime

import pytest

from tests.slurm.checkout import COMMAND, PATIENCE, QUICK, TWO_VARIANTS

pytestmark = pytest.mark.exhaustive
MODEL = "results/tiny/mid/round_0/model.json"
VARIANTS = TWO_VARIANTS["variants"] | {"half": {"rounds": [{"mask_ratio": 0.5}]}}
SCORES = [f"results/tiny/{name}/round_0/scores/noisy.csv" for name in VARIANTS]


def time_of(job: dict[str, str], event: str) -> datetime:
    return datetime.fromisoformat(job[f"{event}Time"])


def test_two_gpu_jobs_run_side_by_side_and_the_third_waits(prepared):
    prepared.configure(TWO_VARIANTS | {"variants": VARIANTS})
    # The config says cpu, as no GPU is behind the device files.
    gpus = ("--set-resources", "train_round:gpu=1", "--")
    prepared.run(*COMMAND, *QUICK, *gpus, *SCORES)
    training, scoring = prepared.jobs("train_round"), prepared.jobs("scores")
    # The scores go in one lot.
    assert (len(training), len(scoring)) == (3, 1)
    assert {job.get("TresPerJob") for job in training} == {"gres:gpu:1"}
    assert {job.get("TresPerJob") for job in scoring} == {None}
    first, second, third = sorted(training, key=lambda job: time_of(job, "Start"))
    end = min(time_of(job, "End") for job in (first, second))
    assert time_of(second, "Start") < end
    assert time_of(third, "Submit") < end <= time_of(third, "Start")


def test_a_job_whose_gpu_does_not_work_fails_before_any_step(prepared):
    """SLURM gives it one of the device files, in which torch sees no GPU."""
    runtime = TWO_VARIANTS["runtime"] | {"device": "cuda"}
    prepared.configure(TWO_VARIANTS | {"runtime": runtime})
    command = (*COMMAND, *QUICK, "--retries", "0", "--", MODEL)
    with prepared.started(*command) as run:
        assert run.wait(PATIENCE) != 0
    (job,) = prepared.jobs("train_round")
    assert (job["JobState"], job["TresPerJob"]) == ("FAILED", "gres:gpu:1")
    said = (prepared.results / "logs/train_round/mid_0.log").read_text()
    number = job["JobId"]
    assert f"SLURM job {number} has no device 'cuda'" in said
    assert re.search(r"^node: \S", said, re.MULTILINE)
    assert re.search(r"^CUDA_VISIBLE_DEVICES=[01]$", said, re.MULTILINE)
    # No accounts are kept here.
    assert f"submitted by: JobId={number} " in said
    assert not (prepared.results / "mid/round_0/training").exists()

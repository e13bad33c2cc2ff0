"""Who holds a GPU, and when, by SLURM's own records."""

from datetime import datetime

import pytest

from tests.slurm.checkout import COMMAND, QUICK, TWO_VARIANTS

pytestmark = pytest.mark.slow
VARIANTS = TWO_VARIANTS["variants"] | {"half": {"rounds": [{"mask_ratio": 0.5}]}}
SCORES = [f"results/tiny/{name}/round_0/scores/noisy.csv" for name in VARIANTS]


def time_of(job: dict[str, str], event: str) -> datetime:
    return datetime.fromisoformat(job[f"{event}Time"])


def test_two_gpu_jobs_run_side_by_side_and_the_third_waits(prepared):
    prepared.configure(TWO_VARIANTS | {"variants": VARIANTS})
    # The config says cpu, as no GPU is behind the device files.
    gpus = ("--set-resources", "train_round:gpu=1", "--")
    prepared.run(*COMMAND, *QUICK, *gpus, *SCORES)
    training, scoring = prepared.jobs("train_round"), prepared.jobs("evaluate")
    assert len(training) == len(scoring) == 3
    assert {job.get("TresPerJob") for job in training} == {"gres:gpu:1"}
    assert {job.get("TresPerJob") for job in scoring} == {None}
    first, second, third = sorted(training, key=lambda job: time_of(job, "Start"))
    end = min(time_of(job, "End") for job in (first, second))
    assert time_of(second, "Start") < end
    assert time_of(third, "Submit") < end <= time_of(third, "Start")

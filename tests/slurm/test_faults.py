"""Trainings that a cluster disturbs end in the weights of those that nobody did."""

import os
import re
import signal
from pathlib import Path

import pytest

from mid_core.jobs.log import attempts_path, read_attempt
from tests.slurm.checkout import COMMAND, PATIENCE, QUICK, TWO_VARIANTS, Checkout
from tests.slurm.cluster import wait_until

pytestmark = pytest.mark.exhaustive
VARIANTS = tuple(TWO_VARIANTS["variants"])
MODELS = [f"results/tiny/{name}/round_0/model.json" for name in VARIANTS]
TRAIN = (*COMMAND, *QUICK, "--", *MODELS)


def log(checkout: Checkout, variant: str) -> Path:
    return checkout.results / f"logs/train_round/{variant}_0.log"


def hold(checkout: Checkout) -> list[str]:
    """Stop each training behind its first save; return their SLURM jobs.

    SLURM's signals set them going again, if only to end.
    """
    left = set(VARIANTS)

    def held() -> bool:
        for name in sorted(left):
            if list(checkout.results.glob(f"{name}/round_0/training/*/*.pt")):
                started = read_attempt(log(checkout, name)).start
                pid = int(re.search(r"process (\d+)", started)[1])
                os.kill(pid, signal.SIGSTOP)
                left.remove(name)
        return not left

    wait_until(held, "the first saves")
    return [checkout.jobs("train_round", name)[0]["JobId"] for name in VARIANTS]


def fates(checkout: Checkout) -> list[list[tuple[str, str]]]:
    """How the jobs of each training ended, and how often SLURM restarted them."""
    return [
        [
            (job["JobState"], job["Restarts"])
            for job in checkout.jobs("train_round", name)
        ]
        for name in VARIANTS
    ]


def assert_resumed(checkout: Checkout, undisturbed: Checkout) -> None:
    """Two attempts, of which the second went on, made what one would have."""
    for name in VARIANTS:
        attempts = attempts_path(log(checkout, name)).read_text()
        assert attempts.count(f"started: train_round/{name}_0") == 2
        assert re.search(r"resumed at step [1-9]", attempts)
        assert checkout.digests(name) == undisturbed.digests(name)


def test_snakemake_submits_again_what_slurm_ended(prepared, undisturbed, cluster):
    with prepared.started(*TRAIN) as run:
        mid, no_mask = hold(prepared)
        cluster.run("scontrol", "update", f"JobId={mid}", "EndTime=now")
        cluster.run("scancel", no_mask)
        assert run.wait(PATIENCE) == 0, prepared.said
    assert fates(prepared) == [
        [("TIMEOUT", "0"), ("COMPLETED", "0")],
        [("CANCELLED", "0"), ("COMPLETED", "0")],
    ]
    assert_resumed(prepared, undisturbed)


def test_slurm_restarts_what_is_requeued_or_was_on_a_dead_node(
    prepared, undisturbed, cluster
):
    with prepared.started(*TRAIN) as run:
        mid, _ = hold(prepared)
        cluster.run("scontrol", "requeue", mid)
        # Else the crash might be the only reason for which it starts again.
        wait_until(lambda: fates(prepared)[0][0][1] == "1", "the restart")
        cluster.crash_the_node()
        assert run.wait(PATIENCE) == 0, prepared.said
    # The same jobs: Snakemake did not notice.
    assert fates(prepared) == 2 * [[("COMPLETED", "1")]]
    assert_resumed(prepared, undisturbed)


def test_after_jobs_vanished_the_same_command_finishes(prepared, undisturbed, cluster):
    with prepared.started(*TRAIN) as run:
        hold(prepared)
        cluster.lose_the_queue()
        wait_until(lambda: not cluster.work(), "the end of jobs that SLURM forgot")
        # Snakemake would wait for ever: squeue may only be late. Ctrl-C ends that.
        run.send_signal(signal.SIGINT)
        assert run.wait(PATIENCE) != 0
    prepared.run(*TRAIN)
    assert fates(prepared) == 2 * [[("COMPLETED", "0")]]
    assert_resumed(prepared, undisturbed)

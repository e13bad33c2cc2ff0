"""Lists of jobs on GPUs, against times worked out by hand."""

import pytest

from mid_core.errors import MidError
from mid_core.planning.scheduling import Task, longest_chain, time_taken


def task(seconds, *needs, gpus=1):
    return Task(seconds, gpus, frozenset(needs))


# Two rounds of a, one of b, and a table of both, which takes no GPU.
TWO = {
    "a0": task(5),
    "bank": task(2, "a0"),
    "a1": task(5, "bank"),
    "b0": task(4),
    "table": task(1, "a1", "b0", gpus=0),
}


@pytest.mark.parametrize(("gpus", "seconds"), [(1, 17), (2, 13), (64, 13)])
def test_what_is_ready_starts_by_the_length_of_what_follows(gpus, seconds):
    # One GPU: 5 + 2 + 5 + 4, then the table. Two: b0 runs beside a0.
    assert time_taken(TWO, gpus) == seconds


def test_the_longest_chain():
    assert longest_chain(TWO) == ["a0", "bank", "a1", "table"]
    long = TWO | {"b0": task(13)}
    assert longest_chain(long) == ["b0", "table"]


def test_a_job_of_several_gpus_waits_until_they_are_free():
    # The wide job is first in line, but the short ones hold a GPU each; only when both
    # have ended, after 3, does it start.
    jobs = {
        "first": task(1),
        "other": task(3),
        "wide": task(10, "first", gpus=2),
        "late": task(2, "first"),
    }
    # other and first until 1; late from 1 to 3 beside other; wide from 3 to 13.
    assert time_taken(jobs, 2) == 13
    assert time_taken(jobs, 3) == 11
    with pytest.raises(MidError, match="takes 2 GPUs: plan with as many, not 1"):
        time_taken(jobs, 1)


def test_jobs_without_gpu_wait_for_no_place():
    jobs = {f"cpu {i}": task(7, gpus=0) for i in range(9)} | {"gpu": task(3)}
    assert time_taken(jobs, 1) == 7

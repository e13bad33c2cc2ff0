"""What `mid run` says of how far it is."""

import pytest

from mid_core.commands.run_progress import progress, works

STEPS = {"trial": 100, "first": 600, "taught": 2400}


@pytest.fixture
def planned(tmp_path):
    return works(tmp_path, STEPS, trials=3)


def tell(work, *lines):
    """Write a log as trainings do."""
    work.log.parent.mkdir(exist_ok=True)
    head = "2026-01-02 03:04:05,678 INFO "
    work.log.write_text("".join(f"{head}{line}\n" for line in ("started", *lines)))


def test_nothing_is_said_before_the_first_step(planned):
    assert progress(planned) == ""
    tell(planned[0], "0.03 GB, held in memory")
    assert progress(planned) == ""


def test_all_that_is_left_is_counted_at_the_last_rate(planned):
    tell(
        planned[0],
        "trial, 0 hidden: step 50 of 100, loss 0.1, 1 steps/s, 50 s left",
        "trial, 0 hidden: step 100 of 100, loss 0.1, 1 steps/s, 0 s left",
        "trial, 0.8 hidden: step 60 of 100, loss 0.1, 7.5 steps/s, 5 s left",
    )
    # 140 steps to go of the trials, then 3000: at 7.5 a second nearly 7 minutes.
    assert progress(planned) == (
        "1 of 3, trials of how many pixels to hide: step 160 of 300, "
        "about 7.0 min of training left"
    )
    tell(planned[1], "mid, round 0: step 600 of 600, loss 0.1, 2e+01 steps/s, 0 s left")
    assert progress(planned) == (
        "2 of 3, first training: step 600 of 600, about 2.0 min of training left"
    )


def test_what_was_chosen_early_is_not_left(planned):
    """A run that was cut goes on with the second training, and its trials' log is gone."""
    tell(planned[2], "mid, round 1: step 2390 of 2400, loss 0.1, 5 steps/s, 2 s left")
    assert progress(planned) == (
        "3 of 3, second training: step 2390 of 2400, about 2 s of training left"
    )

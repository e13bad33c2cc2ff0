import os
import time
from pathlib import Path

import pytest

from mid_core.jobs.log import PATIENCE_S, job_name, read_attempt

ELSEWHERE = "started: train_round/mid_0 on n7, process 4, SLURM job 81, 12.50 s after"
STAMP = "2026-11-23 22:48:12,182"


def written(path, *lines, age=0.0):
    """A log of these lines, each with time and level, written so many seconds ago."""
    path.write_text("".join(f"{STAMP} {line}\n" for line in lines))
    moment = time.time() - age
    os.utime(path, (moment, moment))
    return read_attempt(path)


def test_a_log_is_named_after_its_job():
    assert job_name(Path("results/a/logs/train_round/mid_0.log")) == "train_round/mid_0"
    assert job_name(Path("results/a/logs/lineage.log")) == "lineage"


def test_the_last_line_of_progress_is_found(tmp_path):
    attempt = written(
        tmp_path / "a.log",
        f"INFO {ELSEWHERE} its boot",
        "INFO mid, round 0: step 200 of 1800, loss 0.00103, 16 steps/s, 100 s left",
        "INFO mid, round 0: step 400 of 1800, loss 0.00068, 16 steps/s, 88 s left",
        "WARNING a picture of 3 of 4 parts",
    )
    assert attempt.far == "step 400 of 1800, loss 0.00068, 16 steps/s, 88 s left"
    assert str(attempt.process) == "n7, process 4, SLURM job 81"
    assert attempt.since == "2026-11-23 22:48:12"


@pytest.mark.parametrize(
    ("age", "state"),
    [(5, "running"), (PATIENCE_S + 60, "stopped"), (-7200, "running")],
)
def test_a_job_elsewhere_lives_while_it_writes(age, state, tmp_path):
    # -7200: the clock of the file server is two hours ahead of ours.
    attempt = written(tmp_path / "a.log", f"INFO {ELSEWHERE} its boot", age=age)
    assert attempt.state == state
    assert attempt.quiet_s >= 0


@pytest.mark.parametrize(
    ("last", "state"),
    [
        ("INFO finished", "finished"),
        ("INFO failed", "failed"),
        ("INFO interrupted: the time is up", "stopped"),
        ("INFO it finished well", "running"),
        ("ERROR failed", "running"),
    ],
)
def test_the_last_word_decides(last, state, tmp_path):
    lines = (f"INFO {ELSEWHERE} its boot", "ERROR no space left", last)
    attempt = written(tmp_path / "a.log", *lines)
    assert attempt.state == state
    assert attempt.last_lines[0] == ("failed" if "ERROR" in last else "no space left")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\n\x00", b"half a li"])
def test_a_log_that_has_only_begun_is_no_trouble(content, tmp_path):
    (tmp_path / "a.log").write_bytes(content)
    attempt = read_attempt(tmp_path / "a.log")
    assert (attempt.process, attempt.end, attempt.state) == (None, "", "running")
    assert read_attempt(tmp_path / "b.log") is None


def test_only_the_ends_of_a_long_log_are_read(tmp_path):
    lines = [f"INFO mid: step {i} of 9, 1 steps/s, 3 s left" for i in range(20_000)]
    start = f"INFO {ELSEWHERE} its boot"
    attempt = written(tmp_path / "a.log", start, *lines, "INFO failed")
    assert attempt.process.pid == 4
    assert attempt.far.startswith("step 19999 of 9")
    assert len(attempt.last_lines) == 8

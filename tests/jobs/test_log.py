import fcntl
import os
import socket
import time
from pathlib import Path

import pytest

from mid_core.jobs.log import job_name, read_attempt
from mid_core.runtime import slurm

START = "INFO started: train_round/mid_0 on n7, process 4, SLURM job 81"
HERE = f"INFO started: train_round/mid_0 on {socket.gethostname()}, process 4"
STAMP = "2026-11-23 22:48:12,182"


def written(path, *lines, age=0.0):
    """A log of these lines, each with its time, written so many seconds ago."""
    path.write_text("".join(f"{STAMP} {line}\n" for line in lines))
    moment = time.time() - age
    os.utime(path, (moment, moment))
    return read_attempt(path)


def test_a_log_is_named_after_its_job():
    assert job_name(Path("results/a/logs/train_round/mid_0.log")) == "train_round/mid_0"
    assert job_name(Path("results/a/logs/lineage.log")) == "lineage"
    assert job_name(Path("a/rule.log")) == "rule"


def test_who_works_and_how_far_it_is(tmp_path):
    attempt = written(
        tmp_path / "a.log",
        START,
        "WARNING a picture of 3 of 4 parts",
        "INFO mid, round 0: step 400 of 1800, loss 0.00068, 16 steps/s, 88 s left",
    )
    assert attempt.lines == (
        "a picture of 3 of 4 parts",
        "mid, round 0: step 400 of 1800, loss 0.00068, 16 steps/s, 88 s left",
    )
    started = "n7, process 4, SLURM job 81, since 2026-11-23 22:48:12"
    assert (attempt.task, attempt.start) == ("train_round/mid_0", started)


@pytest.mark.parametrize(
    ("queued", "state"), [(None, "out of sight"), (True, "running"), (False, "killed")]
)
def test_slurm_is_asked_for_a_job_elsewhere(queued, state, tmp_path, monkeypatch):
    monkeypatch.setattr(slurm, "is_queued", lambda job: queued if job == "81" else 1)
    assert written(tmp_path / "a.log", START).state == state
    assert (
        written(tmp_path / "a.log", START.partition(", S")[0]).state == "out of sight"
    )


def test_a_job_here_lives_while_it_holds_its_log(tmp_path):
    path = tmp_path / "a.log"
    assert written(path, HERE).state == "killed"
    with path.open("a") as job:
        fcntl.flock(job, fcntl.LOCK_EX)
        # However long ago it wrote, and by clocks that differ.
        assert written(path, HERE, age=7200).quiet_s == pytest.approx(7200, abs=60)
        assert written(path, HERE, age=-7200).quiet_s == 0
        assert read_attempt(path).state == "running"
        # It says how it ended just before it lets go.
        assert written(path, HERE, "INFO failed").state == "failed"
    assert written(path, HERE).state == "killed"


def test_where_files_have_no_locks_nobody_can_tell(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert written(tmp_path / "a.log", HERE).state == "out of sight"


@pytest.mark.parametrize(
    ("last", "state"),
    [
        ("INFO finished", "finished"),
        ("INFO failed", "failed"),
        ("INFO interrupted: the time is up", "interrupted"),
        ("INFO it finished well", "out of sight"),
        ("ERROR failed", "out of sight"),
    ],
)
def test_the_last_word_decides(last, state, tmp_path, monkeypatch):
    monkeypatch.setattr(slurm, "is_queued", lambda job: None)
    attempt = written(tmp_path / "a.log", START, "ERROR no space", "INFO done", last)
    assert attempt.state == state
    told = (
        ("no space", "done") if state == "failed" else ("done", last.split(" ", 1)[1])
    )
    assert attempt.lines == tuple(told)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\n\x00", b"half a li"])
def test_a_log_that_has_only_begun_is_no_trouble(content, tmp_path):
    (tmp_path / "a.log").write_bytes(content)
    attempt = read_attempt(tmp_path / "a.log")
    assert (attempt.task, attempt.start, attempt.state) == ("", "", "out of sight")
    assert read_attempt(tmp_path / "b.log") is None


def test_only_the_ends_of_a_long_log_are_read(tmp_path):
    lines = [f"ERROR line {i} of a traceback\n\n" for i in range(20_000)]
    attempt = written(tmp_path / "a.log", START, *lines, "INFO failed")
    assert attempt.start.startswith("n7, process 4,")
    assert attempt.lines == ("line 19999 of a traceback", "", "")

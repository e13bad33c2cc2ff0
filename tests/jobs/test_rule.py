"""Rules' scripts: what their logs and their exit statuses say of how they ended."""

import errno
import logging
import os
import socket

import pytest

from mid_core.errors import Interrupted, MidError, NotFinite
from mid_core.jobs.log import read_attempt
from mid_core.jobs.rule import log as logger
from mid_core.jobs.rule import run_rule


@pytest.fixture(autouse=True)
def no_handlers_left():
    yield
    logging.basicConfig(force=True)


def end_of(job, log) -> int:
    """Run a job as a rule; return what its process would exit with."""
    try:
        run_rule(job, str(log))
    except SystemExit as ended:
        return ended.code
    return 0


def raising(error):
    def job():
        raise error

    return job


def test_a_log_says_who_wrote_it_and_how_it_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "81")
    log = tmp_path / "logs/train_round/mid_0.log"
    assert end_of(lambda: logger.info("at work"), log) == 0
    first, middle, last = log.read_text().splitlines()
    assert "started: train_round/mid_0 on" in first
    assert "at work" in middle
    assert last.endswith("INFO finished")
    # One that comes through at once leaves one log.
    assert {p.name for p in log.parent.iterdir()} == {"mid_0.log", "mid_0.opened.json"}
    attempt = read_attempt(log)
    who = f"{socket.gethostname()}, process {os.getpid()}, SLURM job 81, since 20"
    assert attempt.start.startswith(who)


@pytest.mark.parametrize(("kind", "status"), [(MidError, 1), (NotFinite, 65)])
def test_a_mistake_ends_a_rule_with_a_sentence_said_once(kind, status, tmp_path, capfd):
    log = tmp_path / "logs/rule.log"
    assert end_of(raising(kind("'a.png' is broken:\nleave it out")), log) == status
    assert log.read_text().count("'a.png' is broken:\nleave it out\n") == 1
    assert "Traceback" not in log.read_text()
    assert read_attempt(log).state == "failed"
    # Snakemake prints the log.
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_is_no_bug(tmp_path):
    log, full = tmp_path / "rule.log", OSError(errno.ENOSPC, "No space left on device")
    assert end_of(raising(full), log) == 1
    assert (
        f"{tmp_path} cannot be written (No space left on device): " in log.read_text()
    )
    assert "Traceback" not in log.read_text()


def test_a_bug_leaves_its_traceback_in_the_log(tmp_path):
    log = tmp_path / "rule.log"
    assert end_of(lambda: 1 / 0, log) == 1
    assert log.read_text().count("Traceback") == 1
    assert "ZeroDivisionError" in read_attempt(log).lines[-1]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (Interrupted("the time\nis up"), "the time is up"),
        (KeyboardInterrupt(), "from the keyboard"),
    ],
)
def test_an_interruption_is_no_failure(error, why, tmp_path):
    log = tmp_path / "rule.log"
    assert end_of(raising(error), log) == 75
    assert read_attempt(log).state == "interrupted"
    assert read_attempt(log).lines[-1] == f"interrupted: {why}"


def test_no_attempt_that_failed_is_lost(tmp_path):
    log, attempts = tmp_path / "rule.log", tmp_path / "rule.attempts.txt"
    for why in ("one", "two"):
        end_of(raising(MidError(why)), log)
        log.unlink()  # as Snakemake does before the next attempt
    end_of(lambda: None, log)
    end_of(lambda: None, log)
    words = [line.split(" ", 3)[3] for line in attempts.read_text().splitlines()]
    assert [w.split(":")[0] for w in words] == [
        *("started", "one", "failed"),
        *("started", "two", "failed"),
        *("started", "finished") * 2,
    ]
    assert log.read_text().count("started") == 1


def test_names_of_files_that_are_no_text_are_escaped(tmp_path):
    log, name = tmp_path / "rule.log", os.fsdecode(b"\xe9t.png")
    assert end_of(raising(MidError(f"{name} is broken")), log) == 1
    assert "ERROR \\udce9t.png is broken" in log.read_text()

import logging

import pytest

from mid_core.errors import Interrupted, MidError, NotFinite
from mid_core.jobs.log import read_attempt
from mid_core.runtime import progress
from mid_core.runtime.liveness import Process


def test_work_is_logged_with_rate_and_time_left(caplog, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with caplog.at_level(logging.INFO):
        report = progress.TrainingReport("mid, round 0", 100)
        for step in (10, 20, 100):
            now[0] += 8
            report(step, 0.5, 1e-3)
    # 8 s is too soon for a line; at 16 s, 20 steps took 16 s; at 24 s all is done.
    assert [record.getMessage() for record in caplog.records] == [
        "mid, round 0: step 20 of 100, loss 0.50000, 1.25 steps/s, 64 s left",
        "mid, round 0: step 100 of 100, loss 0.50000, 4.17 steps/s, 0 s left",
    ]


def end_of(job, log) -> int:
    """Run a job as a rule; return what its process would exit with."""
    try:
        progress.run_rule(job, str(log))
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
    assert end_of(lambda: progress.log.info("at work"), log) == 0
    first, middle, last = log.read_text().splitlines()
    assert "started: train_round/mid_0 on" in first
    assert "at work" in middle
    assert last.endswith("INFO finished")
    attempt = read_attempt(log)
    assert attempt.process == Process.this()
    assert attempt.process.slurm == "81"


def test_a_mistake_ends_a_rule_with_a_sentence_said_once(tmp_path, capfd):
    log = tmp_path / "logs/rule.log"
    assert end_of(raising(MidError("'a.png' is broken:\nleave it out")), log) == 1
    assert log.read_text().count("'a.png' is broken:\nleave it out\n") == 1
    assert "Traceback" not in log.read_text()
    assert read_attempt(log).state == "failed"
    # Snakemake prints the log.
    assert capfd.readouterr() == ("", "")


def test_a_training_that_is_not_finite_ends_with_a_status_of_its_own(tmp_path):
    log = tmp_path / "rule.log"
    assert end_of(raising(NotFinite("step 3 is not finite")), log) == 65
    assert read_attempt(log).state == "failed"


def test_a_bug_leaves_its_traceback_in_the_log(tmp_path):
    log = tmp_path / "rule.log"
    assert end_of(lambda: 1 / 0, log) == 1
    assert log.read_text().count("Traceback") == 1
    assert "ZeroDivisionError" in read_attempt(log).last_lines[-1]


@pytest.mark.parametrize(
    ("error", "why"),
    [(Interrupted("the time\nis up"), "the time is up"), (KeyboardInterrupt(), "keyb")],
)
def test_an_interruption_is_no_failure(error, why, tmp_path):
    log = tmp_path / "rule.log"
    assert end_of(raising(error), log) == 75
    assert read_attempt(log).state == "stopped"
    assert why in read_attempt(log).end


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


def test_a_job_that_comes_through_at_once_leaves_one_log(tmp_path):
    end_of(lambda: None, tmp_path / "rule.log")
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "rule.log",
        "rule.opened.json",
    ]

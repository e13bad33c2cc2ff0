import logging

import pytest

from mid_core import progress
from mid_core.errors import MidError


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
    assert [row["step"] for row in report.rows] == [10, 20, 100]


def test_a_mistake_ends_a_rule_with_a_sentence(tmp_path, capsys):
    def job():
        raise MidError("'a.png' is broken: leave it out")

    with pytest.raises(SystemExit) as ended:
        progress.run_rule(job, str(tmp_path / "logs/rule.log"))
    assert "Error: 'a.png' is broken: leave it out" in str(ended.value)
    log = (tmp_path / "logs/rule.log").read_text()
    assert "'a.png' is broken" in log
    assert "Traceback" not in log


def test_a_bug_leaves_its_traceback_in_the_log(tmp_path):
    with pytest.raises(ZeroDivisionError):
        progress.run_rule(lambda: 1 / 0, str(tmp_path / "rule.log"))
    assert "Traceback" in (tmp_path / "rule.log").read_text()

import logging

from mid_core.runtime import progress


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

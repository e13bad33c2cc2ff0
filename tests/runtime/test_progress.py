import logging

from mid_core.runtime import progress


def test_work_is_logged_with_rate_and_time_left(caplog, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with caplog.at_level(logging.INFO):
        report = progress.TrainingReport("mid, round 0", 100)
        for seconds, step in ((60, 10), (68, 20), (76, 30), (84, 100)):
            now[0] = seconds
            report(step, 0.5, 1e-3)
    # Counted from the first report at 60 s, before which things were set up: 8 s later
    # is too soon for a line; after 16 s there are 20 more steps, after 24 s all.
    assert [record.getMessage() for record in caplog.records] == [
        "mid, round 0: step 30 of 100, loss 0.50000, 1.25 steps/s, 56 s left",
        "mid, round 0: step 100 of 100, loss 0.50000, 3.75 steps/s, 0 s left",
    ]


def test_work_of_one_report_is_logged(caplog, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with caplog.at_level(logging.INFO):
        report = progress.Progress("denoise", 2, "image")
        now[0] = 4.0
        report(2)
    said = ["denoise: image 2 of 2, 0.5 images/s, 0 s left"]
    assert [record.getMessage() for record in caplog.records] == said

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


def test_parts_of_an_image_are_told(caplog, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with caplog.at_level(logging.INFO):
        report = progress.Progress("denoise", 2, "image")
        now[0] = 4.0
        report(0.25)
        now[0] = 30.0
        report(0.25)
        now[0] = 31.0
        report(1.5)
    # Of large images the parts count.
    assert [record.getMessage() for record in caplog.records] == [
        "denoise: image 0.5 of 2, 0.00962 images/s, 156 s left",
        "denoise: image 2 of 2, 0.0648 images/s, 0 s left",
    ]


def test_many_steps_are_told_to_the_last_digit(caplog):
    with caplog.at_level(logging.INFO):
        progress.TrainingReport("mid, round 1", 123457, 123000)(123457, 0.5, 1e-3)
    assert "step 123457 of 123457," in caplog.records[0].getMessage()

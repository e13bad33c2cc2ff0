import hashlib
import json
import os

import pytest

from mid_core.checkpoints.finished import (
    CARD,
    HISTORY,
    WEIGHTS,
    is_finished,
    is_kept,
    put_back,
)


@pytest.fixture
def kept(tmp_path):
    """A finished training's folder."""
    folder = tmp_path / "round_0/training/0123456789ab"
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(b"weights")
    (folder / HISTORY).write_text("step,loss\n")
    digest = hashlib.sha256(b"weights").hexdigest()
    (folder / CARD).write_text(json.dumps({"sha256": digest}))
    return folder


@pytest.mark.parametrize("links", [True, False])
def test_files_are_put_back_whole_and_new(kept, monkeypatch, links):
    def refuse(*_):
        raise OSError("no links here")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    outputs = [kept.parents[1] / name for name in (WEIGHTS, HISTORY, CARD)]
    outputs[0].write_bytes(b"another model")
    for file in kept.iterdir():
        os.utime(file, (0, 0))
    put_back(kept, map(str, outputs))
    for output in outputs:
        assert output.read_bytes() == (kept / output.name).read_bytes()
        assert output.samefile(kept / output.name) == links
        assert output.stat().st_mtime > 0
    assert [is_kept(kept / CARD), is_kept(outputs[2])] == [True, False]


def test_what_is_not_whole_is_not_finished(kept, caplog):
    assert is_finished(kept)
    assert not is_finished(kept.with_name("another"))
    assert not caplog.text
    for name, content in ((WEIGHTS, b"weighty"), (CARD, b"{}"), (CARD, b"[")):
        whole = (kept / name).read_bytes()
        (kept / name).write_bytes(content)
        assert not is_finished(kept)
        (kept / name).write_bytes(whole)
    for name in (WEIGHTS, HISTORY):
        (kept / name).rename(kept / "away")
        assert not is_finished(kept)
        (kept / "away").rename(kept / name)
    assert caplog.text.count(f"model in {kept} is damaged and is not used") == 5
    assert is_finished(kept)

"""Records of what a job opened, and work done ahead in threads."""

import json
import subprocess
import sys
import threading

import imageio.v3 as iio
import numpy as np
import pytest

from mid_core.jobs.lineage import opened_path, rows
from mid_core.runtime.parallel import ahead
from mid_core.store import Store, StoreWriter
from tests.conftest import ROOT

JOB = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from mid_core.images.files import read_pixels
from mid_core.jobs.lineage import Opened
from mid_core.store import Store, StoreWriter
opened = Opened()
read_pixels(Path("photo.png"))
old = Store("old.zarr")
with StoreWriter("new.zarr", "image") as new:
    for name, image in old:
        new.append(name, image)
Path("note.txt").read_text()
Path("made.png").write_bytes(b"")
opened.write(Path("job.opened.json"))
"""


def test_what_is_read_is_noted_and_what_is_made_is_not(tmp_path):
    iio.imwrite(tmp_path / "photo.png", np.zeros((5, 7, 3), np.uint8))
    (tmp_path / "note.txt").write_text("no image")
    with StoreWriter(tmp_path / "old.zarr", "image") as store:
        store.append("a", np.zeros((5, 7, 3), np.uint8))
    code = JOB.format(root=str(ROOT))
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    noted = json.loads((tmp_path / "job.opened.json").read_text())
    assert noted == [str(tmp_path / "old.zarr"), str(tmp_path / "photo.png")]
    assert Store(tmp_path / "new.zarr").names == ["a"]


def test_stores_are_laid_out_as_the_images_in_them(tmp_path):
    log = tmp_path / "logs/train_round/mid_1.log"
    log.parent.mkdir(parents=True)
    opened_path(log).write_text(json.dumps(["/r/clean.zarr", "/r/noise.zarr"]))
    files = {"/r/clean.zarr": {"a": "/d/a.png", "b": "/d/b.png"}}
    found = list(rows([log, tmp_path / "logs/none/x.log"], files))
    assert [(row["image"], row["through"]) for row in found] == [
        ("/d/a.png", "/r/clean.zarr"),
        ("/d/b.png", "/r/clean.zarr"),
        ("/r/noise.zarr", ""),
    ]
    assert {(row["rule"], row["job"]) for row in found} == {("train_round", "mid_1")}


def test_work_ahead_keeps_the_order_and_takes_few_items():
    taken, free = [], threading.Event()

    def items():
        for i in range(9):
            taken.append(i)
            yield i

    def work(i):
        if i == 0:
            free.wait(10)
        return i * i

    results = ahead(work, items(), threads=2)
    free.set()
    assert next(results) == 0
    # One is given out, two wait.
    assert taken == [0, 1, 2]
    assert list(results) == [i * i for i in range(1, 9)]


def test_a_failure_ahead_is_raised_in_its_turn():
    results = ahead(lambda x: 1 // x, [1, 1, 0, 1], threads=3)
    assert [next(results), next(results)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)

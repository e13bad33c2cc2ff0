"""Files that appear whole: their hidden names, and what the system refuses."""

import errno
import os
import socket
import subprocess
import sys

import pytest

from mid_core.errors import MidError
from mid_core.runtime import files
from mid_core.runtime.files import (
    check_folder,
    disk_space_needed,
    remove_partials,
    replacing,
)


def partials(folder):
    return sorted(path.name for path in folder.glob(".mid-*"))


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize("name", ["a.tif", f"{251 * 'n'}.tif", f"{83 * '語'}.tif"])
def test_names_may_be_as_long_as_the_disk_takes(tmp_path, name):
    with replacing(tmp_path / name, ".tif") as part:
        part.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "whole"


def test_two_writers_of_a_file_do_not_meet(tmp_path):
    with replacing(tmp_path / "a") as first, replacing(tmp_path / "a") as second:
        first.write_text("1")
        second.write_text("2")
        assert len(partials(tmp_path)) == 2
    assert (tmp_path / "a").read_text() == "1"  # the last to finish
    assert not partials(tmp_path)


def test_what_the_dead_left_is_cleared_and_nothing_else(tmp_path):
    ours = files._hash(socket.gethostname())
    dead, old = f".mid-00000000-{ours}-{dead_process()}-0.tif", ".mid-0-other-1-0.tif"
    alive, young = f".mid-00000000-{ours}-{os.getppid()}-0.tif", ".mid-0-other-2-0.tif"
    foreign = ".mid-my-own-file-yes.txt"
    for name in (dead, old, alive, young, foreign):
        (tmp_path / name).touch()
    os.utime(tmp_path / old, (0, 0))
    with replacing(tmp_path / "a") as part:
        part.touch()
    assert partials(tmp_path) == sorted([alive, young, foreign])


def test_who_has_the_lock_removes_every_attempt_at_a_file(tmp_path):
    names = [f".mid-{files._hash(name)}-other-1-0.partial" for name in ("a", "b")]
    for name in names:
        (tmp_path / name).touch()
    remove_partials(tmp_path / "a")
    assert partials(tmp_path) == names[1:]


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "make room there"),
        (errno.EACCES, "get the right to write there, or name another place"),
        (errno.EROFS, "get the right to write there, or name another place"),
        (errno.ENAMETOOLONG, "shorten the name"),
    ],
)
def test_advice_fits_what_was_refused(tmp_path, number, advice):
    with pytest.raises(MidError) as refused, disk_space_needed(tmp_path / "a"):
        raise OSError(number, os.strerror(number), ".hidden")
    told = (
        f"{tmp_path}/a cannot be written ({os.strerror(number)}): {advice}, then give"
    )
    assert str(refused.value).startswith(told)


def test_a_folder_is_tried_before_the_work(tmp_path):
    check_folder(tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    for name, reason in (("none", "No such file"), ("file", "Not a directory")):
        with pytest.raises(MidError, match=rf"{name} cannot be written \({reason}"):
            check_folder(tmp_path / name)

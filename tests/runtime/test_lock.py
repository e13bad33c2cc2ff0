import multiprocessing
import os
import signal
import socket
import time

import pytest

from mid_core.errors import MidError
from mid_core.runtime.lock import Lock

FORK = multiprocessing.get_context("forkserver")
QUICK = {"beat": 0.1, "lapse": 1.0}


def hold(folder, held):
    with Lock(folder, **QUICK):
        held.set()
        time.sleep(60)


@pytest.fixture
def owner(tmp_path):
    """A living process that holds the folder."""
    held = FORK.Event()
    process = FORK.Process(target=hold, args=(tmp_path, held))
    process.start()
    assert held.wait(30)
    yield process
    process.kill()
    process.join()


def test_the_folder_is_free_again_and_gone(tmp_path):
    folder = tmp_path / "a/training"
    for _ in range(2):
        with Lock(folder) as lock:
            lock.check()
            note = (folder / "owner.txt").read_text()
            assert note.startswith(f"{socket.gethostname()}, process {os.getpid()}")
        assert not folder.exists()


def test_the_second_is_told_who_works_there(owner, tmp_path):
    said = rf"held by {socket.gethostname()}, process {owner.pid}, since 20\d\d-"
    with pytest.raises(MidError, match=said), Lock(tmp_path, **QUICK):
        pass
    assert owner.is_alive()


def test_a_dead_owner_on_this_host_is_followed_at_once(owner, tmp_path):
    owner.kill()
    owner.join()
    with Lock(tmp_path) as lock:
        lock.check()
    assert list(tmp_path.glob("*")) == []


def test_an_owner_that_died_before_it_wrote_its_name_is_followed(tmp_path):
    (tmp_path / "lock").touch()
    with Lock(tmp_path, **QUICK) as lock:
        lock.check()
    assert list(tmp_path.glob("*")) == []


def elsewhere(folder):
    """Kill the owner, and make the lock look like that of another machine."""
    path = folder / "lock"
    text = path.read_text()
    os.kill(int(text.split("pid=")[1].split()[0]), signal.SIGKILL)
    path.write_text(text.replace(f"host={socket.gethostname()}", "host=other"))


def test_an_owner_elsewhere_is_followed_when_it_is_silent(owner, tmp_path, caplog):
    elsewhere(tmp_path)
    owner.join()
    # A clock that is an hour ahead there must not make it look alive, nor dead.
    hour = time.time() + 3600
    os.utime(tmp_path / "lock", (hour, hour))
    with Lock(tmp_path, **QUICK) as lock:
        lock.check()
    with Lock(tmp_path, **QUICK):
        pass


def test_one_that_slept_too_long_writes_nothing_more(tmp_path):
    with Lock(tmp_path, **QUICK) as lock:
        path = tmp_path / "lock"
        taken = path.read_text().replace("token=", "token=0")
        path.unlink()
        path.write_text(taken)
        with pytest.raises(
            MidError, match=r"nothing more is written, for .* is held by"
        ):
            lock.check()
    assert path.read_text() == taken

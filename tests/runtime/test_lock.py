import multiprocessing
import os
import resource
import socket
import time

import filelock
import pytest

from mid_core.errors import MidError
from mid_core.runtime.lock import Lock

FORK = multiprocessing.get_context("forkserver")
QUICK = {"heartbeat": 0.1, "expiry": 1.0}


def hold(path, held):
    with Lock(path, **QUICK):
        held.set()
        time.sleep(60)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a/lock"


@pytest.fixture
def owner(path):
    """A living process that holds the lock."""
    held = FORK.Event()
    process = FORK.Process(target=hold, args=(path, held))
    process.start()
    assert held.wait(30)
    yield process
    process.kill()
    process.join()


def end(process):
    process.kill()
    process.join()


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_it_can_be_taken_again_and_leaves_nothing(path):
    for _ in range(2):
        with Lock(path) as lock:
            lock.check()
        assert list(path.parent.iterdir()) == []


def test_the_second_is_told_who_holds_it(owner, path):
    said = f"a/lock is held by {socket.gethostname()}, process {owner.pid}: let it"
    with pytest.raises(MidError, match=said), Lock(path, **QUICK):
        pass
    assert owner.is_alive()


def test_a_dead_owner_on_this_host_is_followed_at_once(owner, path):
    end(owner)
    with Lock(path) as lock:
        lock.check()


@pytest.mark.parametrize("nfs", [False, True])
def test_an_owner_elsewhere_is_followed_when_it_is_silent(
    nfs, owner, path, monkeypatch
):
    end(owner)
    change(path, f"host={socket.gethostname()}", "host=other")
    # A clock that is an hour ahead there must not make it look alive, nor dead.
    hour = time.time() + 3600
    os.utime(path, (hour, hour))
    if nfs:
        monkeypatch.setattr(filelock._soft, "exchange_names", lambda *names: False)
    began = time.monotonic()
    with Lock(path, **QUICK) as lock:
        assert time.monotonic() - began >= 1
        lock.check()


def test_an_owner_that_died_before_it_wrote_its_name_is_followed(path):
    path.parent.mkdir()
    path.touch()
    with Lock(path, **QUICK) as lock:
        lock.check()


@pytest.mark.parametrize("dead_owner", [False, True])
def test_an_owner_whose_name_cannot_be_written_holds_nothing(dead_owner, owner, path):
    end(owner)
    if not dead_owner:
        path.unlink()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(MidError, match="cannot be written"), Lock(path, **QUICK):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(path.parent.iterdir()) == []
    with Lock(path) as lock:
        lock.check()


def test_one_that_slept_too_long_writes_nothing_more(path):
    with Lock(path, **QUICK) as lock:
        change(path, f"pid={os.getpid()}", "pid=1")
        with pytest.raises(
            MidError, match=r"nothing more is written, for .* process 1:"
        ):
            lock.check()

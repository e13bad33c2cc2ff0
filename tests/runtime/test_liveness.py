import dataclasses
import os
import subprocess
import sys
import time

import psutil
import pytest

from mid_core.runtime.liveness import Process


@pytest.fixture
def sleeper():
    """A process that does nothing, and what it would note of itself."""
    code = "from mid_core.runtime.liveness import Process; import time; "
    code += "print(Process.this().born, flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as child:
        born = float(child.stdout.readline())
        yield child, dataclasses.replace(Process.this(), pid=child.pid, born=born)
        child.kill()


def test_a_process_lives_until_it_is_killed(sleeper):
    child, process = sleeper
    assert process.lives()
    child.kill()
    # Nobody has asked for its status yet: a zombie, which works no more.
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert process.lives() is False
    child.wait()
    assert process.lives() is False


def test_a_later_process_of_the_same_number_is_another(sleeper):
    _, process = sleeper
    earlier = dataclasses.replace(process, born=process.born - 30)
    assert earlier.lives() is False


def test_a_clock_set_an_hour_back_changes_nothing(sleeper, monkeypatch):
    _, process = sleeper
    # The kernel says when it was booted by the clock as it is now.
    boot = psutil.boot_time()
    shifted = psutil._psplatform.boot_time
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: shifted() - 3600)
    assert psutil.boot_time() == boot - 3600
    assert process.lives()


def test_nobody_can_look_at_another_machine(monkeypatch):
    own = Process.this()
    assert dataclasses.replace(own, host="elsewhere").lives() is None
    monkeypatch.setenv("SLURM_JOB_ID", "81")
    assert str(Process.this()) == f"{own.host}, process {os.getpid()}, SLURM job 81"

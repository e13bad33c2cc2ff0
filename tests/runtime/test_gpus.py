"""Several jobs on a machine of three GPUs, which the test plays."""

import fcntl
import logging
import os
import tempfile
from types import SimpleNamespace

import pytest
import torch

from mid_core.errors import MidError
from mid_core.runtime import devices, gpus
from mid_core.runtime.devices import pick_device
from mid_core.runtime.gpus import hold_gpus


class Machine:
    """Three GPUs, and other processes that hold some of them."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.set, self.others, self.current = folder, monkeypatch, {}, None
        cuda = {
            "is_available": lambda: True,
            "device_count": lambda: 3,
            "get_device_name": lambda gpu: "H100",
            "get_device_properties": lambda gpu: SimpleNamespace(uuid=f"U{gpu}"),
            "set_device": lambda gpu: setattr(self, "current", gpu),
        }
        for name, function in cuda.items():
            monkeypatch.setattr(torch.cuda, name, function)
        ones = torch.ones
        monkeypatch.setattr(devices.torch, "ones", lambda n, device: ones(n))
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        monkeypatch.setattr(gpus, "POLL_S", 0)
        for name in ("SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES"):
            monkeypatch.delenv(name, raising=False)
        self.new_process()

    def new_process(self):
        """From here on, what was held is another process's."""
        self.others |= getattr(gpus, "_held", {})
        self.set.setattr(gpus, "_held", {})

    def occupy(self, *taken):
        for gpu in taken:
            path = self.folder / f"mid_gpu_U{gpu}.lock"
            self.others[gpu] = os.open(path, os.O_RDONLY | os.O_CREAT)
            fcntl.flock(self.others[gpu], fcntl.LOCK_EX)

    def end_other(self, gpu):
        os.close(self.others.pop(gpu))

    def when_it_waits(self, *happens):
        """What happens at each of its waits, in turn; a further one is a mistake."""
        left = list(happens)
        self.set.setattr(gpus.time, "sleep", lambda seconds: left.pop(0)())


@pytest.fixture
def machine(tmp_path, monkeypatch):
    gpus._held.clear()
    one = Machine(tmp_path, monkeypatch)
    yield one
    for file in (*one.others.values(), *gpus._held.values()):
        os.close(file)


def test_jobs_take_one_each_and_say_which(machine, caplog):
    caplog.set_level(logging.INFO)
    for gpu in range(3):
        for _ in range(2):  # Of one process, always the same.
            assert pick_device("auto", needed=False) == torch.device("cuda", gpu)
        assert machine.current == gpu
        assert caplog.text.count(f"computing on GPU {gpu} (H100)") == 1
        machine.new_process()
    machine.end_other(1)
    assert pick_device("cuda") == torch.device("cuda", 1)


def test_a_job_waits_for_a_free_one_and_a_person_shares(machine, caplog):
    caplog.set_level(logging.INFO)
    machine.occupy(0, 1, 2)
    assert pick_device("cuda", wait=False) == torch.device("cuda", 0)
    machine.when_it_waits(lambda: None, lambda: machine.end_other(2))
    assert pick_device("cuda") == torch.device("cuda", 2)
    assert caplog.text.count("waiting: other jobs compute on the 3 GPU(s)") == 1


def test_a_training_on_several_takes_all_or_none(machine):
    machine.occupy(0, 2)
    seen = []

    def other_job():
        """Finds what the waiting one left; ends; then GPU 0 becomes free."""
        machine.new_process()
        seen.append(hold_gpus(1))
        machine.new_process()
        machine.end_other(1)
        machine.end_other(0)

    machine.when_it_waits(other_job)
    assert hold_gpus(2) == [0, 1]
    assert seen == [[1]]
    with pytest.raises(MidError, match="more GPUs of kind cuda than this node has"):
        hold_gpus(4)


def test_a_lock_may_be_read_by_all_and_else_its_owner_is_named(machine, monkeypatch):
    before = os.umask(0o077)
    pick_device("cuda")
    os.umask(before)
    lock = machine.folder / "mid_gpu_U0.lock"
    assert lock.stat().st_mode & 0o777 == 0o644

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    machine.new_process()
    monkeypatch.setattr(gpus.os, "open", refused)
    with pytest.raises(MidError, match=r"mid_gpu_U0\.lock.*chmod 644"):
        pick_device("cuda")


def test_a_job_of_slurm_has_its_own(machine):
    machine.occupy(0)
    machine.set.setenv("SLURM_JOB_ID", "17")
    machine.set.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    # On three that it was given; where it was given more than it uses, on free ones.
    assert hold_gpus(3) == [0, 1, 2]
    assert hold_gpus(2) == [1, 2]
    machine.set.setattr(torch.cuda, "device_count", lambda: 1)
    assert pick_device("cuda") == torch.device("cuda", 0)


def test_a_process_of_several_computes_on_the_one_it_was_given(machine):
    machine.occupy(0, 1, 2)
    assert pick_device("cuda", gpu=1) == torch.device("cuda", 1)
    assert machine.current == 1

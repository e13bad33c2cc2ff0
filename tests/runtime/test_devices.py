import pytest
import torch

from mid_core.errors import MidError
from mid_core.runtime import devices
from mid_core.runtime.devices import pick_device


@pytest.fixture
def machine(monkeypatch):
    """Pretend to be on a machine, in a SLURM job or not; return the monkeypatch."""
    for name in ("SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    return monkeypatch


@pytest.fixture
def gpu(machine):
    """A machine on which torch sees a GPU, played by the CPU."""
    machine.setattr(torch.cuda, "is_available", lambda: True)
    machine.setattr(torch.cuda, "set_device", lambda gpu: None)
    machine.setattr(torch.cuda, "device_count", lambda: 1)
    machine.setattr(devices, "hold_gpus", lambda count, wait: [0])
    real = torch.ones
    machine.setattr(devices.torch, "ones", lambda n, device: real(n))
    return machine


def test_without_slurm_auto_is_the_best_there_is(machine):
    assert pick_device("auto").type == "cpu"
    assert pick_device("cpu").type == "cpu"
    assert pick_device("cuda", needed=False).type == "cpu"
    with pytest.raises(MidError, match="device 'cuda' cannot be used"):
        pick_device("cuda")


def test_a_gpu_is_used_where_it_is(gpu):
    assert pick_device("auto").type == "cuda"
    assert pick_device("cuda", needed=False).type == "cuda"
    assert pick_device("cpu", needed=False).type == "cpu"


@pytest.mark.parametrize("visible", [None, "", "NoDevFiles"])
def test_a_job_without_gpu_leaves_those_of_others_alone(gpu, visible):
    gpu.setenv("SLURM_JOB_ID", "17")
    if visible is not None:
        gpu.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert pick_device("auto", needed=False).type == "cpu"
    assert pick_device("cuda", needed=False).type == "cpu"
    for name in ("auto", "cuda"):
        with pytest.raises(MidError, match="SLURM job 17 has no device 'cuda'"):
            pick_device(name)
    gpu.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert pick_device("auto").type == "cuda"


def test_a_training_in_slurm_is_not_silently_on_the_cpu(machine):
    machine.setenv("SLURM_JOB_ID", "17")
    machine.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(MidError) as refused:
        pick_device("auto")
    text = str(refused.value)
    for fact in ("node: ", "CUDA_VISIBLE_DEVICES=0", "SLURM_JOB_ID=17"):
        assert fact in text
    assert "nvidia-smi:" in text
    assert pick_device("cpu").type == "cpu"


@pytest.mark.parametrize(
    ("sacct", "known"),
    [
        ("echo 'sbatch --gpus=1 job.sh'", "sbatch --gpus=1 job.sh"),
        ("echo 'Slurm accounting storage is disabled' >&2; exit 1", "JobId=17 of mine"),
    ],
)
def test_a_refusal_says_how_the_job_was_submitted(machine, tmp_path, sacct, known):
    """By SLURM's accounts; without them, what it knows of the job."""
    for name, code in (("sacct", sacct), ("scontrol", "echo JobId=$3 of mine")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{code}\n")
        (tmp_path / name).chmod(0o755)
    machine.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    machine.setenv("SLURM_JOB_ID", "17")
    with pytest.raises(MidError, match=f"submitted by: {known}\n"):
        pick_device("cuda")


def test_a_gpu_that_does_not_work_is_refused(gpu):
    def broken(n, device):
        raise RuntimeError("no kernel image is available")

    gpu.setattr(devices.torch, "ones", broken)
    with pytest.raises(MidError, match="does not work: no kernel image"):
        pick_device("cuda")

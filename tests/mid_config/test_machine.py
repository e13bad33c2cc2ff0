import pytest

from mid_config import machine
from mid_config.machine import gpu_count


@pytest.mark.parametrize(
    ("visible", "slurm", "known", "expected"),
    [
        (None, False, 0, 0),
        (None, False, 3, 3),
        ("1,2", False, 3, 2),
        ("GPU-1f, MIG-2e", False, 3, 2),
        ("0,-1,1", False, 3, 1),
        ("", False, 3, 0),
        # Another job's, where SLURM gave this one none.
        (None, True, 3, 0),
        ("NoDevFiles", True, 3, 0),
        ("0,1", True, 3, 2),
    ],
)
def test_gpus_are_counted(visible, slurm, known, expected, tmp_path, monkeypatch):
    for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    if slurm:
        monkeypatch.setenv("SLURM_JOB_ID", "17")
    for i in range(known):
        (tmp_path / "gpus" / f"0000:{i}:00.0").mkdir(parents=True)
    monkeypatch.setattr(machine, "DRIVER", tmp_path / "gpus")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu_count() == expected


def test_without_the_drivers_folder_nvidia_smi_is_asked(tmp_path, monkeypatch):
    for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(machine, "DRIVER", tmp_path / "none")
    command = tmp_path / "nvidia-smi"
    command.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: 1)\nGPU 1: A (UUID: 2)'\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert gpu_count() == 2

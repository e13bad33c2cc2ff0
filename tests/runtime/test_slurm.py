import time

import pytest

from mid_core.runtime import slurm


def test_slices_end_before_the_time_limit(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    # Nobody enforces a run time outside of SLURM.
    assert slurm.slice_seconds(None, 60) is None
    assert slurm.slice_seconds(5, 60) == 5
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    assert slurm.slice_seconds(None, 60) == 54 * 60
    assert slurm.slice_seconds(None, 2880) == 2870 * 60
    assert slurm.slice_seconds(100, 60) == 100
    assert slurm.slice_seconds(10_000, 60) == 54 * 60


@pytest.mark.parametrize("there", [True, False])
def test_a_silent_slurm_does_not_hold_a_job_up(monkeypatch, tmp_path, there):
    """Its commands may be missing, or hang."""
    for name in ("sacct", "scontrol", "nvidia-smi") if there else ():
        (tmp_path / name).write_text("#!/bin/sh\nexec sleep 60\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(slurm, "PATIENCE_S", 0.2)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin" if there else "/nowhere")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    start = time.monotonic()
    assert "SLURM_JOB_ID=17" in slurm.describe()
    assert time.monotonic() - start < 60


@pytest.mark.parametrize(
    ("squeue", "known"),
    [
        ("echo '17 gpu train_round R 3:12'", True),
        ("true", False),
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", False),
        ("echo 'Unable to contact slurm controller' >&2; exit 1", None),
    ],
)
def test_what_squeue_says_of_a_job(monkeypatch, tmp_path, squeue, known):
    (tmp_path / "squeue").write_text(f"#!/bin/sh\n{squeue}\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert slurm.is_queued("17") is known


def test_without_slurm_nothing_is_known_of_a_job(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert slurm.is_queued("17") is None

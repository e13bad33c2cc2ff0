"""A disk that is full: nothing that was good is lost, and the same command goes on."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from mid_core.checkpoints.checkpoint import Checkpoints
from mid_core.errors import MidError
from mid_core.store import Store, StoreWriter, manifest_path
from tests.runtime.test_distributed import Job
from tests.workflow.test_kills import draw_pools

MEGABYTES, INODES = 8, 64


class Disk:
    """A file system of its own, of few megabytes or of few inodes."""

    def __init__(self, path: Path, short_of: str) -> None:
        self.path, self.short_of = path, short_of
        self._ballast = path / "ballast"

    def fill(self, megabytes: float = 0, inodes: int = 0) -> None:
        """Leave so much room of what it is short of."""
        self._ballast.mkdir()
        if self.short_of == "bytes":
            free = shutil.disk_usage(self.path).free
            whole = bytes(free - int(megabytes * 2**20))
            (self._ballast / "0").write_bytes(whole)
        else:
            for i in range(os.statvfs(self.path).f_favail - inodes):
                (self._ballast / str(i)).touch()

    def free(self) -> None:
        """Make room again."""
        shutil.rmtree(self._ballast)


@pytest.fixture(params=["bytes", "inodes"])
def disk(tmp_path, request):
    path = tmp_path / "disk"
    path.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("there is no mount command")
    limit = {"bytes": f"size={MEGABYTES}m", "inodes": f"nr_inodes={INODES}"}
    command = ["mount", "-t", "tmpfs", "-o", limit[request.param], "tmpfs", str(path)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system")
    yield Disk(path, request.param)
    subprocess.run(["umount", str(path)], check=True)


def test_the_last_good_state_of_a_training_stays(disk):
    states = Checkpoints(disk.path / "training", {"seed": 0})
    states.save({"weights": torch.arange(5.0), "step": 7})
    disk.fill()
    with pytest.raises(MidError, match=r"cannot be written .*make room there"):
        states.save({"weights": torch.zeros(2**18), "step": 8})
    assert states.load()["step"] == 7
    disk.free()
    states.save({"weights": torch.zeros(2**18), "step": 8})
    assert states.load()["step"] == 8


def test_a_store_that_found_no_room_goes_on_when_there_is(disk, rng, monkeypatch):
    monkeypatch.setattr("mid_core.store.layout.SHARD_BYTES", 2**20)
    images = [rng.integers(0, 256, (512, 512, 3), np.uint8) for _ in range(6)]
    path, key = disk.path / "pool.zarr", {"version": 1}
    disk.fill(megabytes=3, inodes=14)
    with pytest.raises(MidError, match=r"(?s)pool\.zarr cannot be written .*make room"):
        write(path, key, images)
    assert not manifest_path(path).exists()
    disk.free()
    done = write(path, key, images)
    assert done > 0
    for (_, found), image in zip(Store(path), images, strict=True):
        np.testing.assert_array_equal(found, image)


def test_a_store_that_cannot_even_be_begun_is_a_sentence(disk):
    path, sizes = disk.path / "noise.zarr", [(512, 512)]
    disk.fill()
    with (
        pytest.raises(MidError, match=r"noise\.lock cannot be written .*make room"),
        StoreWriter(path, "noise", {"version": 1}) as store,
    ):
        store.lay_out(["a"], sizes, "float16", 3)
    with pytest.raises(MidError, match=r"noise\.lock cannot be written .*make room"):
        write(path, {"version": 1}, [np.zeros((16, 16, 3), np.uint8)])


@pytest.mark.slow
def test_a_trained_model_that_found_no_room_goes_on_from_its_state(tmp_path):
    full = """
import mid_core.checkpoints.model_file
def refuse(*arguments):
    raise OSError(28, "No space left on device")
mid_core.checkpoints.model_file.save_model = refuse
"""
    (tmp_path / "pools").mkdir()
    job = Job(draw_pools(tmp_path / "pools"), tmp_path / "run")
    assert job.finish(before=full, runtime={"save_minutes": 0}) == 1
    assert "model.json cannot be written (No space left" in job.log()
    assert "Traceback" not in job.log()
    assert job.finish() == 0, job.log()
    assert "resumed at step 19" in job.log()


def write(path: Path, key: dict, images: list[np.ndarray]) -> int:
    """Write what is left to write; return how many images were there before."""
    with StoreWriter(path, "image", key) as store:
        done = len(store.names)
        for i in range(done, len(images)):
            store.append(str(i), images[i])
    return done

"""A disk that is full: nothing that was good is lost, and the same command goes on."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from mid_core.errors import MidError
from mid_core.state import States
from mid_core.store import Store, StoreWriter, seal_path

MEGABYTES = 8


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, of a few megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("there is no mount command")
    size = f"size={MEGABYTES}m"
    command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Leave no room on the disk; return the file to delete for it."""
    ballast = disk / "ballast"
    free = shutil.disk_usage(disk).free
    ballast.write_bytes(bytes(free))
    return ballast


def test_the_last_good_state_of_a_training_stays(small_disk):
    states = States(small_disk / "training", {"seed": 0})
    states.save({"weights": torch.arange(5.0), "step": 7})
    ballast = fill(small_disk)
    with pytest.raises(MidError, match=r"cannot be written .*make room there"):
        states.save({"weights": torch.zeros(2**18), "step": 8})
    assert states.load()["step"] == 7
    ballast.unlink()
    states.save({"weights": torch.zeros(2**18), "step": 8})
    assert states.load()["step"] == 8


def test_a_store_that_found_no_room_goes_on_when_there_is(small_disk, rng, monkeypatch):
    monkeypatch.setattr("mid_core.store.layout.SHARD_BYTES", 2**20)
    images = [rng.integers(0, 256, (512, 512, 3), np.uint8) for _ in range(6)]
    path, key = small_disk / "pool.zarr", {"version": 1}
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(5 * 2**20))
    with pytest.raises(MidError, match=r"(?s)pool\.zarr cannot be written .*make room"):
        write(path, key, images)
    assert not seal_path(path).exists()
    ballast.unlink()
    done = write(path, key, images)
    assert done > 0
    for (_, found), image in zip(Store(path), images, strict=True):
        np.testing.assert_array_equal(found, image)


def write(path: Path, key: dict, images: list[np.ndarray]) -> int:
    """Write what is left to write; return how many images were there before."""
    with StoreWriter(path, "image", key) as store:
        done = len(store.names)
        for i in range(done, len(images)):
            store.append(str(i), images[i])
    return done

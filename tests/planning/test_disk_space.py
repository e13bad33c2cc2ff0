"""Whether a run is refused for which the disk has no room."""

import os
from types import SimpleNamespace

import pytest

from mid_config.plan import Plan
from mid_core.jobs.status import read_plan
from mid_core.planning.disk_space import (
    OTHER_FILES,
    footprint,
    lacking_disk_space,
)
from mid_core.planning.forecast import forecast
from mid_core.store import manifest_path
from tests.planning.test_doctor import CONFIG, folder, say  # noqa: F401

PLENTY = {"f_bavail": 2**40, "f_frsize": 1, "f_files": 10**9, "f_favail": 10**9}


@pytest.fixture
def run(folder, monkeypatch):  # noqa: F811
    """A run whose disk can be shrunk: its plan, its pools, what it will leave."""

    def shrink(**facts):
        found = SimpleNamespace(**PLENTY | facts)
        monkeypatch.setattr(os, "statvfs", lambda path: found)

    assert say(folder, quick=True)[1]
    plan: Plan = read_plan([folder / "config.yaml"])
    pools = forecast(plan, ())
    left = footprint(plan, pools, plan.asked())
    return SimpleNamespace(plan=plan, pools=pools, left=left, shrink=shrink)


def test_bytes_and_inodes_are_counted(run, folder):  # noqa: F811
    size, files = map(sum, zip(*run.left.values(), strict=True))
    files += OTHER_FILES
    run.shrink(f_bavail=int(size) + 1, f_favail=files)
    assert lacking_disk_space(run.plan, run.pools) == []
    run.shrink(f_bavail=int(size / 2), f_frsize=1, f_favail=files - 1)
    too_large, too_many = lacking_disk_space(run.plan, run.pools)
    assert f"needs up to {size / 1e9:.3f} GB, but {size / 2e9:.3f} GB are" in too_large
    assert f"needs up to {files} files, but {files - 1} inodes are free" in too_many
    assert f"on the disk of {folder}: make room there" in too_many
    # Some disks make inodes as they need them.
    run.shrink(f_files=0, f_favail=0)
    assert lacking_disk_space(run.plan, run.pools) == []


def test_what_is_there_needs_no_room(run, folder):  # noqa: F811
    size = sum(size for size, _ in run.left.values())
    bank = run.plan.bank("mid", 1)
    begun = folder / bank.replace(".manifest.json", ".zarr") / "noise/c/0"
    begun.parent.mkdir(parents=True)
    begun.write_bytes(bytes(1000))
    assert run.left[bank][0] > 1000
    run.shrink(f_bavail=int(size - 1000) + 1)
    assert lacking_disk_space(run.plan, run.pools) == []
    run.shrink(f_bavail=int(size - 1000) - 1)
    assert len(lacking_disk_space(run.plan, run.pools)) == 1
    manifest_path(begun.parents[2]).touch()
    run.shrink(f_bavail=int(size - run.left[bank][0]) + 1)
    assert lacking_disk_space(run.plan, run.pools) == []


def test_a_broken_image_is_left_to_ingestion_or_skipped(run, folder):  # noqa: F811
    (folder / "clean/0.png").write_bytes(b"no image")
    run.shrink(f_bavail=100)
    assert say(folder, quick=True)[1]
    clean = CONFIG["pools"]["clean"] | {"broken": "skip"}
    text, sound = say(folder, quick=True, pools=CONFIG["pools"] | {"clean": clean})
    assert not sound
    assert "the run needs up to" in text


@pytest.mark.parametrize("quick", [True, False])
def test_the_doctor_refuses_a_run_that_does_not_fit(run, folder, quick):  # noqa: F811
    run.shrink(f_bavail=100)
    text, sound = say(folder, quick)
    assert not sound
    assert "not ready:\n  the run needs up to" in text
    runtime = CONFIG["runtime"] | {"check_disk_space": False}
    assert say(folder, quick, runtime=runtime)[1]

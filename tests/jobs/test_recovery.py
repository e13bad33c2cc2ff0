import json
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, replace

import imageio.v3 as iio
import numpy as np
import psutil
import pytest
import yaml

from mid_core.errors import MidError
from mid_core.jobs.recovery import is_locked, recover
from mid_core.jobs.status import status
from mid_core.runtime import slurm
from mid_core.runtime.liveness import Process
from tests.conftest import ROOT
from tests.running import CONFIG, changed

SNAKEMAKE = [sys.executable, "-m", "snakemake", "--cores", "1"]
SNAKEMAKE += ["--configfile", "config.yaml"]
SNAKEMAKE += ["--snakefile", str(ROOT / "workflow/Snakefile")]
TRAINING = "results/tiny/logs/train_round/no_mask_0.log"
NOTED = "snakemake --cores 3 --configfile 'my config.yaml'"


@pytest.fixture
def locked(tmp_path):
    """A folder with Snakemake's lock, and a result and a record that must stay."""
    for name in ("locks/0.input.lock", "locks/0.output.lock", "metadata/cmVzdWx0"):
        path = tmp_path / ".snakemake" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("result\n")
    return tmp_path


def note(folder, process):
    """Write what a run notes of itself."""
    owners = folder / ".snakemake/mid_owners"
    owners.mkdir()
    text = {"process": asdict(process), "since": "23:10:00", "command": NOTED}
    (owners / f"{process.host}_{process.pid}.json").write_text(json.dumps(text))


def test_without_a_lock_there_is_nothing_to_do(tmp_path):
    assert f"no lock in {tmp_path}: nothing" in recover(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_lock_of_the_dead_is_cleared_and_nothing_else(locked):
    note(locked, replace(Process.this(), born=0.5))
    said = recover(locked)
    assert f"The lock in {locked} is cleared. Go on with\n  {NOTED}" in said
    assert not is_locked(locked)
    assert not list(locked.glob(".snakemake/mid_owners/*"))
    assert (locked / ".snakemake/metadata/cmVzdWx0").read_text() == "result\n"
    assert "nothing to recover" in recover(locked)


def test_the_living_keep_their_lock(locked):
    note(locked, Process.this())
    for force in (False, True):
        with pytest.raises(MidError, match=rf"at work:\n.*process {os.getpid()}"):
            recover(locked, force)
    assert is_locked(locked)


@pytest.mark.slow
def test_a_run_elsewhere_must_be_given_up_by_hand(locked):
    note(locked, Process("n7.cluster", 41, 3.25, "81"))
    with pytest.raises(MidError, match=r"n7\.cluster, process 41, SLURM job 81"):
        recover(locked)
    assert is_locked(locked)
    recover(locked, force=True)
    assert not is_locked(locked)


@pytest.fixture
def far_job(locked):
    """A training that started on another machine a moment ago."""
    log = locked / "results/tiny/logs/train_round/mid_0.log"
    log.parent.mkdir(parents=True)
    start = "started: train_round/mid_0 on n7, process 4, SLURM job 81, 1.50 s after"
    log.write_text(f"2026-11-23 22:48:12,182 INFO {start} its boot\n")


def test_a_job_elsewhere_that_writes_keeps_the_lock(locked, far_job):
    with pytest.raises(MidError, match=r"train_round/mid_0 \(n7, process 4, SLURM jo"):
        recover(locked)


@pytest.mark.slow
def test_a_job_that_slurm_knows_no_more_does_not(locked, far_job, monkeypatch):
    monkeypatch.setattr(slurm, "is_queued", lambda job: False if job == "81" else None)
    recover(locked)
    assert not is_locked(locked)


@pytest.mark.parametrize("script", ["snakemake", ".snakemake/scripts/a.train.py"])
def test_a_run_or_an_orphan_without_a_note_is_found(script, locked):
    (locked / ".snakemake/scripts").mkdir()
    (locked / script).write_text("import time; print(1, flush=True); time.sleep(60)")
    command = [sys.executable, locked / script]
    with subprocess.Popen(command, cwd=locked, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        with pytest.raises(MidError, match=rf"process {child.pid}: .*{script}"):
            recover(locked)
        child.kill()
    assert is_locked(locked)


@pytest.fixture
def images(tmp_path, monkeypatch):
    """A config of one short training, and its images."""
    training = CONFIG["method"]["training"] | {"iterations": 20}
    config = changed(training=training) | {"tests": []}
    config["variants"] = {"no_mask": CONFIG["variants"]["no_mask"]}
    rng = np.random.default_rng(4)
    for name in ("clean/a.png", "pairs/noisy_a.png", "pairs/clean_a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        iio.imwrite(tmp_path / name, rng.integers(0, 256, (29, 37, 3), np.uint8))
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def halted(images):
    """A run whose training has begun and stands still; and its jobs."""
    with (images / "output.txt").open("w") as output:
        run = subprocess.Popen(SNAKEMAKE, stdout=output, stderr=output)
    while run.poll() is None and not (images / TRAINING).exists():
        time.sleep(0.02)
    jobs = psutil.Process(run.pid).children(recursive=True)
    for job in jobs:
        job.suspend()
    yield run, jobs
    for process in (run, *jobs):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    run.wait()


@pytest.mark.slow
def test_a_living_run_is_left_alone(images, halted):
    run, _ = halted
    text, _ = status([images / "config.yaml"])
    assert "running: train_round/no_mask_0" in text
    assert f"a run is at work ({Process.this().host}, process {run.pid}" in text
    with pytest.raises(MidError, match=rf"process {run.pid}"):
        recover(images)
    second = subprocess.run(SNAKEMAKE, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    holder = rf"locked by `snakemake --cores 1 .*` on {Process.this().host} since 20"
    assert re.search(holder, second.stderr)
    assert "If it was killed, `mid recover` clears the lock." in second.stderr
    # What the refused run did has not hidden whose the lock is.
    with pytest.raises(MidError, match=rf"process {run.pid}, since"):
        recover(images)


@pytest.mark.slow
def test_after_a_kill_the_same_command_finishes(images, halted):
    run, jobs = halted
    run.kill()
    run.wait()
    configs = [images / "config.yaml"]
    assert "jobs of a run that is gone are at work" in status(configs)[0]
    with pytest.raises(MidError, match=r"train_round\.py"):
        recover(images)
    for job in jobs:
        job.kill()
    psutil.wait_procs(jobs, timeout=20)
    text, sound = status(configs)
    assert sound
    assert "stopped: train_round/no_mask_0" in text
    assert text.endswith("next: mid recover")
    assert "Go on with\n  snakemake --cores 1 --configfile config.yaml" in recover(
        images
    )
    again = subprocess.run(SNAKEMAKE, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    assert re.search(r"tiny: (\d+) of \1 done", status(configs)[0])
    assert not is_locked(images)
    assert not list(images.glob(".snakemake/mid_owners/*"))
    attempts = (images / TRAINING).with_suffix(".attempts.txt").read_text()
    assert attempts.count("started: train_round/no_mask_0") == 2

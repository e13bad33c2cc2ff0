import fcntl
import re
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml

from mid_core.errors import MidError
from mid_core.jobs.recovery import is_locked, recover
from mid_core.jobs.status import status
from mid_core.runtime import slurm
from tests.conftest import ROOT
from tests.running import CONFIG, changed, draw_images

SNAKEMAKE = [sys.executable, "-m", "snakemake", "--cores", "1"]
SNAKEMAKE += ["--configfile", "config.yaml"]
SNAKEMAKE += ["--snakefile", str(ROOT / "workflow/Snakefile")]
MODEL = "results/tiny/no_mask/round_0/model.json"
SNAKEMAKE += ["--", MODEL]
LOG = Path("results/tiny/logs/train_round/no_mask_0.log")
COMMAND = "snakemake --cores 3 --configfile 'my config.yaml'"
HERE = socket.gethostname()


@pytest.fixture
def locked(tmp_path):
    """A folder with Snakemake's lock, and a result and a record that must stay."""
    for name in ("locks/0.input.lock", "locks/0.output.lock", "metadata/cmVzdWx0"):
        path = tmp_path / ".snakemake" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("result\n")
    return tmp_path


def begin(log, task, who):
    """Write the first line of a job's log, or of a run's."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"2026-11-23 22:48:12,182 INFO started: {task} on {who}\n")
    return log


def run_of(folder, host):
    return begin(folder / ".snakemake/mid_run.log", COMMAND, f"{host}, process 41")


def test_without_a_lock_there_is_nothing_to_do(tmp_path):
    assert f"no lock in {tmp_path}: nothing" in recover(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_lock_of_the_dead_is_cleared_and_nothing_else(locked):
    log = run_of(locked, HERE)
    said = recover(locked)
    assert f"The lock in {locked} is cleared. Go on with\n  {COMMAND}" in said
    assert not is_locked(locked)
    assert {p.name for p in (locked / ".snakemake").iterdir()} == {"metadata", log.name}
    assert (locked / ".snakemake/metadata/cmVzdWx0").read_text() == "result\n"
    assert "nothing to recover" in recover(locked)


@pytest.mark.parametrize("text", [None, "", "half a li"])
def test_a_run_that_could_not_say_who_it_is_is_no_trouble(text, locked):
    if text is not None:
        (locked / ".snakemake/mid_run.log").write_text(text)
        with pytest.raises(MidError, match="may be at work"):
            recover(locked)
    assert recover(locked, force=True).endswith("Go on with\n  the command as before")


def test_the_living_keep_their_lock(locked):
    log = run_of(locked, HERE)
    with log.open("a") as run:
        fcntl.flock(run, fcntl.LOCK_EX)
        for force in (False, True):
            with pytest.raises(MidError, match=rf"at work:\n.*{HERE}, process 41"):
                recover(locked, force)
    assert is_locked(locked)
    recover(locked)


def test_a_run_elsewhere_must_be_given_up_by_hand(locked):
    run_of(locked, "n7.cluster")
    with pytest.raises(
        MidError, match=r"snakemake .* \(n7\.cluster, process 41, since"
    ):
        recover(locked)
    assert is_locked(locked)
    recover(locked, force=True)
    assert not is_locked(locked)


def test_a_job_elsewhere_keeps_the_lock_until_slurm_knows_it_no_more(
    locked, monkeypatch
):
    log = locked / "results/tiny/logs/train_round/mid_0.log"
    begin(log, "train_round/mid_0", "n7, process 4, SLURM job 81")
    monkeypatch.setattr(slurm, "is_queued", lambda job: job == "81")
    with pytest.raises(MidError, match=r"train_round/mid_0 \(n7, process 4, SLURM jo"):
        recover(locked)
    monkeypatch.setattr(slurm, "is_queued", lambda job: False)
    recover(locked)
    assert not is_locked(locked)


@pytest.fixture
def halted(tmp_path, monkeypatch):
    """A run whose only training has begun and stands still; and its jobs."""
    training = CONFIG["method"]["training"] | {"iterations": 20}
    config = changed(training=training) | {"tests": []}
    config["variants"] = {"no_mask": CONFIG["variants"]["no_mask"]}
    draw_images(tmp_path)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.chdir(tmp_path)
    with Path("output.txt").open("w") as output:
        run = subprocess.Popen(SNAKEMAKE, stdout=output, stderr=output)
    while run.poll() is None and not (LOG.exists() and "started" in LOG.read_text()):
        time.sleep(0.02)
    jobs = psutil.Process(run.pid).children(recursive=True)
    for job in jobs:
        job.suspend()
    yield run, jobs
    for process in (run, *jobs):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    run.wait()


def snakemake():
    return subprocess.run(SNAKEMAKE, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_living_run_is_left_alone_and_a_killed_one_goes_on(halted, tmp_path):
    run, jobs = halted
    configs = [Path("config.yaml")]
    text, _ = status(configs, [MODEL])
    assert "running: train_round/no_mask_0" in text
    owner = rf"snakemake --cores 1 .*{HERE}, process {run.pid}"
    assert re.search(rf"at work: {owner}, since 20", text)
    for _ in range(2):
        # What the first refused run did has not hidden whose the lock is.
        second = snakemake()
        assert second.returncode == 1
        assert re.search(rf"locked by\n.*{owner}\n", second.stderr)
        assert "If it was killed, `mid recover` clears the lock." in second.stderr
    with pytest.raises(MidError, match=owner):
        recover(tmp_path)
    run.kill()
    run.wait()
    # Its jobs go on without it.
    assert "at work: train_round/no_mask_0 (" in status(configs, [MODEL])[0]
    with pytest.raises(MidError, match="train_round/no_mask_0"):
        recover(tmp_path)
    for job in jobs:
        job.kill()
    psutil.wait_procs(jobs, timeout=20)
    text, sound = status(configs, [MODEL])
    assert sound
    assert "killed: train_round/no_mask_0" in text
    assert text.endswith("next: mid recover")
    said = recover(tmp_path)
    assert "Go on with\n  snakemake --cores 1 --configfile config.yaml" in said
    assert said.endswith(f" -- {MODEL}")
    again = snakemake()
    assert again.returncode == 0, again.stdout + again.stderr
    assert re.search(r"tiny: (\d+) of \1 done; nothing", status(configs, [MODEL])[0])
    assert not is_locked(tmp_path)
    assert (tmp_path / ".snakemake/mid_run.log").read_text().endswith("INFO finished\n")
    attempts = LOG.with_suffix(".attempts.txt").read_text()
    assert attempts.count("started: train_round/no_mask_0") == 2

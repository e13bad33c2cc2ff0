"""One training in several processes: the same result, and none is left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
import torch
from safetensors.numpy import load_file

from mid_core.errors import Interrupted, MidError, NotFinite
from mid_core.networks import build
from mid_core.runtime.devices import pick_device
from mid_core.runtime.distributed import SINGLE_PROCESS, ProcessGroup
from mid_core.runtime.interruption import Stop
from mid_core.runtime.launching import launch
from mid_core.trainer import Trainer, Training
from tests.conftest import ROOT, TINY
from tests.workflow.test_kills import SCRIPT, draw_pools

ITERATIONS, BATCH = 20, 8
# Measured: 5e-7. Sums of float32 in another order, through 20 steps of Adam.
TOLERANCE = 1e-5
# As Snakemake does, it hides that the script is a copy.
PREAMBLE = """
__file__ = {script!r}
from pathlib import Path
from tests.workflow import test_kills
test_kills.SETTINGS["training"] |= {{"batch_size": {batch}, "ema_decay": 0.5}}
snakemake = test_kills.job(
    Path({pools!r}), Path({folder!r}), {iterations}, {runtime}, **{spread}
)
"""
# So that there is a step left when a signal has come through.
SLOWLY = """
import time
from mid_core.batches import Batches
draw = Batches.draw
Batches.draw = lambda *arguments: [time.sleep(0.3), draw(*arguments)][1]
"""
# A SLURM job of two nodes, both of them this machine.
SLURM = {
    "squeue": "#!/bin/sh\necho 2\n",
    "srun": """#!/bin/bash
echo "$SLURM_JOB_ID $SLURM_STEP_ID $@" > {folder}/srun.txt
while [[ $1 = -* ]]; do [[ $1 = --ntasks=* ]] && n=${1#*=}; shift; done
for ((i = 0; i < n; i++)); do SLURM_PROCID=$i "$@" & done
wait
""",
}


class Job:
    """A round's folder, and the script that trains there, as Snakemake makes it."""

    def __init__(self, pools: Path, folder: Path, **environment: str) -> None:
        self.pools, self.folder, self.environment = pools, folder, environment
        folder.mkdir()

    def start(self, iterations=ITERATIONS, before="", runtime=(), **spread):
        """Start it; the caller ends it."""
        facts = {"pools": str(self.pools), "folder": str(self.folder)}
        facts |= {"batch": BATCH, "iterations": iterations, "spread": spread}
        facts |= {"runtime": {"save_minutes": 10} | dict(runtime)}
        script = self.folder / "tmp.train_round.py"
        preamble = PREAMBLE.format(**facts, script=str(SCRIPT))
        script.write_text(preamble + before + SCRIPT.read_text())
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        environment |= self.environment
        return subprocess.Popen([sys.executable, script], env=environment)

    def finish(self, **how) -> int:
        """Let it come to its end; return its exit status."""
        return self.start(**how).wait(120)

    def wait_for(self, steps: int) -> None:
        path, end = self.folder / "steps", time.monotonic() + 90
        while time.monotonic() < end:
            if path.exists() and path.stat().st_size >= steps:
                return
            time.sleep(0.01)
        raise AssertionError(self.log())

    def log(self) -> str:
        return (self.folder / "logs/train_round/mid_0.log").read_text()

    def result(self) -> tuple[dict, pd.DataFrame]:
        """The weights and the history."""
        folder = self.folder / "round"
        assert {p.name for p in folder.iterdir()} == {
            "model.json",
            "model.safetensors",
            "history.csv",
            "training",
        }
        return load_file(folder / "model.safetensors"), pd.read_csv(
            folder / "history.csv"
        )


def workers(launcher: subprocess.Popen) -> list[psutil.Process]:
    """The processes that train, in the order of their ranks."""
    below = psutil.Process(launcher.pid).children(recursive=True)
    known = re.compile(
        r"\S*python\S* (-\w )*(-c .*spawn_main|-m mid_core.runtime.launching)"
    )
    return [one for one in below if known.match(" ".join(one.cmdline()))]


def difference(one: dict, other: dict) -> float:
    """Largest difference of the weights, as a share of their tensor's largest."""
    assert one.keys() == other.keys()
    return max(
        np.abs(one[name] - other[name]).max() / max(np.abs(one[name]).max(), 1e-3)
        for name in one
    )


def agree(one: tuple, other: tuple) -> None:
    assert difference(one[0], other[0]) < TOLERANCE
    pd.testing.assert_frame_equal(one[1], other[1], rtol=TOLERANCE)


@pytest.fixture(scope="module")
def pools(tmp_path_factory):
    return draw_pools(tmp_path_factory.mktemp("pools"))


@pytest.fixture(scope="module")
def single(pools, tmp_path_factory):
    """What one process makes of a batch in one part."""
    job = Job(pools, tmp_path_factory.mktemp("single") / "run")
    assert job.finish() == 0, job.log()
    return job.result()


@pytest.mark.slow
@pytest.mark.parametrize(("gpus", "gradient_accumulation"), [(1, 4), (2, 2)])
def test_processes_and_accumulation_change_no_result(
    pools, single, tmp_path, gpus, gradient_accumulation
):
    job, parts = Job(pools, tmp_path / "run"), gradient_accumulation
    assert job.finish(gpus=gpus, gradient_accumulation=parts) == 0, job.log()
    assert f"on {gpus} x cpu" in job.log()
    assert job.log().splitlines()[-1].endswith("INFO finished")
    agree(job.result(), single)


@pytest.fixture
def two_nodes(tmp_path):
    """The environment of a SLURM job of two nodes."""
    for name, text in SLURM.items():
        (tmp_path / name).write_text(text.replace("{folder}", str(tmp_path)))
        (tmp_path / name).chmod(0o755)
    environment = {"SLURM_JOB_ID": "71", "SLURM_STEP_ID": "5"}
    return environment | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}


@pytest.mark.slow
def test_nodes_change_no_result(pools, single, tmp_path, two_nodes):
    job = Job(pools, tmp_path / "run", **two_nodes)
    assert job.finish(gpus=4) == 0, job.log()
    agree(job.result(), single)
    called = (tmp_path / "srun.txt").read_text()
    assert called.startswith("71  --overlap")  # no step
    assert "--nodes=2 --ntasks=4 --ntasks-per-node=2" in called


def test_nodes_that_cannot_share_the_processes_are_refused(two_nodes, monkeypatch):
    for name, value in two_nodes.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(MidError, match="2 nodes cannot share 3 processes evenly"):
        launch(print, 3, "cpu", Stop())


@pytest.mark.slow
def test_a_training_goes_on_after_a_signal_and_after_a_killed_process(
    pools, single, tmp_path
):
    job = Job(pools, tmp_path / "run")
    first = job.start(gpus=2, before=SLOWLY)
    job.wait_for(6)
    first.send_signal(signal.SIGUSR1)
    assert first.wait(60) == 75
    assert "interrupted: SIGUSR1, after step" in job.log()
    assert "the same command goes on from there" in job.log()
    second = job.start(gpus=2, before=SLOWLY, runtime={"save_minutes": 0})
    job.wait_for(16)
    os.kill(workers(second)[1].pid, signal.SIGKILL)
    assert second.wait(20) == 1
    assert "resumed at step" in job.log()
    assert "process 1 terminated with signal SIGKILL" in job.log()
    # By another number of processes.
    assert job.finish() == 0, job.log()
    assert "resumed at step" in job.log()
    agree(job.result(), single)


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [1, 2])
def test_processes_do_not_outlive_their_launcher(pools, tmp_path, two_nodes, nodes):
    job = Job(pools, tmp_path / "run", **(two_nodes if nodes == 2 else {}))
    launcher = job.start(gpus=2, iterations=100_000)
    job.wait_for(6)
    processes = workers(launcher)
    assert len(processes) == 2
    launcher.kill()
    launcher.wait()
    assert not psutil.wait_procs(processes, 60)[1]
    assert len(list(job.folder.rglob("checkpoint.pt"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("error", [MidError, NotFinite, KeyError])
def test_the_first_failure_is_said_for_all(tmp_path, monkeypatch, error):
    script = tmp_path / "script.py"
    script.write_text(
        "from mid_core.errors import Interrupted, MidError, NotFinite\n"
        "def work(group, device):\n"
        f"    if group.rank == 1: raise {error.__name__}('a shard is damaged')\n"
        "    group.any(True)\n"
    )
    monkeypatch.setattr(sys, "argv", [str(script)])

    def work(group, device): ...

    with pytest.raises(MidError, match="process 1: ") as failed:
        launch(work, 2, "cpu", Stop())
    assert failed.type is (NotFinite if error is NotFinite else MidError)
    said = str(failed.value)
    assert "a shard is damaged" in said
    assert "the same command goes on from the last state" in said
    assert ("Traceback" in said) == (error is KeyError)


@pytest.mark.slow
def test_an_interruption_of_the_last_process_is_one_of_all(tmp_path, monkeypatch):
    script = tmp_path / "script.py"
    script.write_text(
        "from mid_core.errors import Interrupted\n"
        "def work(group, device):\n"
        "    if group.rank == 1: raise Interrupted('SIGTERM')\n"
    )
    monkeypatch.setattr(sys, "argv", [str(script)])

    def work(group, device): ...

    with pytest.raises(Interrupted, match="SIGTERM"):
        launch(work, 2, "cpu", Stop())


def test_parts_of_a_batch_add_up(rng):
    y, x = (torch.from_numpy(rng.random((8, 3, 16, 16), "f4")) for _ in range(2))
    trained = []
    for parts in (1, 4):
        settings = Training(iterations=9, batch_size=8, patch_size=16, ema_decay=0)
        where = torch.device("cpu"), SINGLE_PROCESS, parts
        one = Trainer(build(TINY, seed=[0]), settings, *where)
        for _ in range(3):
            one.step(y, x)
        weights = {n: w.detach().numpy() for n, w in one.network.named_parameters()}
        trained.append((weights, one.sum_up()))
    (whole, row), (parted, same) = trained
    assert difference(whole, parted) < TOLERANCE
    assert same == pytest.approx(row, rel=TOLERANCE)


def test_shards_cover_a_batch_once():
    shards = [ProcessGroup(rank, 3).shard(12) for rank in range(3)]
    assert [i for shard in shards for i in range(12)[shard]] == list(range(12))
    assert range(7)[SINGLE_PROCESS.shard(7)] == range(7)


def test_a_process_without_a_gpu_says_what_its_job_was_given(monkeypatch):
    facts = {"SLURM_JOB_ID": "71", "CUDA_VISIBLE_DEVICES": "0", "PATH": "/nowhere"}
    for name, value in facts.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(MidError, match="more GPUs of kind cuda than this") as refused:
        pick_device("cuda", gpu=1)
    for fact in ("node: ", "CUDA_VISIBLE_DEVICES=0", "SLURM_JOB_ID=71"):
        assert fact in str(refused.value)

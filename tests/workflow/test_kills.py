"""The training script as a process of its own, killed and told to stop."""

import hashlib
import json
import multiprocessing
import os
import random
import runpy
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mid_core import training as trainer_module
from mid_core.checkpoints.finished import CARD, HISTORY, WEIGHTS
from mid_core.noise import white_gaussian
from mid_core.store import StoreWriter
from tests.conftest import ROOT, TINY

ITERATIONS, KILLS = 400, 50
SETTINGS = {
    "pool": "clean",
    "network": TINY,
    "training": {
        "iterations": ITERATIONS,
        "batch_size": 2,
        "patch_size": 16,
        "loss": "mse",
    },
    "masking": {"mask_ratio": [0.2, 0.9]},
    "clip": False,
    "seed": 0,
    "round": 0,
}
RUNTIME = {
    "device": "cpu",
    "memory_gb": 1,
    "report_every": 7,
    "skip_steps": 0,
    "compile": "auto",
    "save_minutes": 0,
    "max_seconds": None,
}
SCRIPT = ROOT / "workflow/scripts/train_round.py"
FORK = multiprocessing.get_context("forkserver")
# What a training imports, so that only the first of many takes the seconds.
FORK.set_forkserver_preload(
    [
        "tests.workflow.test_kills",
        "pandas",
        "torch._dynamo",
        "mid_core.batches",
        "mid_core.checkpoints.model_file",
        "mid_core.evaluation.gate",
        "mid_core.evaluation.held_out",
        "mid_core.methods.mid",
        "mid_core.runtime.launching",
    ]
)
pytestmark = pytest.mark.slow


class Files(dict):
    """Files by name, as Snakemake gives them."""

    __getattr__ = dict.__getitem__


def job(
    pools: Path, folder: Path, iterations: int, runtime: dict, **spread: int
) -> SimpleNamespace:
    """Make what Snakemake gives to the script; each step leaves a byte in ``steps``."""
    step = trainer_module.Trainer.step

    def counted(self, y, x):
        with (folder / "steps").open("ab") as file:
            file.write(b".")
        return step(self, y, x)

    trainer_module.Trainer.step = counted
    outputs = {"model": "model.json", "weights": "model.safetensors"}
    outputs["history"] = "history.csv"
    training = SETTINGS["training"] | {"iterations": iterations}
    spreading = {"gpus": 1, "gradient_accumulation": 1} | spread
    method = {"training": spreading, "rounds": [{}], "gate": {}}
    made = {name: str(folder / "round" / file) for name, file in outputs.items()}
    return SimpleNamespace(
        params=SimpleNamespace(settings=SETTINGS | {"training": training}, version=1),
        config={"runtime": RUNTIME | runtime, "variants": {"mid": method}},
        threads=1,
        resources=SimpleNamespace(runtime=60),
        input=Files(
            clean=str(pools / "clean.manifest.json"),
            noise=str(pools / "noise.manifest.json"),
        ),
        output=SimpleNamespace(**made),
        wildcards=SimpleNamespace(variant="mid"),
        log=[str(folder / "logs/train_round/mid_0.log")],
    )


def die_in_save(_path: Path, _target: Path) -> None:
    """Stand in for ``Path.replace``: die when a file is written, not yet renamed."""
    os.kill(os.getpid(), signal.SIGKILL)


def train_round(dies: bool, *arguments) -> None:
    """Run the rule's script as Snakemake would; with ``dies``, up to its first save."""
    if dies:
        Path.replace = die_in_save
    runpy.run_path(str(SCRIPT), {"snakemake": job(*arguments)}, "__main__")


class Trainer:
    """A round's folder, and the processes that train there one after another."""

    def __init__(self, pools: Path, folder: Path, iterations: int = ITERATIONS) -> None:
        self.pools, self.folder, self.iterations = pools, folder, iterations
        folder.mkdir()

    def start(self, dies: bool = False, **runtime):
        """Start a process; the caller ends it, or it ``dies`` in its first save."""
        arguments = (dies, self.pools, self.folder, self.iterations, runtime)
        process = FORK.Process(target=train_round, args=arguments)
        process.start()
        return process

    def finish(self, **runtime) -> int:
        """Let a process come to its end; return its exit status."""
        process = self.start(**runtime)
        process.join(120)
        return process.exitcode

    @property
    def steps(self) -> int:
        """Steps begun by all processes so far."""
        path = self.folder / "steps"
        return path.stat().st_size if path.exists() else 0

    def wait_for(self, step: int) -> None:
        end = time.monotonic() + 60
        while self.steps < step and time.monotonic() < end:
            time.sleep(0.001)
        assert self.steps >= step

    def log(self) -> str:
        return (self.folder / "logs/train_round/mid_0.log").read_text()

    def outputs(self) -> dict[str, str]:
        """Hashes of the weights' and the history's files."""
        files = [self.folder / "round" / name for name in (WEIGHTS, HISTORY)]
        return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}

    def left_behind(self) -> set[str]:
        """Names of files in the round's folder that no output has."""
        files = [p for p in (self.folder / "round").rglob("*") if p.is_file()]
        return {p.name for p in files} - {WEIGHTS, HISTORY, CARD}


def draw_pools(folder: Path) -> Path:
    """Write a store of clean images and a bank of noise."""
    rng = np.random.default_rng(0)
    with StoreWriter(folder / "clean.zarr", "image") as store:
        for i, size in enumerate([(41, 35, 3), (27, 58, 3)]):
            store.append(str(i), rng.integers(0, 256, size, dtype=np.uint8))
    with StoreWriter(folder / "noise.zarr", "noise") as store:
        for name, noise in white_gaussian(3, 19, (5, 50), 3, 0):
            store.append(name, noise)
    return folder


@pytest.fixture(scope="module")
def pools(tmp_path_factory):
    return draw_pools(tmp_path_factory.mktemp("pools"))


@pytest.fixture(scope="module")
def unbroken(pools, tmp_path_factory):
    """What a training that nobody disturbs writes."""
    trainer = Trainer(pools, tmp_path_factory.mktemp("unbroken") / "run")
    assert trainer.finish(save_minutes=10) == 0
    assert trainer.steps == ITERATIONS
    assert trainer.left_behind() == set()
    return trainer.outputs()


@pytest.mark.exhaustive
def test_fifty_kills_change_nothing(pools, unbroken, tmp_path):
    trainer, chance = Trainer(pools, tmp_path / "run"), random.Random(0)
    for i in range(KILLS):
        # Some before the first step, some in a step, every fifth surely in a save.
        before, process = trainer.steps, trainer.start(dies=i % 5 == 4)
        if i % 5 < 4:
            if steps := chance.randrange(12):
                trainer.wait_for(before + steps)
            time.sleep(chance.uniform(0, 0.02))
            assert process.is_alive(), trainer.log()
            os.kill(process.pid, signal.SIGKILL)
        process.join(60)
        assert process.exitcode == -signal.SIGKILL, trainer.log()
        assert i % 5 < 4 or list(trainer.folder.rglob(".mid-*.partial"))
    assert trainer.finish() == 0, trainer.log()
    assert trainer.outputs() == unbroken
    assert trainer.left_behind() == set()
    # Saved after every step: a kill repeats one at most.
    assert ITERATIONS <= trainer.steps <= ITERATIONS + KILLS
    print(f"{KILLS} kills, {trainer.steps - ITERATIONS} steps repeated")


def test_signals_save_and_the_same_command_goes_on(pools, unbroken, tmp_path):
    trainer, chance = Trainer(pools, tmp_path / "run"), random.Random(1)
    for sign in 3 * [signal.SIGTERM, signal.SIGUSR1]:
        before, process = trainer.steps, trainer.start(save_minutes=10)
        trainer.wait_for(before + chance.randrange(1, 40))
        os.kill(process.pid, sign)
        process.join(30)
        assert process.exitcode == 75
        assert f"{sign.name}, after step" in trainer.log()
    assert trainer.finish(save_minutes=10) == 0
    assert trainer.outputs() == unbroken
    assert trainer.steps == ITERATIONS
    card = json.loads((trainer.folder / "round/model.json").read_text())
    assert card["train_seconds"] > 0


def test_slices_of_limited_time_finish(pools, tmp_path):
    whole = Trainer(pools, tmp_path / "whole", iterations=3)
    assert whole.finish() == 0
    sliced = Trainer(pools, tmp_path / "sliced", iterations=3)
    # However short a slice, it does a step.
    ends = [sliced.finish(save_minutes=10, max_seconds=0) for _ in range(3)]
    assert ends == [75, 75, 0]
    assert sliced.outputs() == whole.outputs()
    assert sliced.steps == 3


def test_what_is_finished_is_not_trained_again(pools, tmp_path):
    trainer = Trainer(pools, tmp_path / "run", iterations=3)
    assert trainer.finish() == 0
    outputs = trainer.outputs()
    for name in (WEIGHTS, HISTORY, CARD):
        # As Snakemake does with a job that it takes for failed.
        (trainer.folder / "round" / name).unlink()
    before = time.time_ns()
    assert trainer.finish() == 0
    assert trainer.steps == 3
    assert "nothing is trained" in trainer.log()
    assert trainer.outputs() == outputs
    assert (trainer.folder / "round" / CARD).stat().st_mtime_ns >= before - 10**8
    # What is damaged is not put back.
    (kept,) = trainer.folder.glob(f"round/training/*/{WEIGHTS}")
    kept.write_bytes(kept.read_bytes()[:-1] + b"?")
    assert trainer.finish() == 0
    assert "is damaged and is not used" in trainer.log()
    assert trainer.steps == 6
    assert trainer.outputs() == outputs


def test_a_second_trainer_is_refused_while_the_first_lives(pools, tmp_path):
    # Long enough not to end while the second one waits.
    trainer = Trainer(pools, tmp_path / "run", iterations=100_000)
    first = trainer.start()
    trainer.wait_for(3)
    os.kill(first.pid, signal.SIGSTOP)
    # Its lock is touched from now on by nobody; at first that proves nothing.
    second = trainer.start()
    second.join(2)
    assert second.is_alive()
    os.kill(first.pid, signal.SIGCONT)
    second.join(60)
    assert second.exitcode == 1
    assert f"process {first.pid}" in trainer.log()
    first.kill()
    first.join()

"""What it costs to save a training's state, and what a kill costs.

A save is timed for the demo's network and for the paper's NAFNet (width 32), on the
machine's own disk; its share is that of the default interval of 10 minutes, in which
nothing else runs meanwhile. A kill loses what came after the last save, half an interval
in the mean, and the time to load the state. Run: python -m benchmarks.state_overhead
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.measuring import publish, seconds
from mid_core.checkpoints.checkpoint import Checkpoints
from mid_core.checkpoints.trainer_state import restore, state_of
from mid_core.networks import build
from mid_core.runtime.devices import pick_device
from mid_core.trainer import Trainer, Training

NETWORKS = {
    "demo": {
        "width": 32,
        "encoder": [1, 1],
        "middle": 1,
        "decoder": [1, 1],
        "pixel_unshuffle": 2,
    },
    "paper": {"width": 32},
}
INTERVAL_S, REPEATS, REACH = 600, 5, 0.02


def trainer(network: dict, device: torch.device) -> Trainer:
    """Make a trainer that has done a step: its optimiser then has its moments."""
    built = build({"name": "nafnet"} | network)
    trained = Trainer(built, Training(200_000, 1, 64), device)
    trained.history = [
        {"step": i, "loss": 0.1, "learning_rate": 1e-4} for i in range(4000)
    ]
    trained.step(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64))
    return trained


def median(work: Callable[[], object], device: torch.device) -> float:
    """Median time of a piece of work, done several times."""
    return statistics.median(seconds(work, device.type) for _ in range(REPEATS))


def measure(name: str, device: torch.device, states: Checkpoints) -> dict[str, object]:
    """Time the check, the save and the load of one network's state."""
    trained = trainer(NETWORKS[name], device)
    check = median(trained.first_bad_step, device)
    save = median(lambda: states.save(state_of(trained)), device)
    load = median(lambda: restore(trained, states.load()), device)
    return {
        "network": name,
        "device": device.type,
        "state_mb": (states.folder / "checkpoint.pt").stat().st_size / 1e6,
        "check_s": check,
        "save_s": save,
        "share_of_training": (check + save) / INTERVAL_S,
        "to_stay_below": REACH,
        "load_s": load,
        "mean_loss_by_a_kill_s": INTERVAL_S / 2 + load,
        "largest_loss_by_a_kill_s": INTERVAL_S + load,
    }


def main() -> None:
    """Print a row for each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--folder", help="disk to write to; default: a temporary one")
    arguments, rows = parser.parse_args(), []
    for name in NETWORKS:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            states = Checkpoints(Path(folder), {"network": name})
            rows.append(measure(name, pick_device(arguments.device), states))
    publish("state_overhead", {"saving a training's state": rows})


if __name__ == "__main__":
    main()

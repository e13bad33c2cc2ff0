"""What it costs to save a training's state, and what a kill costs.

A save is timed for the demo's network and for the paper's NAFNet (width 32), on the
machine's own disk; its share is that of the default interval of 10 minutes, in which
nothing else runs meanwhile. A kill loses what came after the last save, half an interval
in the mean, and the time to load the state. Run: python -m benchmarks.state_overhead
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch

from mid_core.devices import pick_device
from mid_core.learner import Learner, Training
from mid_core.networks import build
from mid_core.state import States

NETWORKS = {
    "demo": {"width": 32, "encoder": [1, 1], "middle": 1, "decoder": [1, 1], "fold": 2},
    "paper": {"width": 32},
}
INTERVAL_S, REPEATS = 600, 5


def learner(network: dict, device: torch.device) -> Learner:
    """Make a learner that has done a step: its optimiser then has its moments."""
    built = build({"name": "nafnet"} | network)
    trained = Learner(built, Training(200_000, 1, 64), device)
    trained.history = [
        {"step": i, "loss": 0.1, "learning_rate": 1e-4} for i in range(4000)
    ]
    trained.learn(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64))
    return trained


def seconds(work) -> float:
    """Median time of a piece of work, done several times."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(name: str, device: torch.device, states: States) -> str:
    """Time the check, the save and the load of one network's state."""
    trained = learner(NETWORKS[name], device)
    check = seconds(trained.first_bad_step)
    save = seconds(lambda: states.save(trained.state_dict()))
    load = seconds(lambda: trained.load_state_dict(states.load()))
    size = (states.folder / "state.pt").stat().st_size / 1e6
    return (
        f"{name} on {device}: state {size:.1f} MB, check {check:.3f} s, save "
        f"{save:.3f} s, {100 * (check + save) / INTERVAL_S:.3f} % of training "
        f"(to reach: 2); load {load:.3f} s, a kill loses {INTERVAL_S / 2 + load:.0f} s "
        f"in the mean, {INTERVAL_S + load:.0f} s at most"
    )


def main() -> None:
    """Print a line for each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--folder", help="disk to write to; default: a temporary one")
    arguments = parser.parse_args()
    for name in NETWORKS:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            states = States(Path(folder), {"network": name})
            print(measure(name, pick_device(arguments.device), states))


if __name__ == "__main__":
    main()

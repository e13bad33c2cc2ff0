"""How many steps of each compared method take as long? For the small configs.

    python -m benchmarks.compared_steps config/real_noise.yaml --minutes 6

For each training of each method it measures the CPU time of a step on one thread, and
prints how many steps take the minutes together; those of a method share them evenly.
The numbers are then written into the config by hand: a rerun is exact.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from mid_config.loading import load_config
from mid_config.methods import unfolded
from mid_core.methods import stage_of
from mid_core.patches import InMemory
from mid_core.trainer import Trainer, Training

WARM_UP, MEASURED = 2, 5


def step_seconds(settings: dict, before: nn.Module | None) -> tuple[float, nn.Module]:
    """Measure a step of a training; return its CPU seconds, and the network."""
    rng, cpu = np.random.default_rng(0), torch.device("cpu")
    names = ("noisy", "truth", "clean", "noise")
    images = [(i, rng.integers(0, 256, (512, 512, 3), np.uint8)) for i in "ab"]
    pools = dict.fromkeys(names, InMemory(images))
    training, stage = Training(**settings["training"]), stage_of(settings, before)
    sizes = training.batch_size, training.patch_size
    batches = stage.batches(pools, *sizes, [0])
    network = stage.build(settings["network"], 3, [0])
    trainer = Trainer(network, training, cpu, turns=stage.turns())
    seconds = []
    for step in range(WARM_UP + MEASURED):
        start = time.process_time()
        trainer.step(*batches.draw(step))
        seconds.append(time.process_time() - start)
    trained = stage.trained(trainer.network).eval().requires_grad_(False)
    return statistics.median(seconds[WARM_UP:]), trained


def main() -> None:
    """Print the steps of each training."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--minutes", type=float, default=6, help="of each method")
    parser.add_argument("--methods", nargs="+", help="only these")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    config = load_config([asked.config], {})
    for name, entry in config["compared"].items():
        rounds = unfolded(entry, config["method"]).rounds
        if "stages" not in entry or (asked.methods and name not in asked.methods):
            continue
        before = None
        for stage, one in zip(entry["stages"], rounds, strict=True):
            seconds, before = step_seconds(one.train, before)
            steps = 60 * asked.minutes / len(rounds) / seconds
            sizes = "{batch_size} x {patch_size}²".format(**one.train["training"])
            count = sum(p.numel() for p in before.parameters())
            print(
                f"{name} {stage}: {1000 * seconds:.0f} ms a step of {sizes}, "
                f"{count} parameters, {steps:.0f} steps"
            )


if __name__ == "__main__":
    main()

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

import torch

from mid_config.loading import load_config
from mid_config.methods import unfolded
from mid_core.patches import PatchSampler
from mid_core.planning.step_trial import begun
from mid_core.trainer import Trainer

WARM_UP, MEASURED = 2, 5


def cpu_seconds(trainer: Trainer, batches: PatchSampler) -> float:
    """Measure the CPU seconds of a step."""
    seconds = []
    for step in range(WARM_UP + MEASURED):
        start = time.process_time()
        trainer.step(*batches.draw(step))
        seconds.append(time.process_time() - start)
    return statistics.median(seconds[WARM_UP:])


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
        trainings = [one.train for one in rounds]
        for k, stage_name in enumerate(entry["stages"]):
            training = trainings[k]["training"]
            own = trainings, k, 3, torch.device("cpu"), training["batch_size"]
            trainer, batches, stage = begun(*own)
            seconds = cpu_seconds(trainer, batches)
            steps = 60 * asked.minutes / len(rounds) / seconds
            sizes = "{batch_size} x {patch_size}²".format(**training)
            kept = stage.trained(trainer.network)
            count = sum(p.numel() for p in kept.parameters())
            print(
                f"{name} {stage_name}: {1000 * seconds:.0f} ms a step of {sizes}, "
                f"{count} parameters, {steps:.0f} steps"
            )


if __name__ == "__main__":
    main()

"""Choose the mask ratio of a first round: short trainings, judged without truth."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mid_core.batches import Batches
from mid_core.ensemble import denoise
from mid_core.evaluation.structure import structure_taken
from mid_core.images.picture import to_float
from mid_core.jobs.looking import lowest
from mid_core.jobs.rule import run_rule
from mid_core.masking import Masking, image_seed
from mid_core.networks import build
from mid_core.networks.denoiser import Denoiser
from mid_core.patches import hold
from mid_core.runtime.devices import pick_device
from mid_core.runtime.interruption import until_stopped
from mid_core.runtime.progress import TrainingReport, log
from mid_core.store import Store, write_json
from mid_core.training import Trainer, Training, train

# Pixels a side of what is denoised of an image, and masks that are averaged.
SIDE, MASKS = 256, 4


def tried(ratio: float, device: torch.device) -> tuple[Denoiser, Masking]:
    """Train shortly with this share of the pixels hidden."""
    settings = snakemake.params.settings
    memory_gb = snakemake.config["runtime"]["memory_gb"]
    stores = map(Store.of, (snakemake.input.clean, snakemake.input.noise))
    pools = [hold(store, memory_gb) for store in stores]
    steps = settings["trials"]["iterations"]
    training = replace(Training(**settings["training"]), iterations=steps)
    masking = Masking(**{**settings["masking"], "mask_ratio": ratio})
    sizes = training.batch_size, training.patch_size
    seed = [settings["seed"], settings["round"]]
    batches = Batches(*pools, *sizes, masking, settings["clip"], seed)
    extra = masking.extra_channels(batches.channels)
    network = build(settings["network"], batches.channels, extra, seed=seed)
    trainer = Trainer(network, training, device)
    train(trainer, batches, TrainingReport(f"trial, {ratio:g} hidden", steps, 0))
    trainer.model.set_patch_size(training.patch_size)
    return trainer.model, masking


def noisy_images() -> Iterator[tuple[str, np.ndarray]]:
    """Yield the middle of some images that are spread over the pool, by name."""
    noisy, wanted = Store.of(snakemake.input.noisy), snakemake.params.settings["trials"]
    count = min(len(noisy), wanted["images"])
    for i in np.linspace(0, len(noisy) - 1, count).round().astype(int).tolist():
        height, width = noisy.sizes[i]
        side = min(SIDE, height, width)
        window = noisy.crop(i, (height - side) // 2, (width - side) // 2, side)
        yield noisy.names[i], to_float(window)


def main() -> None:
    settings = snakemake.params.settings
    device = pick_device(snakemake.config["runtime"]["device"])
    torch.set_num_threads(snakemake.threads)
    images, rows = list(noisy_images()), []
    for ratio in until_stopped(settings["trials"]["mask_ratios"]):
        network, masking = tried(ratio, device)
        taken, std = [], []
        for name, y in images:
            seed = image_seed(settings["seed"], "choose_ratio", name)
            (x_hat,) = denoise(network, y, masking, seed, (MASKS,))
            taken.append(structure_taken(x_hat, y))
            std.append(255 * float((y - x_hat).std()))
        row = {"mask_ratio": ratio, "structure_taken": float(np.mean(taken))}
        rows.append(row | {"residual_std": float(np.mean(std)), "images": len(images)})
        log.info("%s", rows[-1])
    chosen = lowest({row["mask_ratio"]: row["structure_taken"] for row in rows})
    table = pd.DataFrame(rows).assign(chosen=lambda t: t["mask_ratio"] == chosen)
    table.round(4).to_csv(snakemake.output.table, index=False)
    made = {"stage": "choose_ratio", "version": snakemake.params.version}
    found = {"mask_ratio": chosen, "trials": rows, "made_by": made}
    write_json(Path(snakemake.output.choice), found)


if __name__ == "__main__":
    run_rule(main, snakemake.log[0])

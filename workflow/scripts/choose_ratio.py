"""Choose the mask ratio of a first round: short trainings, judged without truth."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from mid_core.evaluation.inspection import middle_crops
from mid_core.evaluation.structure import taken_out
from mid_core.images.picture import to_float
from mid_core.jobs.looking import lowest
from mid_core.jobs.rule import run_rule
from mid_core.masking import Masking
from mid_core.methods import stage_of
from mid_core.networks.denoiser import Denoiser
from mid_core.patches import hold
from mid_core.runtime.devices import pick_device
from mid_core.runtime.interruption import until_stopped
from mid_core.runtime.progress import TrainingReport, log
from mid_core.store import Store, write_json
from mid_core.trainer import Trainer, Training
from mid_core.training import train

# Pixels a side of what is denoised of an image.
SIDE = 256


def tried(ratio: float, device: torch.device) -> tuple[Denoiser, Masking]:
    """Train shortly with this share of the pixels hidden."""
    settings, files = snakemake.params.settings, snakemake.input
    memory_gb = snakemake.config["runtime"]["memory_gb"]
    stores = {role: Store.of(files[role]) for role in ("clean", "noise")}
    pools = {role: hold(store, memory_gb) for role, store in stores.items()}
    steps = settings["trials"]["iterations"]
    training = replace(Training(**settings["training"]), iterations=steps)
    masking = {**settings["masking"], "mask_ratio": ratio}
    stage = stage_of(settings | {"masking": masking})
    sizes = training.batch_size, training.patch_size
    batches = stage.batches(pools, *sizes, [settings["seed"], settings["round"]])
    network = stage.build(settings["network"], batches.channels, batches.seed)
    trainer = Trainer(network, training, device, turns=stage.turns())
    train(trainer, batches, TrainingReport(f"trial, {ratio:g} hidden", steps, 0))
    trainer.model.set_patch_size(training.patch_size)
    return trainer.model, Masking(**masking)


def main() -> None:
    settings = snakemake.params.settings
    device = pick_device(snakemake.config["runtime"]["device"])
    torch.set_num_threads(snakemake.threads)
    noisy, wanted = Store.of(snakemake.input.noisy), settings["trials"]["images"]
    crops = middle_crops(noisy, min(len(noisy), wanted), SIDE)
    images, rows = list(map(to_float, crops)), []
    for ratio in until_stopped(settings["trials"]["mask_ratios"]):
        found = taken_out(*tried(ratio, device), images, [settings["seed"]])
        rows.append({"mask_ratio": ratio, **found, "images": len(images)})
        log.info("%s", rows[-1])
    chosen = lowest({row["mask_ratio"]: row["structure_taken"] for row in rows})
    table = pd.DataFrame(rows).assign(chosen=lambda t: t["mask_ratio"] == chosen)
    table.round(4).to_csv(snakemake.output.table, index=False)
    made = {"stage": "choose_ratio", "version": snakemake.params.version}
    found = {"mask_ratio": chosen, "trials": rows, "made_by": made}
    write_json(Path(snakemake.output.choice), found)


if __name__ == "__main__":
    run_rule(main, snakemake.log[0])

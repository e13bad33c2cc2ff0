"""Judge each round's network on its noisy images, without the truth."""

import json
from pathlib import Path

import torch

from mid_core.checkpoints.model_file import load_model
from mid_core.evaluation.inspection import middle_crops
from mid_core.evaluation.structure import taken_out
from mid_core.images.picture import to_float
from mid_core.jobs.rule import run_rule
from mid_core.masking import Masking
from mid_core.runtime.devices import pick_device
from mid_core.runtime.interruption import until_stopped
from mid_core.store import Store
from mid_core.tables.judged import judged_layout, judged_table
from mid_core.tables.layout import write

# Noisy images that are looked at, and their side in pixels.
IMAGES, SIDE = 12, 256


def main() -> None:
    torch.set_num_threads(snakemake.threads)
    # In SLURM this job asks for no GPU.
    device = pick_device(snakemake.config["runtime"]["device"], needed=False)
    params, files = snakemake.params.rounds, snakemake.input
    each = zip(params, files.models, files.noisy, strict=True)
    rows = []
    for (variant, k), model, manifest in until_stopped(
        each, "the same command judges again"
    ):
        noisy = Store.of(manifest)
        crops = middle_crops(noisy, min(len(noisy), IMAGES), SIDE)
        network, card = load_model(model, device)
        masking, images = Masking(**card["masking"]), list(map(to_float, crops))
        found = taken_out(network, masking, images, [card["seed"]])
        seconds = json.loads(Path(model).read_text())["train_seconds"]
        own = {"variant": variant, "round": k, **found}
        rows.append(own | {"images": len(images), "train_seconds": seconds})
    table = judged_table(rows)
    table.to_csv(snakemake.output.csv, index=False)
    write([judged_layout(table)], snakemake.output.md, snakemake.output.tex)


run_rule(main, snakemake.log[0])

"""Score a round's network on a test pool: a row for each image and each K."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mid_core.checkpoint import load_model
from mid_core.images import to_float
from mid_core.inference import denoise
from mid_core.masking import image_seed
from mid_core.metrics import score
from mid_core.progress import Progress, run_rule
from mid_core.sampling import Masking
from mid_core.store import Store, store_path
from mid_core.training import pick_device


def main() -> None:
    settings, runtime = snakemake.params.settings, snakemake.config["runtime"]
    torch.set_num_threads(snakemake.threads)
    weights = Path(snakemake.input.model).with_suffix(".safetensors")
    network, _ = load_model(weights, pick_device(runtime["device"], needed=False))
    pixels = Store(store_path(snakemake.input.test))
    noisy, clean = pixels.stacks["image"], pixels.stacks["truth"]
    masking, protocol = Masking(**settings["masking"]), settings["protocol"]
    wildcards, rows = snakemake.wildcards, []
    title = f"scores of {wildcards.variant}, round {wildcards.k}"
    report = Progress(title, len(noisy), "image")
    for i, (name, image) in enumerate(noisy):
        y, x = to_float(image), to_float(clean.read(i))
        seed = image_seed(settings["seed"], "evaluate", name)
        estimates = denoise(
            network, y, masking, seed, settings["masks"], runtime["tile"], report
        )
        before = score(y, x, protocol)
        for k, estimate in zip(settings["masks"], estimates, strict=True):
            row = {"test": wildcards.pool, "image": name, "k": k}
            row["mask_ratio"] = masking.ratio
            row |= score(np.clip(estimate, 0, 1), x, protocol)
            row |= {f"noisy_{key}": before[key] for key in ("psnr_db", "ssim")}
            rows.append(row | {"seed": settings["seed"]})
    pd.DataFrame(rows).to_csv(snakemake.output.scores, index=False)


run_rule(main, snakemake.log[0])

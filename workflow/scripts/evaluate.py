"""Score a round's network on a test pool: a row for each image, K and protocol."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mid_core.checkpoints.model_file import load_model
from mid_core.ensemble import denoise
from mid_core.evaluation.scoring import image_rows, same_images
from mid_core.images.picture import to_float
from mid_core.jobs.looking import answering
from mid_core.jobs.rule import run_rule
from mid_core.masking import image_seed
from mid_core.runtime.devices import pick_device
from mid_core.runtime.parallel import ahead
from mid_core.runtime.progress import Progress
from mid_core.store import Store, pairs

Estimates = tuple[str, np.ndarray, np.ndarray, dict[int, np.ndarray]]


def estimated(noisy: Store, clean: Store) -> Iterator[Estimates]:
    """Denoise every image: its name, y, x, and an estimate for each K."""
    settings, runtime = snakemake.params.settings, snakemake.config["runtime"]
    device = pick_device(runtime["device"], needed=False)
    network, _ = load_model(snakemake.input.model, device)
    masking, wildcards = settings["masking"], snakemake.wildcards
    title = f"scores of {wildcards.variant}, round {wildcards.k}"
    report = Progress(title, len(noisy), "image")
    for name, image, truth in pairs(noisy, clean):
        y = to_float(image)
        seed = image_seed(settings["seed"], "evaluate", name)
        counts, tile = settings["num_masks"], runtime["tile"]
        estimates = denoise(network, y, masking, seed, counts, tile, report)
        yield name, y, to_float(truth), dict(zip(counts, estimates, strict=True))


def scored(one: Estimates) -> list[dict]:
    """Give the rows of one image."""
    settings, (name, y, x, estimates) = snakemake.params.settings, one
    facts = {"mask_ratio": settings["masking"].mask_ratio, "seed": settings["seed"]}
    rows = image_rows(y, x, estimates, settings["protocols"])
    return [{"image": name} | row | facts for row in rows]


def main() -> None:
    torch.set_num_threads(snakemake.threads)
    settings, model = snakemake.params.settings, Path(snakemake.input.model)
    # The ratio may be one that trials chose.
    card = json.loads(model.read_text())
    settings["masking"], settings["num_masks"] = answering(settings, card)
    noisy = Store.of(snakemake.input.test)
    clean = Store.of(snakemake.input.truth)
    images = same_images(noisy, clean, snakemake.wildcards.pool)
    # Scoring takes as long as a small network: it is done beside it.
    each = ahead(scored, estimated(noisy, clean), snakemake.threads)
    rows = [images | row for one in each for row in one]
    pd.DataFrame(rows).to_csv(snakemake.output.scores, index=False)


run_rule(main, snakemake.log[0])

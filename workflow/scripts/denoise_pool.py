"""Denoise the images of a benchmark, for its server."""

import json
import time
from pathlib import Path

import numpy as np
import torch

from mid_core.checkpoint import load_model
from mid_core.images import to_float
from mid_core.inference import denoise
from mid_core.masking import image_seed
from mid_core.progress import Progress, run_rule
from mid_core.sampling import Masking
from mid_core.store import Store, StoreWriter, store_path
from mid_core.training import pick_device


def main() -> None:
    params, runtime = snakemake.params, snakemake.config["runtime"]
    torch.set_num_threads(snakemake.threads)
    card, masks = Path(snakemake.input.model), int(snakemake.wildcards.masks)
    device = pick_device(runtime["device"], needed=False)
    network, _ = load_model(card.with_suffix(".safetensors"), device)
    noisy, masking = Store(store_path(snakemake.input.noisy)), Masking(**params.masking)
    pixels, seconds = sum(height * width for height, width in noisy.sizes), 0.0
    report = Progress(f"denoise {snakemake.wildcards.pool}", len(noisy), "image")
    with StoreWriter(store_path(snakemake.output.seal), "image") as store:
        for name, image in noisy:
            y, seed = to_float(image), image_seed(params.seed, "evaluate", name)
            start = time.perf_counter()
            x_hat = denoise(
                network, y, masking, seed, [masks], runtime["tile"], report
            )[0]
            seconds += time.perf_counter() - start
            store.append(name, np.clip(x_hat, 0, 1))
        store.attributes = {
            "made_by": {"stage": "denoise_pool", "version": params.version},
            "settings": {
                "masking": params.masking,
                "masks": masks,
                "seed": params.seed,
            },
            "model": json.loads(card.read_text())["sha256"],
            "noisy": noisy.content,
            "seconds_per_megapixel": seconds / pixels * 1024**2,
            "machine": str(device),
        }


run_rule(main, snakemake.log[0])

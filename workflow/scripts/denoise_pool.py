"""Denoise the images of a benchmark, for its server."""

import json
import time
from pathlib import Path

import numpy as np
import torch

from mid_core.checkpoints.model_file import load_model
from mid_core.ensemble import denoise
from mid_core.images.picture import to_float
from mid_core.jobs.looking import settled
from mid_core.jobs.rule import run_rule
from mid_core.masking import Masking, image_seed
from mid_core.runtime.devices import pick_device
from mid_core.runtime.interruption import until_stopped
from mid_core.runtime.progress import Progress
from mid_core.store import Store, StoreWriter, store_path


def main() -> None:
    params, runtime = snakemake.params, snakemake.config["runtime"]
    torch.set_num_threads(snakemake.threads)
    card, masks = Path(snakemake.input.model), int(snakemake.wildcards.num_masks)
    device = pick_device(runtime["device"], needed=False)
    network, facts = load_model(card, device)
    noisy, masking = Store.of(snakemake.input.noisy), settled(params.masking, facts)
    made = {
        "made_by": {"stage": "denoise_pool", "version": params.version},
        "settings": {
            "masking": masking,
            "num_masks": masks,
            "seed": params.seed,
        },
        "model": json.loads(card.read_text())["sha256"],
        "noisy": noisy.content,
    }
    title = f"denoise {snakemake.wildcards.pool}"
    with StoreWriter(store_path(snakemake.output.manifest), "image", made) as store:
        done, pixels, seconds = len(store.names), 0, 0.0
        report = Progress(title, len(noisy), "image", done)
        left = range(done, len(noisy))
        # If none is left, one is denoised again, for the time that it takes.
        for i in until_stopped(left or range(1)):
            y, name = to_float(noisy.read(i)), noisy.names[i]
            seed = image_seed(params.seed, "evaluate", name)
            start = time.perf_counter()
            (x_hat,) = denoise(
                network, y, Masking(**masking), seed, [masks], runtime["tile"], report
            )
            seconds += time.perf_counter() - start
            pixels += y.shape[0] * y.shape[1]
            if i in left:
                store.append(name, np.clip(x_hat, 0, 1))
        speed = seconds / (pixels / 1e6)
        made |= {"seconds_per_megapixel": speed, "machine": device.type}
        store.attributes = made


run_rule(main, snakemake.log[0])

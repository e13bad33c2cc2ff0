"""Draw the noise bank N_k: what D_{k-1} leaves of the real noisy images."""

import json
from pathlib import Path

import torch

from mid_core.checkpoint import load_model
from mid_core.images import to_float
from mid_core.inference import residual
from mid_core.masking import image_seed
from mid_core.noise import Statistics
from mid_core.progress import Progress, run_rule
from mid_core.sampling import Masking
from mid_core.store import Store, StoreWriter, store_path
from mid_core.training import pick_device


def main() -> None:
    settings, runtime = snakemake.params.settings, snakemake.config["runtime"]
    torch.set_num_threads(snakemake.threads)
    card = Path(snakemake.input.model)
    device = pick_device(runtime["device"])
    network, _ = load_model(card.with_suffix(".safetensors"), device)
    noisy, statistics = Store(store_path(snakemake.input.noisy)), Statistics()
    masking, stream = Masking(**settings["masking"]), f"extract/{settings['round']}"
    title = f"noise for {snakemake.wildcards.variant}, round {settings['round']}"
    path = store_path(snakemake.output.seal)
    with StoreWriter(path, "noise") as store:
        report = Progress(title, len(noisy), "image")
        for name, image in noisy:
            y = to_float(image)
            seed = image_seed(settings["seed"], stream, name)
            noise = residual(
                network, y, masking, seed, settings["masks"], runtime["tile"], report
            )
            store.append(name, noise)
            statistics.add(noise, y - noise)
        store.attributes = {
            "made_by": {"stage": "extract_noise", "version": snakemake.params.version},
            "settings": settings,
            "model": json.loads(card.read_text())["sha256"],
            "noisy": noisy.content,
            "statistics": statistics.summary(),
        }


run_rule(main, snakemake.log[0])

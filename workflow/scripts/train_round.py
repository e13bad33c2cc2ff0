"""Train the network of one round from scratch."""

import time
from pathlib import Path

import pandas as pd
import torch

from mid_core.checkpoint import save_model
from mid_core.networks import build
from mid_core.progress import TrainingReport, log, run_rule
from mid_core.sampling import Batches, Masking, hold
from mid_core.store import Store, store_path, write_json
from mid_core.training import Training, pick_device, train


def main() -> None:
    settings, runtime = snakemake.params.settings, snakemake.config["runtime"]
    torch.set_num_threads(snakemake.threads)
    device, training = pick_device(runtime["device"]), Training(**settings["training"])
    clean = Store(store_path(snakemake.input.clean))
    noise = Store(store_path(snakemake.input.noise))
    masking = Masking(**settings["masking"])
    entropy = [settings["seed"], settings["round"]]
    batches = Batches(
        clean=hold(clean, runtime["memory_gb"]),
        noise=hold(noise, runtime["memory_gb"]),
        batch=training.batch,
        patch=training.patch,
        masking=masking,
        clip=settings["clip"],
        seed=entropy,
    )
    channels = batches.clean.channels
    extra = masking.extra_channels(channels)
    network = build(settings["network"], channels, extra, seed=entropy)
    title = f"{snakemake.wildcards.variant}, round {settings['round']}"
    log.info("%s on %s: %s", title, device, settings)
    report, start = TrainingReport(title, training.iterations), time.monotonic()
    model = train(network, batches, training, device, report, runtime["report_every"])
    card = {
        **settings,
        "channels": channels,
        "patch": training.patch,
        "parameters": sum(p.numel() for p in model.parameters()),
        "clean": clean.content,
        "noise": noise.content,
        "made_by": {"stage": "train_round", "version": snakemake.params.version},
    }
    # Hours after Snakemake made the folder, it may be gone: do not lose the training.
    Path(snakemake.output.model).parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(report.rows).to_csv(snakemake.output.history, index=False)
    digest = save_model(Path(snakemake.output.weights), model, card)
    seconds = round(time.monotonic() - start, 1)
    run = {"sha256": digest, "train_seconds": seconds, "device": str(device)}
    write_json(Path(snakemake.output.model), card | run)


run_rule(main, snakemake.log[0])

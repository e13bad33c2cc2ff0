"""Train the network of one round from scratch, or on from where it was cut."""

from pathlib import Path

import pandas as pd
import torch

from mid_config.loading import merge
from mid_core.checkpoint import save_model
from mid_core.devices import pick_device
from mid_core.files import written_whole
from mid_core.gate import check_bank
from mid_core.interruption import Stop
from mid_core.keeping import Keeper
from mid_core.learner import Learner, Training
from mid_core.lease import Lease
from mid_core.networks import build
from mid_core.progress import TrainingReport, log, run_rule
from mid_core.sampling import Batches, Masking, hold
from mid_core.slurm import slice_seconds
from mid_core.state import States
from mid_core.store import Store, store_path, write_json
from mid_core.training import train


def batches_of(settings: dict, clean: Store, noise: Store) -> Batches:
    memory_gb = snakemake.config["runtime"]["memory_gb"]
    return Batches(
        clean=hold(clean, memory_gb),
        noise=hold(noise, memory_gb),
        batch=settings["training"]["batch"],
        patch=settings["training"]["patch"],
        masking=Masking(**settings["masking"]),
        clip=settings["clip"],
        seed=[settings["seed"], settings["round"]],
    )


def gate_limits() -> dict:
    # Not among the params: another limit is no reason to train again.
    config, variant = snakemake.config, snakemake.wildcards.variant
    own = (config["variants"][variant] or {}).get("gate", {})
    return merge(config["method"]["gate"], own)


def write(learner: Learner, card: dict) -> None:
    # Hours after Snakemake made the folder, it may be gone: do not lose the training.
    Path(snakemake.output.model).parent.mkdir(parents=True, exist_ok=True)
    with written_whole(Path(snakemake.output.history)) as file:
        pd.DataFrame(learner.history).to_csv(file, index=False)
    digest = save_model(Path(snakemake.output.weights), learner.model, card)
    seconds, device = round(learner.seconds, 1), str(learner.device)
    run = {"sha256": digest, "train_seconds": seconds, "device": device}
    write_json(Path(snakemake.output.model), card | run)


def main() -> None:
    settings, runtime = snakemake.params.settings, snakemake.config["runtime"]
    stop = Stop(slice_seconds(runtime["max_seconds"], snakemake.resources.runtime))
    torch.set_num_threads(snakemake.threads)
    device, training = pick_device(runtime["device"]), Training(**settings["training"])
    clean = Store(store_path(snakemake.input.clean))
    noise = Store(store_path(snakemake.input.noise))
    title = f"{snakemake.wildcards.variant}, round {settings['round']}"
    if settings["round"]:
        what = f"Round {settings['round']} of '{snakemake.wildcards.variant}'"
        statistics = noise.attributes["statistics"]
        check_bank(statistics, gate_limits(), str(noise.path), what)
    made = {
        "clean": clean.content,
        "noise": noise.content,
        "made_by": {"stage": "train_round", "version": snakemake.params.version},
    }
    folder = Path(snakemake.output.model).parent / "training"
    states = States(folder, settings | made)
    with Lease(folder) as lease:
        batches = batches_of(settings, clean, noise)
        channels = batches.clean.channels
        extra = batches.masking.extra_channels(channels)
        network = build(settings["network"], channels, extra, seed=batches.seed)
        log.info("%s on %s: %s", title, device, settings)
        learner = Learner(network, training, device)
        keeper = Keeper(states, lease, stop, runtime["save_minutes"])
        with stop:
            keeper.restore(learner)
            report = TrainingReport(title, training.iterations, learner.step)
            train(learner, batches, report, runtime["report_every"], keeper)
            lease.check()
            facts = {"channels": channels, "patch": training.patch}
            facts["parameters"] = sum(p.numel() for p in learner.model.parameters())
            write(learner, settings | facts | made)
            states.remove()


run_rule(main, snakemake.log[0])

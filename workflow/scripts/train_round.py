"""Train the network of one round from scratch, or on from where it was cut."""

import json
from contextlib import nullcontext
from functools import cache
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from mid_config.rounds import parallelism
from mid_core.checkpoints.checkpoint import Checkpoints
from mid_core.checkpoints.finished import CARD, HISTORY, WEIGHTS, is_finished, put_back
from mid_core.checkpoints.model_file import load_model, save_model
from mid_core.checkpoints.saving import Checkpointer
from mid_core.evaluation.gate import check_bank
from mid_core.evaluation.held_out import HeldOut
from mid_core.jobs.looking import settled
from mid_core.jobs.rule import run_rule
from mid_core.methods import stage_of
from mid_core.methods.stage import Stage
from mid_core.patches import PatchSampler, hold
from mid_core.runtime.devices import pick_device
from mid_core.runtime.distributed import SINGLE_PROCESS, ProcessGroup
from mid_core.runtime.files import disk_space_needed, written_whole
from mid_core.runtime.interruption import Stop
from mid_core.runtime.launching import launch
from mid_core.runtime.lock import Lock
from mid_core.runtime.progress import TrainingReport, log
from mid_core.runtime.slurm import slice_seconds
from mid_core.store import Store, write_json
from mid_core.trained_noise import noise_seen
from mid_core.trainer import Trainer, Training
from mid_core.training import train

# What a training may see; a rule's other inputs are no stores.
ROLES = ("clean", "noise", "noisy", "targets", "truth", "held_out")


@cache
def settings_now() -> dict:
    """Settings of this training, with the mask ratio that trials chose, if they did."""
    settings, masking = snakemake.params.settings, snakemake.params.settings["masking"]
    if "trials" not in settings:
        return settings
    choice = json.loads(Path(snakemake.input.choice).read_text())
    return settings | {"masking": settled(masking, choice)}


def opened() -> dict[str, Store]:
    """Open the stores on which the round trains, by what they hold."""
    files = dict(snakemake.input.items())
    return {role: Store.of(files[role]) for role in ROLES if role in files}


def stage_now(device: torch.device) -> Stage:
    """The training itself, with the network before it where it looks at that."""
    before = None
    if card := snakemake.input.get("before"):
        before, _ = load_model(card, device, bare=True)
        before.requires_grad_(False)
    return stage_of(settings_now(), before)


def batches_of(stage: Stage, stores: dict[str, Store]) -> PatchSampler:
    settings, memory_gb = settings_now(), snakemake.config["runtime"]["memory_gb"]
    held = {
        name: hold(store, memory_gb)
        for name, store in stores.items()
        if name != "held_out"
    }
    training = settings["training"]
    sizes = training["batch_size"], training["patch_size"]
    return stage.batches(held, *sizes, [settings["seed"], settings["round"]])


def held_out_of(batches: PatchSampler, stores: dict[str, Store]) -> HeldOut | None:
    settings = settings_now()
    if "held_out" not in settings:
        return None
    own, steps = settings["held_out"], settings["training"]["iterations"]
    return HeldOut(batches, stores["held_out"], own["crops"], own["checks"], steps)


def gate_limits() -> dict:
    # Not among the params: another limit is no reason to train again.
    return snakemake.config["variants"][snakemake.wildcards.variant]["gate"]


def write(folder: Path, trainer: Trainer, model: nn.Module, card: dict) -> None:
    with disk_space_needed(folder / CARD):
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(folder / HISTORY) as file:
            pd.DataFrame(trainer.history).to_csv(file, index=False)
        run = {"sha256": save_model(folder / WEIGHTS, model, card)}
        run["train_seconds"] = round(trainer.seconds, 1)
        run |= {"device": trainer.device.type, "skipped_steps": trainer.skipped}
        write_json(folder / CARD, card | run)


def how_spread() -> dict:
    # Not among the params either: it does not change the numbers.
    method = snakemake.config["variants"].get(snakemake.wildcards.variant)
    if method is None:
        return {"gpus": 1, "gradient_accumulation": 1}
    return parallelism(method, settings_now()["round"])


def check_noise(stores: dict[str, Store]) -> None:
    k, noise = settings_now()["round"], stores.get("noise")
    # Of a compared method it is white noise, which nobody has to judge.
    if k and noise and "does" not in settings_now():
        what = f"Round {k} of '{snakemake.wildcards.variant}'"
        check_bank(noise.attributes["statistics"], gate_limits(), str(noise.path), what)


def origin(stores: dict[str, Store]) -> dict:
    made = {name: store.content for name, store in stores.items()}
    if card := snakemake.input.get("before"):
        made["before"] = json.loads(Path(card).read_text())["sha256"]
    return made | {
        "made_by": {"stage": "train_round", "version": snakemake.params.version}
    }


def states_of(made: dict) -> Checkpoints:
    folder = Path(snakemake.output.model).parent / "training"
    return Checkpoints(folder, settings_now() | made)


def publish(states: Checkpoints) -> None:
    outputs = snakemake.output
    put_back(states.folder, (outputs.history, outputs.weights, outputs.model))
    states.remove()


def was_finished(states: Checkpoints) -> bool:
    """Publish the model of this training, if an earlier job finished it."""
    if not is_finished(states.folder):
        return False
    with Lock(states.folder.parent / "lock"):
        log.info("nothing is trained: %s has the finished model", states.folder)
        publish(states)
    return True


def time_limit() -> float | None:
    limit = snakemake.config["runtime"]["max_seconds"]
    return slice_seconds(limit, snakemake.resources.runtime)


def fit(
    group: ProcessGroup, device: torch.device, stores: dict[str, Store] | None = None
) -> None:
    """Train, as one of the group's processes; on stores that this process opened."""
    settings, runtime = settings_now(), snakemake.config["runtime"]
    title = f"{snakemake.wildcards.variant}, round {settings['round']}"
    stores, training = stores or opened(), Training(**settings["training"])
    made = origin(stores)
    states = states_of(made)
    # Several processes have a launcher, which knows when their time is over.
    stop = Stop(time_limit() if group.size == 1 else None)
    torch.set_num_threads(max(1, snakemake.threads // group.size))
    lock_path = states.folder.parent / "lock"
    with Lock(lock_path) if group.rank == 0 else nullcontext() as lock:
        stage = stage_now(device)
        batches = batches_of(stage, stores)
        held_out, channels = held_out_of(batches, stores), batches.channels
        network = stage.build(settings["network"], channels, batches.seed)
        log.info("%s on %d x %s: %s", title, group.size, device, settings)
        parts = how_spread()["gradient_accumulation"]
        # What is compiled is one pass of MID's networks.
        compiled = "never" if "does" in settings else runtime["compile"]
        choices = parts, runtime["skip_steps"], compiled, stage.turns()
        checkpointer = Checkpointer(states, lock, stop, runtime["save_minutes"], group)
        # To compile takes a minute, in which a signal may come.
        with stop:
            trainer = Trainer(network, training, device, group, *choices)
            checkpointer.restore(trainer)
            report = TrainingReport(title, training.iterations, trainer.steps)
            every = runtime["report_every"]
            more = {"score": held_out} if held_out else {}
            saving = checkpointer.due, checkpointer.save
            train(trainer, batches, report, every, *saving, **more)
            if lock:
                lock.check()
                facts = {"channels": channels, "patch_size": training.patch_size}
                model = stage.trained(trainer.model)
                facts["parameters"] = sum(p.numel() for p in model.parameters())
                if "does" not in settings:
                    facts["noise_seen"] = noise_seen(batches)
                write(states.folder, trainer, model, settings | facts | made)
                publish(states)


def main() -> None:
    stores, processes = opened(), how_spread()["gpus"]
    device = snakemake.config["runtime"]["device"]
    check_noise(stores)
    if was_finished(states_of(origin(stores))):
        return
    if processes > 1:
        launch(fit, processes, device, Stop(time_limit()))
    else:
        fit(SINGLE_PROCESS, pick_device(device), stores)


if __name__ == "__main__":
    run_rule(main, snakemake.log[0])

"""Choose the mask ratio of a first round: short trainings, judged without truth."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from mid_config.rounds import parallelism
from mid_core.errors import Interrupted
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
from mid_core.runtime.interruption import Stop
from mid_core.runtime.progress import TrainingReport, log
from mid_core.store import Store, write_json
from mid_core.trainer import Trainer, Training
from mid_core.training import train

# Pixels a side of what is denoised of an image.
SIDE = 256


def opened() -> dict[str, Store]:
    """Open the stores on which the trials train."""
    return {role: Store.of(snakemake.input[role]) for role in ("clean", "noise")}


def earlier_rows(kept: Path, origin: dict) -> list[dict]:
    """Return the trials of the same settings and stores that a cut job finished."""
    found = json.loads(kept.read_text()) if kept.is_file() else {}
    return found["trials"] if found.get("origin") == origin else []


def tried(ratio: float, device: torch.device, stop: Stop) -> tuple[Denoiser, Masking]:
    """Train shortly with this share of the pixels hidden."""
    settings, runtime = snakemake.params.settings, snakemake.config["runtime"]
    pools = {name: hold(one, runtime["memory_gb"]) for name, one in opened().items()}
    steps = settings["trials"]["iterations"]
    training = replace(Training(**settings["training"]), iterations=steps)
    masking = {**settings["masking"], "mask_ratio": ratio}
    stage = stage_of(settings | {"masking": masking})
    sizes = training.batch_size, training.patch_size
    batches = stage.batches(pools, *sizes, [settings["seed"], settings["round"]])
    network = stage.build(settings["network"], batches.channels, batches.seed)
    # One process takes in parts what several GPUs will share.
    method = snakemake.config["variants"][snakemake.wildcards.variant]
    parts = math.prod(parallelism(method, 0).values())
    trainer = Trainer(
        network, training, device, gradient_accumulation=parts, turns=stage.turns()
    )
    report = TrainingReport(f"trial, {ratio:g} hidden", steps, 0)

    def end(_: Trainer) -> None:
        kept = "the trials that are done are kept, and the same command goes on"
        raise Interrupted(f"{stop.reason}: {kept}")

    every = runtime["report_every"]
    train(trainer, batches, report, every, lambda: bool(stop.reason), end)
    trainer.model.set_patch_size(training.patch_size)
    return trainer.model, Masking(**masking)


def main() -> None:
    settings = snakemake.params.settings
    device = pick_device(snakemake.config["runtime"]["device"])
    torch.set_num_threads(snakemake.threads)
    noisy, wanted = Store.of(snakemake.input.noisy), settings["trials"]["images"]
    crops = middle_crops(noisy, min(len(noisy), wanted), SIDE)
    images, choice = list(map(to_float, crops)), Path(snakemake.output.choice)
    # Undeclared: Snakemake deletes what is declared of a job that was cut.
    kept, made_of = choice.with_name("choice.tried.json"), {"noisy": noisy, **opened()}
    origin = {"settings": settings, "version": snakemake.params.version}
    origin |= {name: store.content for name, store in made_of.items()}
    rows = earlier_rows(kept, origin)
    with Stop() as stop:
        for ratio in settings["trials"]["mask_ratios"][len(rows) :]:
            found = taken_out(*tried(ratio, device, stop), images, [settings["seed"]])
            rows.append({"mask_ratio": ratio, **found, "images": len(images)})
            log.info("%s", rows[-1])
            write_json(kept, {"origin": origin, "trials": rows})
    chosen = lowest({row["mask_ratio"]: row["structure_taken"] for row in rows})
    table = pd.DataFrame(rows).assign(chosen=lambda t: t["mask_ratio"] == chosen)
    table.round(4).to_csv(snakemake.output.table, index=False)
    made = {"stage": "choose_ratio", "version": snakemake.params.version}
    found = {"mask_ratio": chosen, "trials": rows, "made_by": made}
    write_json(choice, found)
    kept.unlink()


if __name__ == "__main__":
    run_rule(main, snakemake.log[0])

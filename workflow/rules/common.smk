"""The config, read strictly, and the questions that rules ask of it. No rules."""

import hashlib
import os
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir).parent
sys.path.insert(0, str(ROOT))

from mid_config.loading import ConfigError, load_config
from mid_config.plan import Plan

try:
    plan = Plan(
        load_config(
            workflow.config_settings.configfiles or [Path("config/config.yaml")],
            ROOT / "workflow/schemas/config.schema.yaml",
            workflow.config_settings.config,
        )
    )
except ConfigError as error:
    raise WorkflowError(str(error))
config.clear()
config.update(plan.config)

# Each of the two pools of a training may be held in memory.
TRAINING_MB = int(2000 * plan.config["runtime"]["memory_gb"]) + 8000
GPUS = 0 if plan.config["runtime"]["device"] == "cpu" else 1
VERSIONS = yaml.safe_load((ROOT / "mid_core/stage_versions.yaml").read_text())


wildcard_constraints:
    dataset=plan.dataset,
    variant="|".join(plan.rounds),
    pool="|".join(plan.config["pools"]),
    k=r"\d+",


def pool_settings(wildcards):
    return plan.config["pools"][wildcards.pool]


def folders_of(pool):
    """The folders of a pool, each with the pattern of its files."""
    parts = [part for part in (pool, pool.get("truth")) if part and "path" in part]
    return [(Path(part["path"]), part.get("pattern", "*")) for part in parts]


def pool_files(wildcards):
    """Hash of names and sizes: a changed folder is noticed, a touched one is not."""
    found = []
    for folder, pattern in folders_of(pool_settings(wildcards)):
        entries = os.scandir(folder) if folder.is_dir() else []
        found += sorted(
            (entry.name, entry.stat().st_size)
            for entry in entries
            if fnmatchcase(entry.name.lower(), pattern.lower())
            and not entry.name.startswith(".")
        )
    return hashlib.sha256(repr(found).encode()).hexdigest()


def refuse_what_cannot_be_read():
    """Stop before a job starts, not when a training has waited for the images."""
    for name, pool in plan.config["pools"].items():
        if pool["reader"] == "sidd":
            raise WorkflowError(
                f"pools.{name}: this version cannot read SIDD yet; the config shows "
                "the paper's run, and `snakemake -n` its jobs"
            )
        for folder, _ in folders_of(pool):
            if not folder.is_dir():
                raise WorkflowError(
                    f"pools.{name}: there is no folder {folder.absolute()}; correct "
                    "the path in the config, or put the images there"
                )


def round_settings(stage):
    """Return the params function for a stage of a round."""
    return lambda wildcards: getattr(
        plan.rounds[wildcards.variant][int(wildcards.k)], stage
    )


def clean_pixels(wildcards):
    return plan.pool(round_settings("train")(wildcards)["pool"])


def noisy_pixels(wildcards):
    return plan.pool(round_settings("extract")(wildcards)["pool"])


def training_noise(wildcards):
    return plan.bank(wildcards.variant, int(wildcards.k))


def trained_model(wildcards):
    return plan.model(wildcards.variant, int(wildcards.k))


def previous_model(wildcards):
    return plan.model(wildcards.variant, int(wildcards.k) - 1)


def shown_rounds():
    """The rounds of the variant that is drawn."""
    return range(len(plan.rounds[plan.shown()]))


def table_of_rounds():
    """Where each row of the table of rounds comes from: plain values, for params."""
    return [
        {
            "variant": variant,
            "round": k,
            "test": test,
            "scores": plan.scores(variant, k, test),
            "model": plan.model(variant, k),
        }
        for variant, k in plan.table_rounds()
        for test in plan.config["tests"]
    ]


def shown_noise(wildcards):
    """The banks of the drawn variant, and the true noise where it is known."""
    shown = plan.shown()
    banks = {f"N_{k}": plan.bank(shown, k) for k in shown_rounds()}
    noisy = plan.methods[shown]["noisy"]
    if plan.has_truth(noisy):
        banks["true noise"] = f"results/{plan.dataset}/truth/{noisy}/noise.seal.json"
    return banks


def results_wanted():
    """The leaves of the graph: models, tables and figures that the config allows."""
    wanted = [plan.model(variant, k) for variant, k in plan.table_rounds()]
    figures = ["noise", "training"]
    if plan.config["tests"]:
        wanted.append(f"results/{plan.dataset}/tables/rounds.md")
        figures += ["rounds", "crops"]
    return wanted + [f"results/{plan.dataset}/figures/{name}.png" for name in figures]


def print_next_steps():
    shown = plan.shown()
    model = plan.model(shown, len(plan.rounds[shown]) - 1)
    weights = Path(model).with_suffix(".safetensors")
    table = Path(f"results/{plan.dataset}/tables/rounds.md")
    if plan.config["tests"] and table.is_file():
        print(f"\n{table.read_text()}")
    folder = f"results/{plan.dataset}"
    print(f"Look at {folder}/figures/; results/README.md says what is where.")
    if weights.is_file():
        print("Denoise your own images with the model of the last round:")
        print(f"  mid denoise IN OUT --model {weights}")

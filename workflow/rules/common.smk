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
from mid_config.plan import Plan, absent_pools

try:
    settings = load_config(
        workflow.config_settings.configfiles or [Path("config/config.yaml")],
        ROOT / "workflow/schemas/config.schema.yaml",
        workflow.config_settings.config,
    )
    plan = Plan(settings, absent_pools(settings))
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
    stack="image|truth",
    masks=r"\d+",
    k=r"\d+",


def pool_settings(wildcards):
    return plan.config["pools"][wildcards.pool]


def split_settings(wildcards):
    """Settings that decide a split: its two sides' pools differ in the rest."""
    return plan.split_settings(wildcards.pool)


def own_split(wildcards):
    split = plan.split(wildcards.pool)
    return {"split": split} if split else {}


def listed(path, pattern):
    """Name and size of the files of a folder that match; of all below it for None."""
    path = Path(path)
    if pattern is not None and "/" not in pattern:
        entries = os.scandir(path) if path.is_dir() else []
        files = [entry for entry in entries if entry.is_file()]
        files = [f for f in files if fnmatchcase(f.name.lower(), pattern.lower())]
        return sorted((f.name, f.stat().st_size) for f in files if f.name[0] != ".")
    files = (Path(root) / name for root, _, names in os.walk(path) for name in names)
    return sorted((str(f), f.stat().st_size) for f in files if f.name[0] != ".")


def pool_files(wildcards):
    """Hash of names and sizes: a changed folder is noticed, a touched one is not."""
    pool = pool_settings(wildcards)
    anywhere = "*" if pool["reader"] == "folders" else None
    found = [
        listed(part["path"], part.get("pattern", anywhere))
        for part in (pool, pool.get("truth"))
        if part and "path" in part
    ]
    return hashlib.sha256(repr(found).encode()).hexdigest()


def say_what_is_absent():
    """Stop where a training's images are missing; say what is left out otherwise."""
    for pool, path in plan.absent.items():
        if pool in plan.pools():
            raise WorkflowError(
                f"pools.{pool}: there is no folder {path}; correct the path in the "
                "config, or put the images there (`mid doctor` says what is expected)"
            )
        if plan.uses()[pool]:
            print(f"Not available: {pool}, as there is no folder {path}.")


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
        for test in plan.tests
    ]


def absent_tests():
    """The tests that are left out, and why."""
    absent = [test for test in plan.config["tests"] if test in plan.absent]
    return {test: plan.absent[test] for test in absent}


def shown_noise(wildcards):
    """The banks of the drawn variant, and the true noise where it is known."""
    shown = plan.shown()
    banks = {f"N_{k}": plan.bank(shown, k) for k in shown_rounds()}
    noisy = plan.methods[shown]["noisy"]
    if noisy in plan.ceilings():
        banks["true noise"] = f"results/{plan.dataset}/truth/{noisy}/noise.seal.json"
    return banks


def results_wanted():
    """The leaves of the graph: models, tables and figures that the config allows."""
    wanted = [plan.model(variant, k) for variant, k in plan.table_rounds()]
    figures = ["noise", "training"]
    if plan.tests:
        wanted.append(f"results/{plan.dataset}/tables/rounds.md")
        figures += ["rounds", "crops"]
    wanted += [plan.bundle(name) for name in plan.submissions]
    wanted.append(f"results/{plan.dataset}/tables/lineage.csv")
    return wanted + [f"results/{plan.dataset}/figures/{name}.png" for name in figures]


def print_next_steps():
    shown = plan.shown()
    model = plan.model(shown, len(plan.rounds[shown]) - 1)
    weights = Path(model).with_suffix(".safetensors")
    table = Path(f"results/{plan.dataset}/tables/rounds.md")
    if plan.tests and table.is_file():
        print(f"\n{table.read_text()}")
    folder = f"results/{plan.dataset}"
    print(f"Look at {folder}/figures/; results/README.md says what is where.")
    if weights.is_file():
        print("Denoise your own images with the model of the last round:")
        print(f"  mid denoise IN OUT --model {weights}")

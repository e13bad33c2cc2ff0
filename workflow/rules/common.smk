"""The config, read strictly, and the questions that rules ask of it. No rules."""

import json
import os
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile

import yaml
from snakemake.exceptions import WorkflowError

# A clone, or what a wheel installs; of `github(...)`, no folder. Not workflow.basedir:
# that is of a Snakefile that uses this one as a module.
ROOT = Path(workflow.snakefile).resolve().parents[2]
AS_MODULE = Path(workflow.basedir).resolve() != ROOT / "workflow"
if (ROOT / "mid_config").is_dir():
    sys.path.insert(0, str(ROOT))

try:
    from mid_config.errors import ConfigError
    from mid_config.loading import load_config
    from mid_config.machine import gpu_count
    from mid_config.plan import Plan
    from mid_config.pool_files import fingerprint, record_of
    from mid_config.pools import absent_pools
    from mid_config.requests import memory_mb
except ModuleNotFoundError as error:
    raise WorkflowError(
        f"MID's workflow needs {error.name} where Snakemake itself is installed: "
        "pip install 'mid-denoise[workflow]'"
    )

PACKAGE = Path(find_spec("mid_core").origin).parent
# Jobs look there, too, in whatever environment they run.
sys.path.append(str(PACKAGE.parent))
DEFAULT_CONFIG = Path("config/config.yaml")
if not DEFAULT_CONFIG.is_file():
    DEFAULT_CONFIG = ROOT / DEFAULT_CONFIG

try:
    if AS_MODULE:
        settings = load_config([], config, "config of the module")
    else:
        settings = load_config(
            workflow.config_settings.configfiles or [DEFAULT_CONFIG],
            workflow.config_settings.config,
        )
    # `mid plan` asks for all data sets, as they will be.
    everything = "MID_EVERY_POOL" in os.environ
    plan = Plan(settings, {} if everything else absent_pools(settings))
except ConfigError as error:
    raise WorkflowError(str(error))
# A name of its own: a module's config is another Snakefile's, too.
config = plan.config

ON_GPU = plan.config["runtime"]["device"] != "cpu"
# The GPUs of this machine, which its jobs share out; none where a cluster does that, or
# `mid plan` asks, which may be about another machine.
on_this_machine = workflow.nodes is None and "MID_JOBS_FILE" not in os.environ
GPUS = gpu_count() if ON_GPU and on_this_machine else 0
if GPUS:
    workflow.global_resources.setdefault("gpu", GPUS)
VERSIONS = yaml.safe_load((PACKAGE / "stage_versions.yaml").read_text())


wildcard_constraints:
    dataset=plan.dataset,
    variant="|".join(plan.rounds),
    pool="|".join(plan.config["pools"]),
    stack="image|truth",
    num_masks=r"\d+",
    k=r"\d+",


def memory(wildcards, rulename, attempt):
    """What a rule's jobs ask for in MB; the next attempt, if one failed, twice as much."""
    return memory_mb(rulename, plan.config) * min(attempt, 2)


def parallelism(rule, processes):
    """Return resource functions of a stage: its GPUs, CPU threads and memory in MB.

    Its next attempt may be its next slice: it asks for no more memory.
    """

    def gpus(wildcards):
        return ON_GPU * processes(wildcards.variant, wildcards.k)

    def threads(wildcards):
        own = plan.config["runtime"]["threads"]
        return own * processes(wildcards.variant, wildcards.k)

    def memory(wildcards):
        own = memory_mb(rule, plan.config)
        return own * processes(wildcards.variant, wildcards.k)

    return gpus, threads, memory


training_gpus, training_threads, training_memory = parallelism("train_round", plan.gpus)
extraction_gpus, extraction_threads, extraction_memory = parallelism(
    "extract_noise", plan.extraction_gpus
)


def rounds_behind(wildcards):
    """Priority of a round's jobs: the longest chain of rounds starts first."""
    return plan.rounds_behind(wildcards.variant, int(wildcards.k))


def pool_settings(wildcards):
    return plan.config["pools"][wildcards.pool]


def split_settings(wildcards):
    """Settings that decide a split: its two sides' pools differ in the rest."""
    return plan.split_rule(wildcards.pool)


def own_split(wildcards):
    split = plan.split(wildcards.pool)
    return {"split": split} if split else {}


def pool_files(wildcards):
    """Hash of a pool's files: a changed folder is noticed, a touched one is not."""
    stack = wildcards.get("stack", "image")
    record = record_of(plan.files(wildcards.pool, stack))
    return fingerprint(pool_settings(wildcards), stack, record)


def consult_doctor():
    """Stop before any job where images are missing or do not fit together."""
    if not find_spec("h5py"):
        print(
            "The images are not checked beforehand: that needs this environment's mid."
        )
        return
    with NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(plan.config, file)
        file.flush()
        run = subprocess.run(
            [sys.executable, "-m", "mid_core", "doctor", "--quick", file.name],
            env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
            capture_output=True,
            text=True,
        )
    if run.returncode:
        raise WorkflowError(run.stdout + run.stderr)
    said = Path(f"results/{plan.dataset}/data/doctor.txt")
    said.parent.mkdir(parents=True, exist_ok=True)
    said.write_text(run.stdout)
    for pool, path in plan.left_out().items():
        print(f"Not available: {pool}, as there is no folder {path}.")


def save_config():
    """Keep with the results what they were made with, defaults filled in."""
    path = Path(f"results/{plan.dataset}/config.yaml")
    plain = json.loads(json.dumps(plan.config))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(yaml.safe_dump(plain, sort_keys=False))
    partial.replace(path)


def round_settings(stage):
    """Return the params function for a stage of a round."""
    return lambda wildcards: getattr(
        plan.rounds[wildcards.variant][int(wildcards.k)], stage
    )


def noisy_pixels(wildcards):
    return plan.pool(round_settings("extract")(wildcards)["pool"])


def seen(wildcards):
    """What a training sees, by role."""
    return plan.seen(wildcards.variant, int(wildcards.k))


def trained_model(wildcards):
    return plan.model(wildcards.variant, int(wildcards.k))


def previous_model(wildcards):
    """The network that makes a round's bank: of the round before, or a teacher's."""
    return plan.model(*plan.maker(wildcards.variant, wildcards.k))


def training_input(wildcards):
    """What a training reads: what it sees, is scored on, and its mask ratio."""
    own, found = round_settings("train")(wildcards), seen(wildcards)
    if "held_out" in own:
        found["held_out"] = plan.pool(own["held_out"]["pool"], "truth")
    if "trials" in own:
        found["choice"] = plan.choice(wildcards.variant)
    return found


def tried_pixels(wildcards):
    """The noisy images on which the trials of a first round are judged."""
    return plan.pool(plan.methods[wildcards.variant]["noisy"])


def noisy_look(wildcards):
    """What the noisy images show of their noise, where an extraction goes by it."""
    own = round_settings("extract")(wildcards)
    wanted = own.get("brightness") == "auto"
    return {"look": plan.look(own["pool"])} if wanted else {}


def scored_pixels(wildcards):
    """A test's noisy images; for an inpainter, their truths."""
    of = round_settings("evaluate")(wildcards).get("of", "image")
    return plan.pool(wildcards.pool, of)


def print_next_steps():
    shown = plan.shown()
    model = plan.model(shown, len(plan.rounds[shown]) - 1)
    weights = Path(model).with_suffix(".safetensors")
    for name in ("rounds", "judged"):
        table = Path(f"results/{plan.dataset}/tables/{name}.md")
        if table.is_file():
            print(f"\n{table.read_text()}")
    folder = f"results/{plan.dataset}"
    if Path(f"{folder}/report.html").is_file():
        print(f"Open {folder}/report.html in a browser: all of this on one page.")
    print(f"Look at {folder}/figures/.")
    guides = Path("results/README.md"), ROOT / "results/README.md"
    if guide := next(filter(Path.is_file, guides), None):
        print(f"{guide} says what is where.")
    if weights.is_file():
        # For `mid denoise` without --model.
        record = Path(f"{folder}/last_model.json")
        part = record.with_suffix(".partial")
        part.write_text(json.dumps({"model": str(weights)}))
        part.replace(record)
        print(f"Denoise your own images with {weights}:")
        print("  mid denoise IN OUT")


def to_type(*command):
    """A command as a person types it, who may be elsewhere: by `--directory`."""
    is_elsewhere = {"-d", "--directory"} & {word.split("=")[0] for word in sys.argv}
    go = f"cd {shlex.quote(os.getcwd())} && " if is_elsewhere else ""
    return go + shlex.join(command)


def print_what_failed():
    files = map(os.path.relpath, workflow.configfiles)
    print(f"What failed, and why: {to_type('mid', 'status', *files)}")

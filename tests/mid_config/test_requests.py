"""What the jobs of the paper's run ask of a cluster, by a dry run."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import yaml

from mid_config.requests import memory_mb
from tests.conftest import ROOT
from tests.running import snakemake

pytestmark = pytest.mark.slow
DATA = ("SIDD_Medium_Srgb", "SIDD_validation", "SIDD_benchmark", "dnd_2017")
RULE = re.compile(r"^rule (\w+):\n((?:[ #].*\n|\n)+)", re.MULTILINE)
# They only gather others.
TARGETS = {"all", "paper"}
ON_GPU = {"train_round", "extract_noise", "distillation_targets"}


class Asked(NamedTuple):
    """A job of a dry run: its rule, whether it goes in a lot, and what it asks for."""

    rule: str
    grouped: bool
    threads: int
    resources: dict[str, str]


def rules() -> dict[str, str]:
    """The text of each rule."""
    files = [ROOT / "workflow/Snakefile", *(ROOT / "workflow/rules").glob("*.smk")]
    return dict(found for file in files for found in RULE.findall(file.read_text()))


def jobs_in(said: str) -> Iterator[Asked]:
    blocks = re.finditer(
        r"^( *)(?:local)?rule (\w+):\n((?:\1 +\S.*\n)+)", said, re.MULTILINE
    )
    for indent, rule, facts in (block.groups() for block in blocks):
        threads = re.search(r"threads: (\d+)", facts)
        resources = dict(re.findall(r"(\w+)=([^,\n]+)", facts.split("resources:")[1]))
        yield Asked(rule, bool(indent), int(threads[1] if threads else 1), resources)


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> str:
    """The dry run of the target `paper` as on a cluster, four GPUs a training."""
    folder = tmp_path_factory.mktemp("paper")
    for name in DATA:
        (folder / "data" / name).mkdir(parents=True)
    config = yaml.safe_load((ROOT / "config/sidd.yaml").read_text())
    config["method"]["training"]["gpus"] = 4
    wanted = ("--cores", "8", "--profile", str(ROOT / "slurm"))
    wanted += ("--set-resources", "measure_realism:mem_mb=77", "--", "paper")
    run = snakemake(folder, config, "--dry-run", *wanted)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


@pytest.fixture(scope="module")
def asked(said) -> list[Asked]:
    return [job for job in jobs_in(said) if job.rule not in TARGETS]


def test_three_rules_ask_for_a_gpu(asked):
    gpus = {job.rule for job in asked if int(job.resources.get("gpu", 0))}
    assert gpus == ON_GPU


def test_every_job_has_a_log_and_says_what_it_takes(said, asked):
    for job in asked:
        assert {"mem_mb", "runtime"} <= job.resources.keys(), job.rule
    for kind, suffix in (("log", "log"), ("benchmark", "tsv")):
        files = re.findall(
            rf"^ +{kind}: results/sidd/{kind}s/(\S+)", said, re.MULTILINE
        )
        assert len(set(files)) == len(files) == len(asked)
        for own in ("train_round/mid_0", "evaluate/mid_0_validation", "report"):
            assert f"{own}.{suffix}" in files


def test_a_rule_or_a_profile_may_ask_for_something_else(asked):
    found = {job.rule: job.resources for job in asked}
    minutes = {"report": 60, "evaluate": 4 * 60, "train_round": 2 * 24 * 60}
    for rule, runtime in minutes.items():
        assert int(found[rule]["runtime"]) == runtime
    memory = {"report": 2000, "evaluate": 16000, "measure_realism": 77}
    for rule, mem_mb in memory.items():
        assert int(found[rule]["mem_mb"]) == mem_mb


def test_processes_of_a_training_have_threads_and_memory_each(asked):
    settings = yaml.safe_load((ROOT / "config/sidd.yaml").read_text())["runtime"]
    training = next(job for job in asked if job.rule == "train_round")
    # `--cores` lowers threads, which SLURM is not asked for.
    assert training.threads == 8
    assert training.resources["gpu"] == "4"
    assert int(training.resources["cpus_per_task"]) == 4 * settings["threads"]
    each = 2000 * settings["memory_gb"] + 8000
    assert int(training.resources["mem_mb"]) == 4 * each
    for job in asked:
        assert ("cpus_per_task" in job.resources) == (job.rule in ON_GPU)


def test_the_paper_s_run_is_tens_of_jobs_for_slurm(said, asked):
    local = {name for name, text in rules().items() if "localrule: True" in text}
    alone = [job for job in asked if not job.grouped and job.rule not in local]
    lots = said.count("Group job ")
    assert {job.rule for job in asked if job.grouped} == {"evaluate", "measure_cost"}
    # docs/slurm.md says so.
    assert len(alone) + lots == 81


def test_a_taught_round_has_memory_for_a_third_pool():
    runtime, rounds = {"memory_gb": 4}, [{"mask_ratio": 0.8}, {"mask_ratio": 0}]
    config = {"runtime": runtime, "variants": {"mid": {"rounds": rounds}}}
    assert memory_mb("train_round", config) == 16000
    rounds[1]["taught"] = True
    assert memory_mb("train_round", config) == 20000

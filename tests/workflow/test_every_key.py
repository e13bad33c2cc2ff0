"""Every key of the config reruns the jobs that depend on it: no more, and no fewer."""

import re
import shutil
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from mid_config.loading import load_config
from mid_config.plan import Plan
from mid_config.schema import read_schema
from tests.conftest import ROOT
from tests.running import draw_images, snakemake
from tests.workflow.every_key import EXEMPT, MATRIX
from tests.workflow.whole_config import WHOLE, with_changes

# In place of every script: the graph is what is tried here.
WRITE = """shell:
        "for file in {output}; do echo '{{\\"train_seconds\\": 0}}' > $file; done"
"""


@dataclass(frozen=True)
class Listed:
    """A job as a dry run lists it."""

    inputs: frozenset[str]
    outputs: frozenset[str]
    reason: str


@pytest.fixture(scope="module")
def drawn_up(tmp_path_factory):
    """The folder of a run of the whole config, whose jobs only write their names."""
    folder = tmp_path_factory.mktemp("every_key")
    shutil.copytree(ROOT / "workflow", folder / "code/workflow")
    shutil.copytree(ROOT / "mid_config", folder / "code/mid_config")
    shutil.copytree(ROOT / "mid_core", folder / "code/mid_core")
    shutil.copy(ROOT / "environment.yml", folder / "code")
    snakefile = folder / "code/workflow/Snakefile"
    # The pools of benchmarks are empty folders here.
    snakefile.write_text(snakefile.read_text().replace("    consult_doctor()\n", ""))
    for rules in snakefile.parent.glob("rules/*.smk"):
        text = re.sub(r'script:\n +".+"\n', lambda _: WRITE, rules.read_text())
        rules.write_text(text)
    draw_images(folder)
    for name in ("polyu", "sidd", "more"):
        (folder / name).mkdir()
    for name in ("published", "other"):
        (folder / f"{name}.pth").touch()
    run = results(folder, WHOLE)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def results(folder: Path, config: dict, *options: str):
    """Ask for all that a config may be asked for."""
    snakefile = ("--snakefile", str(folder / "code/workflow/Snakefile"))
    return snakemake(folder, config, *snakefile, *options, "paper", "compare")


def listed(run) -> dict[str, Listed]:
    """Read the jobs that a dry run lists, by the names of their logs."""
    said = run.stdout + run.stderr
    assert run.returncode == 0, said
    jobs = {}
    for block in re.split(r"^(?:local)?rule ", said, flags=re.MULTILINE)[1:]:
        found = dict(re.findall(r"^ +(\w+): (.+)$", block, re.MULTILINE))
        if "log" in found:
            name = found["log"].split("/logs/")[1].removesuffix(".log")
            files = (found.get(key, "").split(", ") for key in ("input", "output"))
            jobs[name] = Listed(*map(frozenset, files), found["reason"])
    return jobs


def named(patterns: list[str], names) -> set[str]:
    """The jobs that fit one of the patterns, and none that begins with ``!``."""
    taken = [p for p in patterns if p[0] != "!"]
    left = [p[1:] for p in patterns if p[0] == "!"]
    return {
        name
        for name in names
        if any(fnmatchcase(name, p) for p in taken)
        and not any(fnmatchcase(name, p) for p in left)
    }


def with_followers(first: set[str], jobs: dict[str, Listed]) -> set[str]:
    """Add the jobs that need what these make, and so on."""
    stale, before = set(first), set()
    while stale != before:
        before = set(stale)
        made = {file for name in stale for file in jobs[name].outputs}
        stale |= {name for name, job in jobs.items() if job.inputs & made}
    return stale


@pytest.fixture(scope="module")
def graph(drawn_up):
    """All jobs of the whole config."""
    return listed(results(drawn_up, WHOLE, "--dry-run", "--forceall"))


@pytest.mark.slow
def test_nothing_is_stale_at_first(drawn_up):
    assert listed(results(drawn_up, WHOLE, "--dry-run")) == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("changes", "first"), MATRIX, ids=[", ".join(c) for c, _ in MATRIX]
)
def test_keys_rerun_what_depends_on_them(changes, first, drawn_up, graph):
    stale = listed(results(drawn_up, with_changes(changes), "--dry-run"))
    jobs = graph | stale
    changed = named(first, jobs)
    assert set(stale) == with_followers(changed, jobs)
    assert all(job.reason for job in stale.values())


@pytest.mark.slow
def test_a_dry_run_says_what_changed(drawn_up):
    changes = {"variants.four.rounds.2.mask_ratio": 0.4}
    stale = listed(results(drawn_up, with_changes(changes), "--dry-run"))
    before, _, now = stale["train_round/four_2"].reason.partition(" now: ")
    assert before.startswith("Params have changed since last execution")
    assert "'masking': {'mask_ratio': 0.6" in before
    assert "'masking': {'mask_ratio': 0.4" in now
    model = "results/tiny/four/round_2/model.json"
    assert model in stale["extract_noise/four_3"].reason + str(
        stale["extract_noise/four_3"].inputs
    )
    # By the round's number: its noise, and all of the rounds before, are as they were.
    assert {name for name in stale if name.startswith(("train", "extract"))} == {
        "train_round/four_2",
        "extract_noise/four_3",
        "train_round/four_3",
    }


@pytest.fixture
def settled(tmp_path):
    """Return a function: the settings of all rounds, by the changes to the config."""

    def plan(changes):
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(with_changes(changes)))
        return Plan(load_config([path], {})).rounds

    return plan


@pytest.mark.exhaustive
def test_each_key_that_is_changed_among_others_would_train_again_alone(settled):
    before = settled({})
    for changes, first in MATRIX:
        trains = any(pattern.startswith("train_round") for pattern in first)
        if trains and not any(path.startswith("paper") for path in changes):
            for path, value in changes.items():
                assert settled({path: value}) != before, path


def leaves(name: str, node: dict, schema: dict):
    """The keys of a part of the schema, by their dotted names."""
    if "$ref" in node:
        target = schema
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        if {"properties", "allOf"} & target.keys():
            # Counted where it is defined.
            return
    items = node.get("items", {})
    inner = node.get("properties") or items.get("properties")
    if not inner:
        yield name
    for key, value in (inner or {}).items():
        if value is not True:
            yield from leaves(f"{name}.{key}".removeprefix("."), value, schema)


def every_key() -> set[str]:
    """All keys of the schema, each once."""
    schema = read_schema()
    found = set(leaves("", schema, schema))
    for name, node in schema["$defs"].items():
        if "properties" in node:
            found |= set(leaves(name, node, schema))
    return found


def test_every_key_is_tried_or_exempt():
    tried = set()
    for changes, _ in MATRIX:
        for path in changes:
            # A variant's keys are the method's; names and numbers are no keys.
            path = re.sub(r"^variants\.\w+\.", "method.", path)
            path = re.sub(r"^compared\.\w+\.", "compared.", path)
            tried.add(re.sub(r"\.\d+|\.extra$", "", path))
    keys = every_key()
    assert len(keys) > 100
    exempt = {key for key in keys if any(fnmatchcase(key, p) for p in EXEMPT)}
    assert keys - tried - exempt == set()
    unused = {p for p in EXEMPT if not any(fnmatchcase(key, p) for key in keys)}
    assert unused == set()

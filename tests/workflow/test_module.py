"""Used by another Snakefile, from other folders, and in environments of Snakemake's."""

import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig

import pytest
import yaml

from tests.conftest import ROOT
from tests.running import CONFIG, draw_images, jobs_of

OUTER = """
configfile: "config.yaml"

rule own:
    output: "own/{{name}}.txt"
    shell: "echo {{wildcards.name}} > {{output}}"

module mid:
    snakefile: {snakefile}
    config: {config}

use rule * from mid{names}

rule everything:
    default_target: True
    input: "results/tiny/tables/rounds.md", "own/a.txt"
"""
HERE = f'"{ROOT}/workflow/Snakefile"'
# Made by two quick jobs, whose scripts import the package.
POOL = "results/tiny/data/clean/image.manifest.json"
# What a clone has that the workflow reads.
PARTS = ("workflow", "mid_config", "mid_core", "config", "environment.yml")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "a folder"
    folder.mkdir()
    draw_images(folder)
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    return folder


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """The workflow and the packages in a folder whose name has a space."""
    folder = tmp_path_factory.mktemp("a clone")
    for part in map(ROOT.joinpath, PARTS):
        copy = shutil.copytree if part.is_dir() else shutil.copy
        copy(part, folder / part.name)
    return folder


@pytest.fixture
def hosted(clone, tmp_path, monkeypatch):
    """The place where `github` finds that clone, as the tag v1."""
    repository = tmp_path / "hosted/somebody/mid"
    shutil.copytree(clone, repository)
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for words in (("init",), ("add", "."), ("commit", "-m", "all"), ("tag", "v1")):
        command = ["git", *who, *words]
        subprocess.run(command, cwd=repository, capture_output=True, check=True)
    # Git then reads this folder for that host.
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{tmp_path}/hosted/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return 'github("somebody/mid", path="workflow/Snakefile", tag="v1")'


def snakemake(folder, *arguments, absent=()):
    """Run Snakemake as where some modules are not installed."""
    code = f"import sys; sys.modules |= dict.fromkeys({list(absent)})\n"
    code += "from snakemake.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "--cores", "1", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def use(folder, snakefile=HERE, config="config", names=""):
    text = OUTER.format(snakefile=snakefile, config=config, names=names)
    (folder / "Snakefile").write_text(text)


@pytest.mark.slow
@pytest.mark.parametrize("names", ["", " exclude all as *"])
def test_another_snakefile_uses_the_rules(names, folder):
    use(folder, names=names)
    dry = snakemake(folder, "--dry-run")
    said, jobs = dry.stdout + dry.stderr, jobs_of(dry)
    assert {name: jobs[name] for name in ("own", "ingest", "train_round")} == {
        "own": 1,
        "ingest": 3,
        "train_round": 4,
    }
    # Ours have logs and memory of their own, the other's are as they were.
    assert "log: results/tiny/logs/train_round/mid_1.log" in said
    assert "own_a.log" not in said
    assert "`mid plan config.yaml` estimates them" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "names", "refusal"),
    [
        (
            'config | {"dataset": "tiny", "tests": ["*.png"]}',
            "",
            "'*.png' must be a pool",
        ),
        (
            'config | {"methods": 1}',
            "",
            "config of the module: 'methods' is not a known key",
        ),
        ("config", " as mid_*", "keeps its rules' names"),
    ],
)
def test_what_a_module_cannot_be_is_refused(config, names, refusal, folder):
    use(folder, config=config, names=names)
    dry = snakemake(folder, "--dry-run")
    assert dry.returncode == 1
    assert refusal in dry.stdout + dry.stderr


@pytest.mark.slow
def test_a_clone_and_a_working_folder_may_have_spaces(clone, folder):
    use(folder, f'"{clone}/workflow/Snakefile"')
    run = snakemake(folder.parent, "-d", folder, "-s", folder / "Snakefile", "--", POOL)
    assert run.returncode == 0, run.stderr
    assert (folder / POOL).is_file()


@pytest.mark.slow
def test_the_rules_may_come_from_a_host_of_repositories(hosted, folder):
    use(folder, hosted)
    run = snakemake(folder, "--", POOL)
    assert run.returncode == 0, run.stderr
    assert (folder / POOL).is_file()
    # All that the report reads of the repository is had from there, too.
    assert jobs_of(snakemake(folder, "--dry-run", "--", "report"))["report"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("absent", ["mid_config", "ruamel"])
def test_what_is_not_installed_beside_snakemake_is_named(absent, hosted, folder):
    use(folder, hosted)
    run = snakemake(folder, "--dry-run", absent=[absent])
    assert run.returncode == 1
    needs = rf"MID's workflow needs {absent}\S* where Snakemake itself is installed"
    said = run.stdout + run.stderr
    assert re.search(needs, said), said


@pytest.mark.slow
def test_elsewhere_the_clones_own_config_is_run(clone, tmp_path):
    # In its folder, as a person would, with -d alone.
    dry = snakemake(clone, "-d", tmp_path, "--dry-run")
    assert jobs_of(dry)["ingest"]
    assert "results/demo/" in dry.stdout + dry.stderr


CONDA = """#!{python}
import json, pathlib, shlex, subprocess, sys
words = sys.argv[1:]
if words[:1] == ["info"]:
    print(json.dumps({{"conda_prefix": "{home}", "platform": "linux-64"}}))
elif words[:1] == ["config"]:
    print(json.dumps({{"get": {{"channel_priority": "strict"}}}}))
elif words[:2] == ["env", "create"]:
    place = words[words.index("--prefix") + 1]
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    (site,) = pathlib.Path(place).glob("lib/python*/site-packages")
    (site / "all.pth").write_text("{packages}")
    # Its Python notes what it runs.
    (site / "sitecustomize.py").write_text(
        "import sys; print(sys.orig_argv, file=open('ran.txt', 'a'))"
    )
else:
    print("conda 24.11.0")
"""
ACTIVATE = 'export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n'


@pytest.mark.exhaustive
def test_jobs_in_an_environment_of_conda_find_the_package(
    folder, tmp_path, monkeypatch
):
    # No conda is at hand: a program that answers like it, and makes an environment with
    # the other packages alone.
    home = tmp_path / "conda"
    (home / "bin").mkdir(parents=True)
    packages = sysconfig.get_path("purelib")
    program = CONDA.format(python=sys.executable, home=home, packages=packages)
    (home / "bin/conda").write_text(program)
    (home / "bin/conda").chmod(stat.S_IRWXU)
    (home / "bin/activate").write_text(ACTIVATE)
    monkeypatch.setenv("PATH", f"{home}/bin:{os.environ['PATH']}")
    use(folder)
    run = snakemake(folder, "--sdm", "conda", "--", POOL)
    assert run.returncode == 0, run.stderr
    assert (folder / POOL).is_file()
    assert "ingest.py" in (folder / "ran.txt").read_text()
    (asked,) = folder.glob(".snakemake/conda/*.yaml")
    dependencies = yaml.safe_load(asked.read_text())["dependencies"]
    ours = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert dependencies == [one for one in ours if isinstance(one, str)]

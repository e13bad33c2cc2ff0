"""Installed from a wheel, far from the repository, and used by another Snakefile."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest
import yaml

from tests.conftest import ROOT
from tests.running import CONFIG, draw_images, jobs_of

BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel('.')"
PARTS = ("mid_config", "mid_core", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with what a wheel of the project holds, and nothing else."""
    source, site = (tmp_path_factory.mktemp(name) for name in ("source", "site"))
    for part in map(ROOT.joinpath, PARTS):
        copy = shutil.copytree if part.is_dir() else shutil.copy
        copy(part, source / part.name)
    build = [sys.executable, "-c", BUILD]
    subprocess.run(build, cwd=source, capture_output=True, check=True)
    (wheel,) = source.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    return site


@pytest.fixture
def folder(tmp_path):
    draw_images(tmp_path)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    return tmp_path


def run(folder, *command, path=""):
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.exhaustive
def test_mid_from_a_wheel_needs_the_repository_for_the_workflow_alone(site, folder):
    code = "import sys; from mid_core.commands.cli import main; sys.exit(main())"
    where = run(folder, "-c", "import mid_core; print(mid_core.__file__)", path=site)
    assert where.stdout == f"{site}/mid_core/__init__.py\n"
    doctor = run(folder, "-c", code, "doctor", "config.yaml", path=site)
    assert doctor.returncode == 0, doctor.stderr
    assert "all that the run needs is there" in doctor.stdout
    for command in ("plan", "status"):
        refused = run(folder, "-c", code, command, "config.yaml", path=site)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.startswith("Error: the workflow is not here")
    # In the repository's folder, all of them work.
    (folder / "workflow").symlink_to(ROOT / "workflow")
    status = run(folder, "-c", code, "status", "config.yaml", path=site)
    assert "tiny: 0 of 25 done; next: snakemake" in status.stdout, status.stderr


OUTER = """
configfile: "config.yaml"

rule own:
    output: "own/{{name}}.txt"
    shell: "echo {{wildcards.name}} > {{output}}"

module mid:
    snakefile: "{root}/workflow/Snakefile"
    config: {config}

use rule * from mid{names}

rule everything:
    default_target: True
    input: "results/tiny/tables/rounds.md", "own/a.txt"
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "names", "refusal"),
    [
        ("config", "", ""),
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
def test_another_snakefile_uses_the_rules(config, names, refusal, folder):
    text = OUTER.format(root=ROOT, config=config, names=names)
    (folder / "Snakefile").write_text(text)
    dry = run(folder, "-m", "snakemake", "--cores", "1", "--dry-run", path=ROOT)
    said = dry.stdout + dry.stderr
    if refusal:
        assert dry.returncode == 1
        assert refusal in said
        return
    jobs = jobs_of(dry)
    assert {name: jobs[name] for name in ("own", "ingest", "train_round")} == {
        "own": 1,
        "ingest": 3,
        "train_round": 4,
    }
    # Ours have logs and memory of their own, the other's are as they were.
    assert "log: results/tiny/logs/train_round/mid_1.log" in said
    assert "own_a.log" not in said

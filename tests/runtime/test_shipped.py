"""What ships with the package is found from any folder, and what is here goes first."""

import pytest

from mid_core.runtime.shipped import found, profile, shipped, snakemake_command
from tests.conftest import ROOT


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    return tmp_path


def test_a_config_that_is_here_goes_first(folder):
    name = "config/folders.yaml"
    assert found(name) == ROOT / name
    (folder / "config").mkdir()
    (folder / name).touch()
    assert str(found(name)) == name
    assert str(found("config/nowhere.yaml")) == "config/nowhere.yaml"


def test_a_profile_that_snakemake_finds_goes_first(folder):
    assert profile("slurm") == str(ROOT / "slurm")
    (folder / "own/snakemake/slurm").mkdir(parents=True)
    assert profile("slurm") == "slurm"
    assert profile("mine") == "mine"


def test_snakemake_is_told_of_the_workflow_where_none_is_here(folder):
    snakefile = str(shipped() / "workflow/Snakefile")
    assert snakemake_command() == ["snakemake", "--snakefile", snakefile]
    (folder / "workflow").mkdir()
    (folder / "workflow/Snakefile").touch()
    assert snakemake_command() == ["snakemake"]

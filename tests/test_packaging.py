"""The three lists of dependencies agree, and name no registry."""

import re
import subprocess
import tomllib

import yaml

from tests.conftest import ROOT

CONDA_NAMES = {"pytorch": "torch"}


def bounds(requirements) -> dict[str, str]:
    found = {}
    for requirement in requirements:
        name, bound = re.fullmatch(r"([\w.-]+)>=([\d.]+)", requirement).groups()
        found[CONDA_NAMES.get(name, name)] = bound
    return found


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_conda_users_get_the_same_dependencies():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    expected = bounds(PROJECT["dependencies"])
    expected["python"] = PROJECT["requires-python"].removeprefix(">=")
    assert bounds(conda) == expected


def test_every_dependency_is_pinned_above_its_bound():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines)
    assert all(re.fullmatch(r"[a-z0-9_.-]+==[\w.]+", line) for line in lines)

    def version(text):
        return [int(part) for part in re.findall(r"\d+", text)]

    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    for name, bound in bounds(wanted).items():
        assert version(pins[name]) >= version(bound), name


def test_no_tracked_file_names_a_registry():
    files = subprocess.run(
        ["git", "grep", "-lE", "(index-url[ =:]+h|py[p]i[.]org|python[h]osted)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    # 1: nothing found; 128 would be: not searched.
    assert (files.returncode, files.stdout) == (1, "")


def test_every_link_of_the_docs_leads_somewhere():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob("docs/**/*.md")]
    for page in pages:
        if ".venv" in page.parts:
            continue
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not link.startswith("http"):
                assert (page.parent / link).exists(), f"{page}: {link}"
    listed = (ROOT / "docs/measurements/README.md").read_text()
    for name in re.findall(r"^\| `([\w.]+)` \|", listed, re.MULTILINE):
        assert (ROOT / "docs/measurements" / name).is_file(), name

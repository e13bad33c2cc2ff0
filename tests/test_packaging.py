"""The three lists of dependencies agree, and name no registry."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata

import numpy as np
import yaml
from PIL import Image

from mid_core.checkpoints.model_file import save_model
from tests.conftest import CARD, ROOT

CONDA_NAMES = {"pytorch": "torch"}


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def bounds(requirements) -> dict[str, str]:
    found = {}
    for requirement in requirements:
        if not requirement.startswith("mid-denoise["):
            name, bound = re.fullmatch(r"([\w.-]+)>=([\d.]+)", requirement).groups()
            found[CONDA_NAMES.get(name, name)] = bound
    return found


def test_conda_users_get_the_same_dependencies():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    # And the package itself, of this folder.
    assert conda[-2:] == ["pip", {"pip": ["-e ."]}]
    parts = (PROJECT["dependencies"], EXTRAS["workflow"], EXTRAS["slurm"])
    expected = bounds([one for part in parts for one in part])
    expected["python"] = PROJECT["requires-python"].removeprefix(">=")
    assert bounds(conda[:-2]) == expected


def test_every_dependency_is_pinned_above_its_bound():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines)
    assert all(re.fullmatch(r"[a-z0-9_.-]+==[\w.]+", line) for line in lines)

    def version(text):
        return [int(part) for part in re.findall(r"\d+", text)]

    wanted = [
        *PROJECT["dependencies"],
        *(one for own in EXTRAS.values() for one in own),
    ]
    for name, bound in bounds(wanted).items():
        assert version(pins[name]) >= version(bound), name


def test_every_package_is_of_the_wheel():
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    found = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for name in ("mid_config", "mid_core")
        for path in (ROOT / name).rglob("__init__.py")
    }
    assert set(tools["setuptools"]["packages"]) == found | {"mid_workflow"}


def test_the_catalog_of_workflows_is_told_how_this_one_is_used():
    # What it asks of a workflow of standardized usage.
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())
    assert usage["usage"]["software-stack-deployment"] == {"conda": True}
    assert (ROOT / "config/README.md").is_file()
    said = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in said
    assert "workflow" in said


def mid_without(modules: list[str], *arguments: object):
    """Run `mid` as where these modules are not installed."""
    code = f"import sys; sys.modules |= dict.fromkeys({modules})\n"
    code += "from mid_core.commands.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_base_denoises_and_other_commands_name_the_extra(tmp_path, network):
    save_model(tmp_path / "model.safetensors", network, CARD)
    image = np.arange(33 * 41 * 3, dtype=np.uint8).reshape(33, 41, 3)
    Image.fromarray(image).save(tmp_path / "a.png")
    extra = set(bounds(EXTRAS["workflow"]))
    # Torch brings jinja2; Pillow is of the base.
    absent = [
        name
        for name, distributions in metadata.packages_distributions().items()
        if set(distributions) & (extra - {"jinja2"})
    ]
    assert {"zarr", "snakemake", "pandas", "skimage"} <= set(absent)
    model = ("--model", tmp_path / "model.safetensors", "--device", "cpu")
    done = mid_without(
        absent, "denoise", tmp_path / "a.png", tmp_path / "b.png", *model
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "b.png").is_file()
    said = mid_without(absent, "inspect", tmp_path).stderr
    assert "which is not installed: pip install 'mid-denoise[workflow]'" in said
    assert "Traceback" not in said


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

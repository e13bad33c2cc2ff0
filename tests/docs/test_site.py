"""The documentation site: every link leads somewhere, and every notebook runs."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from tests.conftest import ROOT

pytestmark = [pytest.mark.exhaustive, pytest.mark.slow]
NOTEBOOKS = sorted(ROOT.glob("docs/notebooks/*.ipynb"))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site as `make docs` builds it, notebooks executed."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going"]
    command += ["--quiet", "-c", str(ROOT / "docs/site"), str(ROOT), str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, (run.stdout + run.stderr)[-6000:]
    return folder


def test_a_page_is_made_of_every_file_of_the_table_of_contents(site):
    tree = yaml.safe_load((ROOT / "docs/site/toc.yml").read_text())
    names = re.findall(r"'file': '([^']+)'", str(tree))
    assert {"docs/start", "docs/questions", "CONTRIBUTING"} <= set(names)
    for name in [tree["root"], *names]:
        assert (site / f"{name}.html").is_file(), name
    assert f"url={tree['root']}.html" in (site / "index.html").read_text()


def test_no_page_loads_anything_from_elsewhere(site):
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|img|iframe|source)[^>]* src=.([^\"' >]+)", text(page)
        )
        loaded += re.findall(
            r"<link[^>]* rel=.stylesheet[^>]* href=.([^\"' >]+)", text(page)
        )
        assert not [one for one in loaded if re.match(r"(https?:)?//", one)], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", text(sheet)), (
            sheet
        )


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_formulas_need_no_script(site):
    page = text(site / "docs/method.html")
    assert page.count('display="block"') >= 6
    assert not re.search(r"<script[^>]*mathjax", page, re.IGNORECASE)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_it_computed(site, notebook):
    page = text(site / f"docs/notebooks/{notebook.stem}.html")
    assert "cell_output" in page
    assert 'src="../../_images/' in page
    assert "Traceback" not in page
    cells = nbformat.read(notebook, as_version=4).cells
    assert not any(cell.get("outputs") for cell in cells)


def test_the_api_has_the_functions_of_the_method(site):
    page = text(site / "docs/api.html")
    for name in (
        "noise.residual",
        "ensemble.denoise",
        "training.train",
        "batches.Batches",
    ):
        assert f'id="mid_core.{name}"' in page

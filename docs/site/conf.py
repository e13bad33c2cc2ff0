"""Settings of the documentation site, which `make docs` builds from the Markdown here.

Sphinx reads the files where they lie, so that they are read on GitHub, too: README.md,
docs/, config/README.md and others that toc.yml lists. The site loads nothing from
elsewhere.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

project = "MID"
copyright = "the authors of MID"
extensions = [
    "mathml",
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_external_toc",
]
external_toc_path = "docs/site/toc.yml"
include_patterns = [
    "*.md",
    "config/README.md",
    "docs/**/*.ipynb",
    "docs/*.md",
    "docs/**/*.md",
    "results/README.md",
]
# What runs make is not searched: of results/ only its README is a page.
exclude_patterns = ["**/.*", ".*", "docs/_build", "results/[!R]*"]
templates_path = ["."]
# No `python3`: blocks without a language are commands, trees and sketches.
highlight_language = "text"

html_theme = "furo"
html_title = "MID"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_additional_pages = {"index": "index.html"}
html_show_sphinx = False
html_copy_source = False

myst_enable_extensions = ["dollarmath"]
# As GitHub writes formulas.
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4

nb_execution_mode = "auto"
nb_execution_timeout = 900
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False


def give_title(app: object, name: str, source: list[str]) -> None:
    """Give the tables of a run, as they came out of it, a heading of the first level."""
    folder, _, file = name.rpartition("/")
    if folder != "docs/measurements/real_noise":
        return
    bold = re.match(r"\*\*(.+)\*\*\n", source[0])
    title = bold[1] if bold else file.capitalize()
    source[0] = f"# {title}\n" + source[0].removeprefix(bold[0] if bold else "")


def leave_out(
    app: object, what: str, name: str, obj: object, skip: bool, options: object
) -> bool | None:
    """Leave out fields of tuples, which their class describes."""
    said = getattr(obj, "__doc__", None) or ""
    return True if said.startswith("Alias for field number") else None


def setup(app: object) -> None:
    """Be called by Sphinx."""
    app.connect("source-read", give_title)
    app.connect("autodoc-skip-member", leave_out)

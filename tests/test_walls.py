"""What may import what: the contracts in pyproject.toml."""

import subprocess
import sys

from tests.conftest import ROOT


def test_imports_point_downwards_and_never_in_a_circle(tmp_path):
    code = "import sys; from importlinter.cli import lint_imports; sys.exit("
    code += f"lint_imports(cache_dir={str(tmp_path)!r}))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert "0 broken" in run.stdout

"""What may import what: the contracts in pyproject.toml."""

import re
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


def test_jobs_without_a_gpu_of_their_own_insist_on_none():
    """In SLURM, a job that asks for no GPU must not fail where it sees none."""
    texts = [path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk")]
    rules = "".join(texts).split("\nrule ")[1:]
    shared = [rule for rule in rules if "gpu=min(1, GPUS)" in rule]
    names = {re.search(r'scripts/(\w+\.py)"', rule).group(1) for rule in shared}
    assert {"evaluate.py", "judge.py"} <= names
    for script in (ROOT / "workflow/scripts").glob("*.py"):
        if found := re.search(r"pick_device\(.*\)", script.read_text()):
            assert ("needed=False" in found[0]) == (script.name in names), script.name

"""The small run that the notebooks look at."""

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = ROOT / "docs/_build/run"
# What the notebooks read: the table, with the scores behind it, and two noise banks.
WANTED = (
    "results/small/tables/rounds.csv",
    "results/small/mid/round_1/noise.manifest.json",
    "results/small/data/noisy/noise.manifest.json",
)


def small_run() -> Path:
    """Make the run of ``small.yaml`` unless it is there; return its results' folder.

    Raises
    ------
    RuntimeError
        If Snakemake fails, with its last words.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    command += ["--snakefile", str(ROOT / "workflow/Snakefile")]
    command += ["--directory", str(FOLDER)]
    command += ["--configfile", str(HERE / "small.yaml"), "--", *WANTED]
    start = time.monotonic()
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(
            "the small run failed:\n" + (run.stdout + run.stderr)[-3000:]
        )
    print(f"the small run is there, after {time.monotonic() - start:.0f} s")
    return FOLDER / "results/small"

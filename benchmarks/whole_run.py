"""A whole run from nothing, against the sum of its jobs' own work.

A job's own work is what its log has between the first line, when Python and all modules
are loaded, and the last. What a run takes beyond that is start-up, Snakemake, and cores
that wait for a job. It takes as long as the run: `make bench` is without it.
Run: python -m benchmarks.whole_run [CONFIG]
"""

import subprocess
import sys
import tempfile
from datetime import datetime
from functools import partial
from pathlib import Path

from benchmarks.measuring import Rows, publish, seconds

ROOT = Path(__file__).parents[1]
CORES, REACH = 2, 0.85


def own_seconds(log: Path) -> float:
    """Seconds from the first to the last line of a job's log."""
    lines = log.read_text().splitlines()
    first, last = (
        datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f")
        for line in (lines[0], lines[-1])
    )
    return (last - first).total_seconds()


def by_rule(logs: Path) -> dict[str, list[float]]:
    """Own seconds of each rule's jobs."""
    found: dict[str, list[float]] = {}
    for log in sorted(logs.rglob("*.log")):
        rule = Path(log.relative_to(logs).parts[0]).stem
        found.setdefault(rule, []).append(own_seconds(log))
    return found


def main(config: str = "config/config.yaml") -> None:
    """Run it in an empty folder, and print what each rule and all took."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "snakemake", "--cores", str(CORES)]
        command += ["--snakefile", str(ROOT / "workflow/Snakefile")]
        command += ["--configfile", str(Path(config).resolve()), "--directory", folder]
        wall = seconds(partial(subprocess.run, command, check=True, cwd=ROOT))
        (logs,) = Path(folder).glob("results/*/logs")
        own = by_rule(logs)
    total = sum(map(sum, own.values()))
    rows: Rows = [
        {"rule": rule, "jobs": len(taken), "own_s": sum(taken)}
        for rule, taken in sorted(own.items(), key=lambda item: -sum(item[1]))
    ]
    whole = {
        "jobs": sum(row["jobs"] for row in rows),
        "own_s": total,
        "wall_s": wall,
        "cores": CORES,
        "ratio": total / (CORES * wall),
        "to_reach": REACH,
    }
    publish("whole_run", {"own work of the jobs": rows, f"a run of {config}": [whole]})


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A run's versions, machines, trainings and times, and the files that it opened."""

import os
import platform
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from mid_config.last_run import duration, usage
from mid_core.report.tables import Table

PACKAGES = ("mid-denoise", "torch", "numpy", "zarr", "snakemake", "scikit-image")


def versions(source: Path) -> dict[str, str]:
    """Return the versions of this code, of Python and of the main packages.

    Parameters
    ----------
    source
        The folder of the code, whose commit is told if it is a git repository itself.
    """
    command = ["git", "-C", str(source), "describe", "--always", "--dirty", "--tags"]
    commit = ""
    if (source / ".git").exists():
        with suppress(OSError):
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            commit = run.stdout.strip()
    found = {"commit": commit or "not known", "Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def hardware(cards: Mapping[str, dict]) -> dict[str, str]:
    """Describe where the networks were trained, and the machine at hand.

    Parameters
    ----------
    cards
        Of the models, by any name.
    """
    devices = sorted({card["device"] for card in cards.values()})
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = {
        "trained on": ", ".join(devices) or "nothing was trained",
        "this report's machine": f"{platform.system()} on {platform.machine()}, "
        f"{os.cpu_count()} cores, {memory:.0f} GB of memory",
    }
    # Not at the top: it takes seconds, and most of a report does without.
    import torch

    if torch.cuda.is_available():
        count, name = torch.cuda.device_count(), torch.cuda.get_device_name()
        found["its GPUs"] = f"{count} × {name}"
    return found


def training_table(cards: Mapping[str, dict]) -> Table:
    """Lay out the trainings: a row for each card, by its name."""
    rows = [
        [
            name,
            card["network"]["name"],
            f"{card['parameters'] / 1e6:.3f}",
            str(card["training"]["iterations"]),
            str(card["seed"]),
            card["device"],
            duration(card["train_seconds"]),
            card["sha256"][:12],
        ]
        for name, card in cards.items()
    ]
    header = ["training", "network", "parameters (M)", "steps", "seed", "device"]
    numeric = [False, False, True, True, True, False, True, False]
    return Table("**Trainings**", [*header, "time", "model"], rows, numeric)


def time_table(folder: Path) -> Table:
    """Lay out what the last run of each job took, summed up by rule.

    Parameters
    ----------
    folder
        Of Snakemake's benchmark files: ``<rule>.tsv`` or ``<rule>/<job>.tsv``.
    """
    jobs = []
    for path in sorted(folder.rglob("*.tsv")):
        rule = path.relative_to(folder).with_suffix("").parts[0]
        if one := usage(path, _card(path) if rule == "train_round" else None):
            jobs.append({"rule": rule, "seconds": one.seconds, "mb": one.memory_mb})
    table = pd.DataFrame(jobs, columns=["rule", "seconds", "mb"])
    groups = [(rule, part) for rule, part in table.groupby("rule")]
    groups.sort(key=lambda group: -group[1]["seconds"].sum())
    rows = [
        [
            rule,
            str(len(part)),
            duration(part["seconds"].sum()),
            duration(part["seconds"].max()),
            f"{part['mb'].max() / 1e3:.1f}" if part["mb"].max() else "",
        ]
        for rule, part in groups
    ]
    total = ["all", str(len(table)), duration(table["seconds"].sum()), "", ""]
    header = ["rule", "jobs", "time of all", "of the longest", "memory (GB)"]
    caption = "**Time spent**: of each job's last success, whenever that was"
    return Table(caption, header, [*rows, total], [False, True, True, True, True])


def _card(benchmark: Path) -> Path:
    variant, _, k = benchmark.stem.rpartition("_")
    return benchmark.parents[2] / variant / f"round_{k}" / "model.json"


def lineage_table(lineage: Path | str) -> Table:
    """Sum up by rule which images its jobs opened.

    Parameters
    ----------
    lineage
        ``tables/lineage.csv``.
    """
    found = pd.read_csv(lineage, keep_default_na=False)
    rows = []
    for rule, part in found.groupby("rule"):
        sources = sorted({_source(*pair) for pair in part[["image", "through"]].values})
        counts = [str(part[key].nunique()) for key in ("job", "image")]
        rows.append([str(rule), *counts, ", ".join(sources)])
    header = ["rule", "jobs", "files opened", "of"]
    caption = "**Lineage**: what the jobs opened, seen by Python itself"
    return Table(caption, header, rows, [False, True, True, False])


def _source(image: str, through: str) -> str:
    """Name the pool of an image, or what else it is."""
    if not through:
        return "noise banks" if image.endswith(".zarr") else "image files"
    store = Path(through)
    return f"{store.parent.name} ({store.stem}s)"

"""A tiny config, and Snakemake on it as a person would call it."""

import re
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import yaml

from tests.conftest import ROOT, TINY

CONFIG = {
    "dataset": "tiny",
    "pools": {
        "clean": {"reader": "folders", "path": "clean"},
        "noisy": {
            "reader": "folders",
            "path": "pairs",
            "pattern": "noisy_*.png",
            "truth": {"path": "pairs", "pattern": "clean_*.png"},
        },
    },
    "tests": ["noisy"],
    "method": {
        "awgn": {"count": 3, "size": 17},
        "network": TINY,
        "training": {
            "iterations": 4,
            "batch_size": 2,
            "patch_size": 16,
            "learning_rate": 1e-3,
        },
        "extraction": {"num_masks": 2},
        "rounds": [{"mask_ratio": 0.8}, {"mask_ratio": 0.3}],
        "evaluation": {"num_masks": [1, 2]},
        # Four steps find no noise: the gate would stop their banks.
        "gate": {"mean": 255, "std": [0, 255], "leakage": 1, "kurtosis": 999},
    },
    "variants": {
        "mid": {},
        "no_mask": {"rounds": [{"mask_ratio": 0}]},
        "true_noise": {"initial_noise": "true_noise", "rounds": [{"mask_ratio": 0}]},
    },
    "figures": {"crops": 1, "crop_px": 16},
    # What the disk has to hold is computed with torch: seconds of each run.
    "runtime": {"device": "cpu", "threads": 1, "check_disk_space": False},
}


CORES = ("--cores", "2")


def snakemake(
    folder: Path,
    config: dict,
    *arguments: str,
    python: tuple = (),
    cores: tuple = CORES,
):
    """Run Snakemake in ``folder`` on ``config``; return what it did and said."""
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    command = [sys.executable, *python, "-m", "snakemake", *cores]
    command += ["--snakefile", str(ROOT / "workflow/Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "config.yaml")]
    return subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def jobs_of(run) -> dict[str, int]:
    """Read the table of jobs that a dry run prints."""
    assert run.returncode == 0, run.stdout + run.stderr
    output = run.stdout + run.stderr
    if "Nothing to be done" in output:
        return {}
    table = output[output.index("Job stats:") :]
    found = re.findall(r"^(\w+)\s+(\d+)$", table, re.MULTILINE)
    return {name: int(count) for name, count in found if name != "total"}


def changed(**method) -> dict:
    """The tiny config with another method."""
    return CONFIG | {"method": CONFIG["method"] | method}


def draw_images(folder: Path) -> None:
    """Write the pools of the tiny config: two images of odd sizes in each."""
    rng = np.random.default_rng(3)
    for part in ("clean", "pairs"):
        (folder / part).mkdir()
    for i, (height, width) in enumerate([(41, 35), (27, 58)]):
        light = np.linspace(30, 220, width)[None, :, None]
        clean = np.broadcast_to(light, (height, width, 3))
        noisy = clean + rng.normal(0, 20, clean.shape)
        for name, image in (
            (f"clean/photo {i}.jpg", clean[::-1]),
            (f"pairs/clean_{i}.png", clean),
            (f"pairs/noisy_{i}.png", noisy),
        ):
            iio.imwrite(folder / name, np.clip(image, 0, 255).astype(np.uint8))

"""Which method makes the most of one noisy image, and nothing else like it.

    python -m benchmarks.one_image ../shared/data/sidd_samples --cores 2 [--images 0 4 8]

``config/real_noise.yaml`` with a noisy pool of one sample of SIDD, for each image anew.
MID's clean images are the embedded photos; the other networks see the noisy image alone.
Scored on its top-left square. The rows go to docs/measurements/one_image.csv; those of
other images and seeds that are there already stay.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from benchmarks.kept import merged

WORK = Path("results/one_image")
TABLE = Path("docs/measurements/one_image.csv")
BASE = Path("config/real_noise.yaml")
METHODS = ("nlm", "twsc", "noise2void", "at_bsn")
KEYS = ["image", "method", "family", "seed", "protocol"]
VALUES = ["psnr_db", "ssim", "train_seconds", "given"]


def config_of(image: int, seed: int, samples: Path) -> Path:
    """Write what is laid over the config: pools of one image, and a few methods."""
    noisy = {"reader": "folders", "path": str(samples), "pattern": f"NOISY_{image}.png"}
    truth = {"path": str(samples), "pattern": f"GT_{image}.png"}
    every = yaml.safe_load(BASE.read_text())["compared"]
    changes = {
        "dataset": f"one_image_{image}_{seed}",
        "pools": {
            "embedded": {"reader": "camera", "part": "clean", "shots": 3},
            # No truths: they would only train the ceiling.
            "alone": noisy,
            "scored": noisy | {"crop": 256, "truth": truth},
        },
        "tests": ["scored"],
        "method": {"seed": seed, "clean": "embedded", "noisy": "alone"},
        "variants": {"true_noise": None},
        "compared": {name: None for name in every if name not in METHODS},
        "paper": {"variant": "auto", "compared": [], "distilled": None},
        "tables": {"rounds": ["auto"]},
        "figures": {"variant": "auto"},
    }
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / f"{image}_{seed}.yaml"
    path.write_text(yaml.safe_dump(changes, sort_keys=False))
    return path


def main() -> None:
    """Run each image, and keep its rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samples", type=Path, help="folder of NOISY_*.png and GT_*.png")
    parser.add_argument("--images", type=int, nargs="+", default=[0, 4, 8])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cores", type=int, default=2)
    asked = parser.parse_args()
    for image in asked.images:
        own = config_of(image, asked.seed, asked.samples)
        snakemake = [sys.executable, "-m", "snakemake", "--cores", str(asked.cores)]
        command = [*snakemake, "compare", "--configfile", str(BASE), str(own)]
        subprocess.run(command, check=True)
        rows = pd.read_csv(
            f"results/one_image_{image}_{asked.seed}/tables/compared.csv"
        )
        table = merged(TABLE, rows.assign(image=image), KEYS, VALUES)
        table.to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()

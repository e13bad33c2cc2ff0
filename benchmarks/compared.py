"""Keep the numbers of a comparison under docs/measurements/compared, a file for each test.

    snakemake --cores 2 compare --configfile config/real_noise.yaml
    python -m benchmarks.compared results/real_noise/tables/compared.csv

Rows of other methods, seeds and protocols that are there already stay.
"""

import argparse
from pathlib import Path

import pandas as pd

from benchmarks.kept import merged

FOLDER = Path("docs/measurements/compared")
KEYS = ["method", "family", "seed", "protocol"]
VALUES = ["psnr_db", "ssim", "n_images", "parameters", "train_seconds"]
VALUES += ["seconds_per_megapixel", "seen", "given"]


def main() -> None:
    """Merge the rows of a run into the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="a run's tables/compared.csv")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for test, own in pd.read_csv(parser.parse_args().table).groupby("test"):
        path = FOLDER / f"{test}.csv"
        merged(path, own, KEYS, VALUES).to_csv(path, index=False)


if __name__ == "__main__":
    main()

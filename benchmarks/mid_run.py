"""``mid run`` as a person would use it: bare files in, answers scored afterwards.

    python -m benchmarks.mid_run ../shared/data/sidd_samples OUT [--minutes 15]

The noisy files are copied into a folder of their own; the truths are opened only when all
is done. A row for each image goes to docs/measurements/mid_run.csv.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio.v3 as iio
import numpy as np
import pandas as pd

from mid_core.evaluation.metrics import psnr

TABLE = Path("docs/measurements/mid_run.csv")
SIDE = 256


def main() -> None:
    """Run the command, and score what it made."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samples", type=Path, help="folder of NOISY_*.png and GT_*.png")
    parser.add_argument("out", type=Path, help="folder of the answers")
    parser.add_argument("--minutes", default="15")
    given = parser.parse_args()
    files = sorted(given.samples.glob("NOISY_*.png"))
    with TemporaryDirectory() as folder:
        for file in files:
            shutil.copy(file, folder)
        command = ["run", folder, str(given.out), "--minutes", given.minutes]
        subprocess.run([sys.executable, "-m", "mid_core", *command], check=True)
    score(files, given.out)


def score(files: list[Path], answers: Path) -> None:
    """Write the table of all images."""
    table = pd.DataFrame([scores(file, answers) for file in files])
    table.round(3).to_csv(TABLE, index=False)
    print(table.mean(numeric_only=True))


def scores(noisy: Path, answers: Path) -> dict[str, str | float]:
    """PSNR in dB of an image and of its answer: of the top-left square, and whole."""
    truth = noisy.with_name(noisy.name.replace("NOISY", "GT"))
    x, y, answer = (read(f) for f in (truth, noisy, answers / noisy.name))
    corner = np.s_[:SIDE, :SIDE]
    return {
        "image": noisy.name,
        "noisy_psnr_db": psnr(x[corner], y[corner]),
        "psnr_db": psnr(x[corner], answer[corner]),
        "noisy_psnr_db_whole": psnr(x, y),
        "psnr_db_whole": psnr(x, answer),
    }


def read(path: Path) -> np.ndarray:
    """Read an image of 8 bits: (H, W, 3) in [0, 1]."""
    return iio.imread(path).astype(np.float32) / 255


if __name__ == "__main__":
    main()

"""Noise of the simulated camera beside that of 12 real pairs of SIDD.

    python -m benchmarks.camera_noise FOLDER [CSV]      (from the repository root)

FOLDER holds the real pairs, ``GT_<i>.png`` with ``NOISY_<i>.png``; CSV defaults to
docs/measurements/camera_noise.csv. Takes about half a minute.
"""

import csv
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from scipy.ndimage import gaussian_filter

from mid_core.datasets import camera

CSV = Path(__file__).parents[1] / "docs" / "measurements" / "camera_noise.csv"
SEEDS = range(8)


def correlation(noise: np.ndarray, down: int, right: int) -> float:
    """Return the autocorrelation at a lag of (H, W, 3) noise, less its mean colour."""
    noise = noise - noise.mean((0, 1))
    height, width = noise.shape[:2]
    here = noise[: height - down, : width - right]
    there = noise[down:, right:]
    return float((here * there).mean() / (noise**2).mean())


def statistics(image: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Describe image minus truth, both (H, W, 3) in grey levels of 0..255."""
    truth = truth.astype(np.float32)
    noise = image.astype(np.float32) - truth
    colours = np.corrcoef(noise.reshape(-1, 3).T)
    red, green, blue = noise.std((0, 1))
    return {
        "std": float(noise.std()),
        "std_red": float(red),
        "std_green": float(green),
        "std_blue": float(blue),
        "mean": float(noise.mean()),
        "lag_1": (correlation(noise, 0, 1) + correlation(noise, 1, 0)) / 2,
        "lag_1_1": correlation(noise, 1, 1),
        "lag_2": (correlation(noise, 0, 2) + correlation(noise, 2, 0)) / 2,
        "red_green": float(colours[0, 1]),
        "green_blue": float(colours[1, 2]),
        "red_blue": float(colours[0, 2]),
        "black_share": float((image == 0).mean()),
        "brightness": float(truth.mean()),
        "detail": float((truth - gaussian_filter(truth, (2, 2, 0))).std()),
    }


def average(rows: list[dict[str, float]]) -> dict[str, float]:
    """Take the mean of each statistic, every image counting once."""
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def real(folder: Path) -> list[dict[str, float]]:
    """Describe every real pair in a folder."""
    rows = []
    for path in sorted(folder.glob("GT_*.png")):
        noisy = path.with_name(path.name.replace("GT", "NOISY"))
        rows.append(statistics(iio.imread(noisy)[..., :3], iio.imread(path)[..., :3]))
    return rows


def simulated(seed: int) -> list[dict[str, float]]:
    """Describe every simulated photo that has a truth."""
    rows = []
    for part in ("noisy", "test"):
        settings = {"reader": "camera", "part": part, "seed": seed, "shots": 1}
        for item in camera.find(settings).items:
            pair = (camera.read(item, kind, settings) for kind in ("image", "truth"))
            rows.append(statistics(*pair))
    return rows


def main(folder: str, target: str | Path = CSV) -> None:
    """Measure both and write the table."""
    theirs = real(Path(folder))
    if not theirs:
        raise SystemExit(f"There is no GT_*.png in {folder}.")
    ours = [row for seed in SEEDS for row in simulated(seed)]
    ours_mean = average(ours)
    with Path(target).open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(
            ["statistic", "real", "simulated", "n_real", "n_simulated", "seed"]
        )
        for key, value in average(theirs).items():
            numbers = [f"{value:.3f}", f"{ours_mean[key]:.3f}"]
            seeds = f"{SEEDS[0]}-{SEEDS[-1]}"
            table.writerow([key, *numbers, len(theirs), len(ours), seeds])
    print(Path(target).read_text(), end="")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    main(*sys.argv[1:])

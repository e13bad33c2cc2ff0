"""How well noise is seen without its truth: its level and its correlation.

    python -m benchmarks.look FOLDER [CSV]      (from the repository root)

FOLDER holds the folders of real images; CSV defaults to docs/measurements/look.csv. It
takes about two minutes, and prints the relative errors of the level by set. Each row is
an image, whose set was looked at as a whole, as that of one camera. Levels are root mean
squares of the colours in grey levels of 255; ``donoho`` is scikit-image's estimate_sigma.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from skimage.restoration import estimate_sigma

from mid_core.cameras import together
from mid_core.datasets import camera
from mid_core.evaluation.noise_statistics import autocorrelation
from mid_core.evaluation.sights import correlations
from mid_core.images.files import read_pixels
from mid_core.images.picture import to_float
from mid_core.look import Look, look

CSV = Path(__file__).parents[1] / "docs" / "measurements" / "look.csv"
SEED, SHOTS = 0, 4
SIGMAS = (1, 2, 3, 5, 10, 25, 50, 75)
CAMERAS = {"camera_mild": 0.1, "camera_demo": 1, "camera_strong": 4}
POLYU = 40
# All of FMD as if it were of one microscope, and each by itself.
MICROSCOPES = ("", "_Confocal", "_TwoPhoton", "_WideField")
# A name, an image and its truth.
Pairs = Iterator[tuple[str, np.ndarray, np.ndarray]]


def read(path: Path) -> np.ndarray:
    """Read an image as float32 (H, W, C) in [0, 1]."""
    return to_float(read_pixels(path))


def files(truths: list[Path], noisy: Callable[[Path], Path]) -> Pairs:
    """Read truths and, for each, the noisy image at another path."""
    for truth in truths:
        yield noisy(truth).stem, read(noisy(truth)), read(truth)


def renamed(old: str, new: str, path: Path) -> Path:
    """Replace a part of a file's name."""
    return path.with_name(path.name.replace(old, new))


def at_iso(factor: float) -> AbstractContextManager:
    """Let the simulated camera have so many times the demo's noise variance."""
    low, high = camera.SHOT_RANGE
    return patch.object(camera, "SHOT_RANGE", (factor * low, factor * high))


def photographed(factor: float) -> Pairs:
    """Take the demo's noisy photos at another range of ISO."""
    settings = {"part": "noisy", "seed": SEED, "shots": SHOTS}
    with at_iso(factor):
        for item in camera.find(settings).items:
            pair = (camera.read(item, kind, settings) for kind in ("image", "truth"))
            yield item["name"], *map(to_float, pair)


def white(folder: Path, sigma: int) -> Pairs:
    """Put white noise on clean photos, rounded and clipped to 8 bits."""
    rng = np.random.default_rng(SEED)
    for path in sorted(folder.glob("*.png")):
        x = read(path)
        noisy = np.round(255 * x + rng.normal(0, sigma, x.shape))
        yield path.stem, to_float(np.clip(noisy, 0, 255).astype(np.uint8)), x


def sets(folder: Path) -> dict[str, Pairs]:
    """Return the pairs of each set."""
    noisy = partial(renamed, "GT_", "NOISY_")
    real = partial(renamed, "_mean", "_real")

    def raw(truth: Path) -> Path:
        return truth.parents[1] / "raw" / truth.name

    def listed(name: str, pattern: str) -> list[Path]:
        return sorted((folder / name).glob(pattern))

    return {
        "sidd12": files(listed("sidd_samples", "GT_*.png"), noisy),
        "sidd_low": files(listed("sidd_low_noise", "GT_*.png"), noisy),
        "polyu": files(listed("polyu_crops", "*_mean.JPG")[:POLYU], real),
        **{
            f"fmd{of.lower()}": files(listed("fmd/gt", f"{of[1:]}*.png"), raw)
            for of in MICROSCOPES
        },
        **{name: photographed(factor) for name, factor in CAMERAS.items()},
        **{f"white_{sigma}": white(folder / "kodak", sigma) for sigma in SIGMAS},
    }


def level(stds: np.ndarray) -> float:
    """Root mean square of the colours, in grey levels."""
    return 255 * float(np.sqrt((np.asarray(stds) ** 2).mean()))


def measured(name: str, pairs: Pairs) -> list[dict]:
    """Look at the images of a set together; compare with noisy minus truth."""
    looks: list[Look] = []
    known: list[dict[str, Any]] = []
    for image, y, x in pairs:
        looks.append(look(y))
        noise = y - x
        there = autocorrelation(noise, lags=1)
        known.append(
            {
                "image": image,
                "true_level": level(noise.std(axis=(0, 1))),
                "true_lag1": float(there[1, 2] + there[2, 1]) / 2,
                "donoho": level(estimate_sigma(y, channel_axis=2)),
            }
        )
    both = together(looks)
    return [
        truth
        | {
            "set": name,
            "is_white": both.is_white,
            "level": 255 * one.mean_level,
            "ratio": 255 * one.mean_level / truth["true_level"],
            "lag1": correlations(own)["lag_1"],
            "clipped": one.clipped,
            "flat": one.flat,
            "detail": 255 * one.detail,
        }
        for truth, own, one in zip(known, looks, both.looks, strict=True)
    ]


COLUMNS = [
    *("set", "image", "is_white", "level", "true_level", "ratio", "lag1", "true_lag1"),
    *("clipped", "flat", "detail", "donoho"),
]


def errors(table: pd.DataFrame) -> pd.DataFrame:
    """Return how far levels and correlations are off, by set."""
    off = pd.DataFrame(
        {
            "set": table["set"],
            "ratio": table["ratio"],
            "error": (table["ratio"] - 1).abs(),
            "donoho": (table["donoho"] / table["true_level"] - 1).abs(),
            "lag1": (table["lag1"] - table["true_lag1"]).abs(),
        }
    ).groupby("set", sort=False)
    return pd.DataFrame(
        {
            "n": off.size(),
            "is_white": table.groupby("set", sort=False)["is_white"].first(),
            "median_ratio": off["ratio"].median(),
            "median_error": off["error"].median(),
            "mean_error": off["error"].mean(),
            "mean_donoho": off["donoho"].mean(),
            "mean_lag1_error": off["lag1"].mean(),
        }
    )


def main(folder: str, target: str | Path = CSV) -> None:
    """Measure every set and write the table."""
    if not (Path(folder) / "kodak").is_dir():
        raise SystemExit(f"There is no folder kodak in {folder}.")
    found = [row for each in sets(Path(folder)).items() for row in measured(*each)]
    table = pd.DataFrame(found)[COLUMNS]
    table.round(4).to_csv(target, index=False, lineterminator="\n")
    print(errors(table).round(3).to_string())


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    main(*sys.argv[1:])

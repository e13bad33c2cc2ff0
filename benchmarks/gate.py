"""What the gate before a round finds in true noise, in runs' banks, and in bad ones.

    python -m benchmarks.gate FOLDER RESULTS...         (from the repository root)

FOLDER holds real pairs, ``sidd_samples/GT_<i>.png`` with ``NOISY_<i>.png`` and
``polyu_crops/<name>_mean.JPG`` with ``_real.JPG``; each of RESULTS is the results
folder of a finished run. Writes docs/measurements/gate.csv, with the default
limits' verdict. Takes about half a second for an image.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from scipy.ndimage import gaussian_filter, sobel

from mid_config.loading import load_config
from mid_core.datasets import camera
from mid_core.errors import MidError
from mid_core.evaluation.gate import check_bank, measure
from mid_core.evaluation.noise_statistics import Statistics
from mid_core.images.picture import to_float
from mid_core.store import Store

ROOT = Path(__file__).parents[1]
CSV = ROOT / "docs/measurements/gate.csv"


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth (H, W, C), each colour by itself."""
    return gaussian_filter(image, (sigma, sigma, 0))


# Of a noisy image y and its truth x.
BAD = {
    "edges of x": lambda y, x: np.hypot(sobel(x, 0), sobel(x, 1)) / 8,
    "slope of x": lambda y, x: sobel(x, 1) / 8,
    "x - blur_1(x)": lambda y, x: x - blur(x, 1),
    "x - blur_3(x)": lambda y, x: x - blur(x, 3),
    "x / 2": lambda y, x: x / 2,
    "y": lambda y, x: y,
    "zeros": lambda y, x: 0 * y,
    "0.01": lambda y, x: 0 * y + 0.01,
    "noise clipped at 10": lambda y, x: (y - x).clip(-10 / 255, 10 / 255),
    "noise clipped at 40": lambda y, x: (y - x).clip(-40 / 255, 40 / 255),
    "noise clipped at 0": lambda y, x: (y - x).clip(0, None),
    "noise + (x - blur_2(x))": lambda y, x: y - blur(x, 2),
    "noise + 4 (x - blur_2(x))": lambda y, x: y - x + 4 * (x - blur(x, 2)),
    "y - blur_1(y)": lambda y, x: y - blur(y, 1),
}


def real(
    folder: Path, true: str, noisy: str, ending: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield every real pair in a folder: noisy, true."""
    paths = sorted(folder.glob(f"*{true}*{ending}"))
    if not paths:
        raise SystemExit(f"There is no *{true}*{ending} in {folder}.")
    for path in paths:
        pair = path.with_name(path.name.replace(true, noisy)), path
        y, x = (to_float(iio.imread(p)[..., :3]) for p in pair)
        yield y, x


def simulated() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the demo's noisy pictures with their truths."""
    settings = {"reader": "camera", "part": "noisy", "seed": 0, "shots": 4}
    for item in camera.find(settings).items:
        pair = (camera.read(item, kind, settings) for kind in ("image", "truth"))
        y, x = map(to_float, pair)
        yield y, x


def gather(fields) -> dict:
    """Gather the statistics of (noise, image under it)."""
    statistics = Statistics()
    for noise, image in fields:
        statistics.add(noise.astype(np.float16), image)
    return statistics.summary()


def refined(results: Path) -> Iterator[tuple[str, dict]]:
    """Yield the banks of residuals of a run, whichever code made them."""
    for manifest in sorted(results.glob("*/round_*/noise.manifest.json")):
        bank = Store.of(manifest)
        pool = bank.attributes["settings"]["pool"]
        noisy = Store(results / "data" / pool / "image.zarr")
        fields = (
            (noise, to_float(noisy.read(i)) - noise)
            for i, (_, noise) in enumerate(bank)
        )
        yield f"{results.name}: {'/'.join(manifest.parts[-3:-1])}", gather(fields)


def banks(folder: Path, runs: list[Path]) -> Iterator[tuple[str, str, dict]]:
    """Yield kind, name and statistics of each bank."""
    pairs = list(real(folder / "sidd_samples", "GT", "NOISY", "png"))
    polyu = real(folder / "polyu_crops", "mean", "real", "JPG")
    true = {"SIDD": pairs, "PolyU": polyu, "simulated camera": simulated()}
    for name, known in true.items():
        yield "true noise", name, gather((y - x, x) for y, x in known)
    for run in runs:
        for name, statistics in refined(run):
            yield "run", name, statistics
    for name, damage in BAD.items():
        fields = ((damage(y, x), y - damage(y, x)) for y, x in pairs)
        yield "bad", name, gather(fields)


def main(folder: str, *runs: str) -> None:
    """Measure all and write the table."""
    limits = load_config([ROOT / "config/sidd.yaml"], {})["method"]["gate"]
    with CSV.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        for kind, name, statistics in banks(Path(folder), [Path(run) for run in runs]):
            found = measure(statistics)
            if not file.tell():
                table.writerow(["kind", "bank", "verdict", "n_images", *found])
            try:
                check_bank(statistics, limits, "", "")
                verdict = "passes"
            except MidError:
                verdict = "stops"
            numbers = [f"{value:.4g}" for value in found.values()]
            table.writerow([kind, name, verdict, statistics["images"], *numbers])
    print(CSV.read_text(), end="")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])

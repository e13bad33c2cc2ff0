"""Draw the same crops by every method, and what white noise leaves of real noise."""

import json
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from mid_core.evaluation.metrics import scores
from mid_core.figures.crops import crops_figure, remains_figure
from mid_core.figures.style import draw
from mid_core.figures.windows import telling_window
from mid_core.images.picture import to_float
from mid_core.jobs.rule import run_rule

Pictures = dict[str, tuple[str, np.ndarray]]


def pictures(folder: Path, image: dict) -> Pictures:
    """Read an image by each method: its label and its samples, by the method's key."""
    found = {}
    for method in image["methods"]:
        # What was taken out is no answer, and has no score.
        if method["ssim"] is None:
            continue
        samples = to_float(iio.imread(folder / method["file"]))
        samples = samples if samples.ndim == 3 else samples[..., None]
        found[method["key"]] = method["label"], samples
    return found


def without_middle_rounds(found: Pictures, shown: str) -> Pictures:
    """Keep the first and the last round of the shown variant: room is scarce."""
    variant, _, last = shown.rpartition("_")
    middle = {f"{variant}_{k}" for k in range(1, int(last))}
    return {key: one for key, one in found.items() if key not in middle}


def row(found: Pictures, protocol: str) -> dict:
    """Cut the same window of each, with its scores."""
    truth = found["truth"][1]
    window, _ = telling_window(truth, snakemake.params.size)
    crops = {}
    for key, (label, samples) in found.items():
        (own,) = scores(samples[window], truth[window], [protocol])
        text = "" if key == "truth" else f"{own['psnr_db']:.2f} dB / {own['ssim']:.3f}"
        crops[label] = samples[window], text
    return crops


def main() -> None:
    path = Path(snakemake.input.index)
    index = json.loads(path.read_text())
    images = [pictures(path.parent, image) for image in index["images"]]
    first = images[0]
    window, _ = telling_window(first["truth"][1], snakemake.params.size)
    rows = {
        image["name"]: row(
            without_middle_rounds(found, index["shown"]), index["protocol"]
        )
        for image, found in zip(index["images"], images, strict=True)
    }
    seen = (first[key][1] for key in ("noisy", "ratio_00_0", "truth"))
    figures = {
        "methods": (crops_figure, rows),
        "remains": (remains_figure, *seen, window),
    }
    for path in map(Path, snakemake.output):
        draw(*figures[path.stem], to=[path])


run_rule(main, snakemake.log[0])

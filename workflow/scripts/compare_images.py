"""Write the same windows of a few images as every method sees them, and an index."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import torch

from mid_core.checkpoints.model_file import load_model
from mid_core.ensemble import denoise
from mid_core.evaluation.metrics import scores
from mid_core.figures.crops import busiest_window
from mid_core.images.picture import to_dtype, to_float
from mid_core.jobs.looking import answering
from mid_core.jobs.rule import run_rule
from mid_core.masking import image_seed
from mid_core.methods import denoise_without_training
from mid_core.methods.bm3d import NotInstalledError
from mid_core.methods.levels import autocovariance
from mid_core.runtime.devices import pick_device
from mid_core.runtime.progress import Progress, log
from mid_core.store import Store, pairs, write_json

# Pictures that no method makes, and where they stand in (name, y, x).
NOISY = {"key": "noisy", "label": "noisy", "given": 1}
TRUTH = {"key": "truth", "label": "truth", "given": 2}
Image = tuple[str, np.ndarray, np.ndarray]


def estimates(method: dict, images: list[Image]) -> Iterator[np.ndarray]:
    """Denoise whole images by one method, as their scores are computed."""
    if "given" in method:
        yield from (image[method["given"]] for image in images)
    elif "function" in method:
        how, covariance = (method["function"], method["options"]), None
        if method["options"].get("level") == "spectrum":
            bank = Store.of(snakemake.input.bank)
            covariance = autocovariance(noise for _, noise in bank)
        for _, y, x in images:
            yield denoise_without_training(*how, y, x, covariance)
    else:
        runtime, settings = snakemake.config["runtime"], method["settings"]
        device = pick_device(runtime["device"], needed=False)
        network, card = load_model(method["model"], device)
        masking, counts = answering(settings, card)
        for name, y, _ in images:
            seed = image_seed(settings["seed"], "evaluate", name)
            yield denoise(network, y, masking, seed, counts[-1:], runtime["tile"])[0]


def entry(path: Path, method: dict, x_hat: np.ndarray, x: np.ndarray) -> dict:
    """Write one picture, scored on what it shows; return its entry in the index."""
    samples = to_dtype(x_hat, np.uint8)
    path.parent.mkdir(exist_ok=True)
    iio.imwrite(path, samples if samples.shape[2] == 3 else samples[..., 0])
    (own,) = scores(x_hat, x, snakemake.params.protocols[:1])
    # JSON has no infinity: the truth has no PSNR.
    psnr = own["psnr_db"] if np.isfinite(own["psnr_db"]) else None
    names = {"key": method["key"], "label": method["label"]}
    file = path.relative_to(path.parents[1]).as_posix()
    return names | {"file": file, "psnr_db": psnr, "ssim": own["ssim"]}


def main() -> None:
    torch.set_num_threads(snakemake.threads)
    index, params = Path(snakemake.output.index), snakemake.params
    shutil.rmtree(index.parent, ignore_errors=True)
    index.parent.mkdir(parents=True)
    noisy = Store.of(snakemake.input.test)
    clean = Store.of(snakemake.input.truth)
    found = pairs(noisy, clean, params.images)
    images = [(name, to_float(y), to_float(x)) for name, y, x in found]
    windows = [busiest_window(x, params.size) for *_, x in images]
    rows = [
        {"name": name, "window": [*_corners(window)], "methods": []}
        for (name, *_), window in zip(images, windows, strict=True)
    ]
    methods = [NOISY, *params.methods, TRUTH]
    report = Progress("compared images", len(methods), "method")
    for method in methods:
        try:
            for i, x_hat in enumerate(estimates(method, images)):
                path, window = index.parent / f"{i}/{method['key']}.png", windows[i]
                own = entry(path, method, x_hat[window], images[i][2][window])
                rows[i]["methods"].append(own)
        except NotInstalledError as error:
            log.warning(error)
        report()
    facts = {key: noisy.attributes[key] for key in ("dataset", "split")}
    facts |= {"protocol": params.protocols[0], "shown": params.shown, "images": rows}
    write_json(index, facts)


def _corners(window: tuple[slice, slice]) -> tuple[int, int, int, int]:
    """Top, left, height and width of a window."""
    rows, columns = window
    high, wide = rows.stop - rows.start, columns.stop - columns.start
    return rows.start, columns.start, high, wide


run_rule(main, snakemake.log[0])

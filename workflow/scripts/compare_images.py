"""Write the same windows of a few images as every method sees them, and an index."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from mid_core.checkpoints.model_file import load_model
from mid_core.ensemble import denoise
from mid_core.evaluation.metrics import scores
from mid_core.figures.crops import GAIN
from mid_core.figures.windows import CANDIDATES, most_telling
from mid_core.images.picture import to_dtype, to_float
from mid_core.jobs.looking import answering
from mid_core.jobs.rule import run_rule
from mid_core.masking import image_seed
from mid_core.methods import denoise_without_training
from mid_core.methods.bm3d import NotInstalledError
from mid_core.methods.levels import autocovariance
from mid_core.runtime.devices import pick_device
from mid_core.runtime.progress import Progress, log
from mid_core.store import Store, pairs, spread, write_json

# Without a truth a window is chosen by the image with its noise smoothed away, and
# denoised with so many pixels around it.
SMOOTHING, MARGIN = 2, 64
# Pictures that no method makes.
NOISY = {"key": "noisy", "label": "noisy"}
TRUTH = {"key": "truth", "label": "truth"}
TAKEN = {"key": "taken_out", "label": f"what was taken out, × {GAIN}"}


@dataclass(frozen=True)
class Image:
    """An image that is denoised, and the window of it that is shown.

    Attributes
    ----------
    name
        In its pool.
    y, x
        Noisy, and its truth if there is one: float32 (H, W, C) in [0, 1].
    window
        The part of both that is shown.
    corner
        Row and column of the window in the whole image.
    """

    name: str
    y: np.ndarray
    x: np.ndarray | None
    window: tuple[slice, slice]
    corner: tuple[int, int]

    @property
    def noisy(self) -> np.ndarray:
        """The window of the noisy image."""
        return self.y[self.window]

    @property
    def truth(self) -> np.ndarray | None:
        """The window of the truth, if there is one."""
        return None if self.x is None else self.x[self.window]


def scored_images() -> list[Image]:
    """Take images with their truths, whole, as their scores are computed."""
    noisy, clean = Store.of(snakemake.input.test), Store.of(snakemake.input.truth)
    size, count = snakemake.params.size, snakemake.params.images
    candidates = list(pairs(noisy, clean, CANDIDATES * count))
    shown = most_telling(candidates, lambda one: to_float(one[2]), size, count)
    images = []
    for (name, image, truth), window in shown:
        y, x, corner = to_float(image), to_float(truth), (side.start for side in window)
        images.append(Image(name, y, x, window, tuple(corner)))
    return images


def unscored_images() -> list[Image]:
    """Take parts of noisy images: photos may be large, and there are no scores."""
    noisy, images = Store.of(snakemake.input.test), []
    size, count = snakemake.params.size, snakemake.params.images

    def smoothed(i: int) -> np.ndarray:
        return gaussian_filter(to_float(noisy.read(i)), (SMOOTHING, SMOOTHING, 0))

    candidates = spread(len(noisy), CANDIDATES * count)
    for i, window in most_telling(candidates, smoothed, size, count):
        corner = tuple(side.start for side in window)
        part = tuple(slice(max(0, w.start - MARGIN), w.stop + MARGIN) for w in window)
        inside = tuple(
            slice(w.start - p.start, w.stop - p.start)
            for w, p in zip(window, part, strict=True)
        )
        y = to_float(noisy.read(i)[part])
        images.append(Image(noisy.names[i], y, None, inside, corner))
    return images


def estimates(method: dict, images: list[Image]) -> Iterator[np.ndarray]:
    """Denoise images by one method, as their scores are computed."""
    if "function" in method:
        how, covariance = (method["function"], method["options"]), None
        if method["options"].get("level") == "spectrum":
            bank = Store.of(snakemake.input.bank)
            covariance = autocovariance(noise for _, noise in bank)
        for one in images:
            yield denoise_without_training(*how, one.y, one.x, covariance)
    else:
        runtime, settings = snakemake.config["runtime"], method["settings"]
        device = pick_device(runtime["device"], needed=False)
        network, card = load_model(method["model"], device)
        masking, counts = answering(settings, card)
        for one in images:
            seed = image_seed(settings["seed"], "evaluate", one.name)
            how = masking, seed, counts[-1:], runtime["tile"]
            (x_hat,) = denoise(network, one.y, *how)
            yield x_hat


def entry(path: Path, names: dict, picture: np.ndarray, x: np.ndarray | None) -> dict:
    """Write one picture; return its entry in the index, scored on what it shows."""
    samples = to_dtype(picture, np.uint8)
    path.parent.mkdir(exist_ok=True)
    iio.imwrite(path, samples if samples.shape[2] == 3 else samples[..., 0])
    own = {"key": names["key"], "label": names["label"], "psnr_db": None, "ssim": None}
    if x is not None:
        (found,) = scores(picture, x, snakemake.params.protocols[:1])
        # JSON has no infinity: the truth has no PSNR.
        finite = np.isfinite(found["psnr_db"])
        own |= {"psnr_db": found["psnr_db"] if finite else None, "ssim": found["ssim"]}
    return own | {"file": path.relative_to(path.parents[1]).as_posix()}


class Sheets:
    """The pictures of all images, in the order of the methods."""

    def __init__(self, folder: Path, images: list[Image]) -> None:
        self.folder, self.images = folder, images
        self.rows = [
            {"name": one.name, "window": [*one.corner, *one.noisy.shape[:2]]}
            | {"methods": []}
            for one in images
        ]

    def add(self, method: dict, windows: Iterable[np.ndarray], scored=True) -> None:
        """Write a method's picture of each image's window."""
        for i, picture in enumerate(windows):
            path = self.folder / f"{i}/{method['key']}.png"
            truth = self.images[i].truth if scored else None
            self.rows[i]["methods"].append(entry(path, method, picture, truth))


def main() -> None:
    torch.set_num_threads(snakemake.threads)
    index, params = Path(snakemake.output.index), snakemake.params
    shutil.rmtree(index.parent, ignore_errors=True)
    index.parent.mkdir(parents=True)
    has_truth = bool(snakemake.input.truth)
    images = scored_images() if has_truth else unscored_images()
    sheets, taken = Sheets(index.parent, images), []
    sheets.add(NOISY, (one.noisy for one in images))
    report = Progress("compared images", len(params.methods), "method")
    for method in params.methods:
        try:
            each = zip(images, estimates(method, images), strict=True)
            # Copies: a view would keep the whole image.
            answers = [x_hat[one.window].copy() for one, x_hat in each]
            sheets.add(method, answers)
        except NotInstalledError as error:
            log.warning(error)
        if method["key"] == params.shown:
            each = zip(images, answers, strict=True)
            taken = [0.5 + GAIN * (one.noisy - x_hat) for one, x_hat in each]
        report()
    if has_truth:
        sheets.add(TRUTH, (one.truth for one in images))
    sheets.add(TAKEN, taken, scored=False)
    noisy = Store.of(snakemake.input.test).attributes
    facts = {key: noisy[key] for key in ("dataset", "split")}
    facts |= {"protocol": params.protocols[0] if has_truth else None}
    write_json(index, facts | {"shown": params.shown, "images": sheets.rows})


run_rule(main, snakemake.log[0])

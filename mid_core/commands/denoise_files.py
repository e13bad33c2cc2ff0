"""Denoise image files: a file or a folder, of any size and mode."""

import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from mid_core.checkpoints.model_file import load_model
from mid_core.commands.unlike import Watch, trained_noise
from mid_core.ensemble import denoise_bands
from mid_core.errors import MidError
from mid_core.images.files import header, read, write_pages
from mid_core.images.formats import SUFFIXES
from mid_core.images.listing import list_images
from mid_core.images.picture import Picture
from mid_core.images.scratch import Space, scratch
from mid_core.masking import Masking, image_seed
from mid_core.runtime.devices import pick_device
from mid_core.runtime.files import check_folder, place, refuse_overwriting
from mid_core.runtime.progress import Progress, log


def _jobs(source: Path, target: Path) -> list[tuple[Path, Path]]:
    """Pair each image to be read with the file to be written."""
    if source.is_dir():
        if target.exists() and not target.is_dir():
            raise MidError(
                f"{source} is a folder but {target} is a file: name a folder"
            )
        images = list_images(source)
        others = sum(1 for entry in source.iterdir() if entry.name not in images)
        if others:
            types = ", ".join(SUFFIXES)
            log.info("%d other entries are left out; types read: %s", others, types)
        return [(source / name, target / name) for name in images]
    if not source.is_file():
        raise MidError(f"there is no image or folder at {source}: {_hint(source)}")
    if target.is_dir() or not target.suffix:
        target = target / source.name
    return [(source, target)]


def _hint(source: Path) -> str:
    """Say what to do about a path that is not there."""
    plain = unicodedata.normalize("NFC", source.name)
    for entry in source.parent.glob("*"):
        if unicodedata.normalize("NFC", entry.name) == plain:
            return (
                f"{entry.name!a} only looks the same, its accents are other "
                "characters (NFC and NFD); let the shell complete the name"
            )
    return "correct the path"


def _refuse_overwriting(jobs: Iterable[tuple[Path, Path]], model: Path) -> None:
    """Refuse results that are folders, or files that are read."""
    files, results = zip(*jobs, strict=True)
    for result in results:
        if result.is_dir():
            raise MidError(f"{result} is a folder: name another place")
    refuse_overwriting((model, *files), results)


def _space(folder: Path) -> Space:
    """Make the folder of the answers; what is worked on lies there, too."""
    folder.mkdir(parents=True, exist_ok=True)
    check_folder(folder)
    return partial(scratch, folder=folder)


def _input_rows(picture: Picture, channels: int, first: int, last: int) -> np.ndarray:
    """Rows as the network takes them: one for colours sees grey three times."""
    copies = channels // picture.samples.shape[2]
    return np.repeat(picture.rows(first, last), copies, axis=2)


def _blended(
    bands: Iterable[np.ndarray],
    read_rows: Callable[[int, int], np.ndarray],
    strength: float,
) -> Iterator[np.ndarray]:
    """Yield y + strength * (x_hat - y) of each band x_hat, not clipped."""
    first = 0
    for x_hat in bands:
        # y + (x_hat - y) is x_hat to rounding only.
        if strength < 1:
            y = read_rows(first, first + len(x_hat))
            x_hat = y + strength * (x_hat - y)
        first += len(x_hat)
        yield x_hat


def _answers(
    estimate: Callable[..., Iterator[np.ndarray]],
    channels: int,
    file: Path,
    pages: tuple[int, ...],
    space: Space,
    seed: int,
    metadata: bool,
    strength: float,
    watch: Watch,
    lost: dict[str, Path],
    report: Callable[[float], None],
) -> Iterator[tuple[Iterator[np.ndarray], Picture]]:
    """Denoise the pages of a file, each band of them when it is asked for."""
    for page in pages:
        picture = read(file, page, space)
        lost.update({name: file for name in picture.lost if metadata})
        picture = picture if metadata else replace(picture, exif=None)
        if channels == 1 and not picture.is_grey:
            raise MidError(
                f"{file} is in colour but the model was trained on grey images"
            )
        name = file.name if len(pages) == 1 else f"{file.name}#{page:03d}"
        watch(name, picture.samples)
        read_rows = partial(_input_rows, picture, channels)
        bands = estimate(
            read_rows=read_rows,
            height=len(picture.samples),
            seed=image_seed(seed, "denoise", name),
            report=lambda share: report(share / len(pages)),
        )
        yield _blended(bands, read_rows, strength), picture


def denoise_files(
    source: Path,
    target: Path,
    model: Path,
    num_masks: int = 10,
    ratio: float | None = None,
    device: str = "auto",
    tile: int | None = None,
    seed: int = 0,
    metadata: bool = True,
    strength: float = 1,
    skip_existing: bool = False,
) -> None:
    """Denoise a file or every image of a folder, whatever their size and mode.

    Pixels lie in nameless files beside ``target``, twice as they are stored: as they
    were and as they become. Memory holds the bands that tiles need, and what
    `images` says of each file type.

    Parameters
    ----------
    source, target
        A file each, or a folder each; what is written has the dtype, the mode and
        the name of what was read. The pages of a TIFF are denoised one by one.
    model
        A round's ``model.safetensors``.
    num_masks
        Predictions averaged (Eq. 5 of the paper).
    ratio
        Share of hidden pixels; by default the one of the training.
    device, tile, seed
        Where to compute; side of the squares that bound the memory; of the masks.
    metadata
        Whether EXIF is kept.
    strength
        S in [0, 1] of y + S * (x_hat - y): 0 gives the input's pixels back. A warning
        tells of the first image whose noise is unlike the training's.
    skip_existing
        Whether images whose result is there are left alone.

    Raises
    ------
    MidError
        For anything missing or unfit, before an image is changed. An image that
        cannot be read is reported, and the others are denoised all the same.
    """
    jobs = _jobs(source, target)
    if skip_existing:
        jobs = [(file, result) for file, result in jobs if not result.is_file()]
    if not jobs:
        return
    _refuse_overwriting(jobs, model)
    where = pick_device(device, needed=device != "auto", wait=False)
    network, card = load_model(model, where)
    log.info("%d image(s) on %s", len(jobs), where)
    own = {} if ratio is None else {"mask_ratio": ratio}
    masking = Masking(**card["masking"] | own)
    options = {"masking": masking, "num_masks": num_masks, "tile": tile}
    estimate = partial(denoise_bands, network, **options)
    space, watch = _space(jobs[0][1].parent), Watch(trained_noise(card, model))
    failures, written, lost, start = [], {}, {}, time.monotonic()
    report = Progress("denoise", len(jobs), "image")
    for number, (file, result) in enumerate(jobs, start=1):
        try:
            pages = header(file).pages
            # Some file systems do not tell A.png from a.png.
            if other := written.get(place(result)):
                raise MidError(
                    f"{file} and {other} would both be {result}: rename one of them"
                )
            answers = _answers(
                *(estimate, card["channels"], file, pages, space, seed),
                *(metadata, strength, watch, lost, report),
            )
            write_pages(result, answers, len(pages))
            written[place(result)] = file
        except MidError as error:
            failures.append(str(error))
            report(number - report.done)
    seconds = time.monotonic() - start
    log.info("%d denoised in %.1f s: %s", len(jobs) - len(failures), seconds, target)
    watch.conclude()
    for name, file in lost.items():
        log.info("not kept: %s, as in %s", name, file)
    if failures:
        raise MidError(
            f"{len(failures)} of {len(jobs)} failed:\n" + "\n".join(failures)
        )

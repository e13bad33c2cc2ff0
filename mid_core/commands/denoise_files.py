"""Denoise image files: a file or a folder, of any size and mode."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from mid_core.checkpoints.model_file import load_model
from mid_core.ensemble import denoise_bands
from mid_core.errors import MidError
from mid_core.images.files import header, read, write_pages
from mid_core.images.formats import SUFFIXES
from mid_core.images.listing import list_images
from mid_core.images.picture import Picture
from mid_core.images.scratch import Space, scratch
from mid_core.masking import Masking, image_seed
from mid_core.runtime.devices import pick_device
from mid_core.runtime.progress import Progress, log


def _jobs(source: Path, target: Path) -> list[tuple[Path, Path]]:
    """Pair each image to be read with the file to be written."""
    if source.is_dir():
        if target.exists() and not target.is_dir():
            raise MidError(
                f"{source} is a folder but {target} is a file: name a folder"
            )
        if target.resolve() == source.resolve():
            raise MidError(f"{target} holds the noisy images: name another folder")
        images = list_images(source)
        others = sum(1 for entry in source.iterdir() if entry.name not in images)
        if others:
            types = ", ".join(SUFFIXES)
            log.info("%d other entries are left out; types read: %s", others, types)
        return [(source / name, target / name) for name in images]
    if not source.is_file():
        raise MidError(f"there is no image or folder at {source}: correct the path")
    if target.is_dir() or not target.suffix:
        target = target / source.name
    if target.resolve() == source.resolve():
        raise MidError(f"{target} is the noisy image itself: name another file")
    return [(source, target)]


def _input_rows(picture: Picture, channels: int, first: int, last: int) -> np.ndarray:
    """Rows as the network takes them: one for colours sees grey three times."""
    copies = channels // picture.samples.shape[2]
    return np.repeat(picture.rows(first, last), copies, axis=2)


def _answers(
    estimate: Callable[..., Iterator[np.ndarray]],
    channels: int,
    file: Path,
    pages: tuple[int, ...],
    space: Space,
    seed: int,
    report: Callable[[float], None],
) -> Iterator[tuple[Iterator[np.ndarray], Picture]]:
    """Denoise the pages of a file, each band of them when it is asked for."""
    for page in pages:
        picture = read(file, page, space)
        if channels == 1 and not picture.is_grey:
            raise MidError(
                f"{file} is in colour but the model was trained on grey images"
            )
        name = file.name if len(pages) == 1 else f"{file.name}#{page:03d}"
        bands = estimate(
            read_rows=partial(_input_rows, picture, channels),
            height=len(picture.samples),
            seed=image_seed(seed, "denoise", name),
            report=lambda share: report(share / len(pages)),
        )
        yield bands, picture


def denoise_files(
    source: Path,
    target: Path,
    model: Path,
    num_masks: int = 10,
    ratio: float | None = None,
    device: str = "auto",
    tile: int | None = None,
    seed: int = 0,
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

    Raises
    ------
    MidError
        For anything missing or unfit, before an image is changed. An image that
        cannot be read is reported, and the others are denoised all the same.
    """
    jobs = _jobs(source, target)
    network, card = load_model(
        model, pick_device(device, needed=device != "auto", wait=False)
    )
    masking = Masking(
        **card["masking"] | ({} if ratio is None else {"mask_ratio": ratio})
    )
    log.info("%d image(s) on %s", len(jobs), next(network.parameters()).device)
    estimate = partial(
        denoise_bands, network, masking=masking, num_masks=num_masks, tile=tile
    )
    failures, start = [], time.monotonic()
    report = Progress("denoise", len(jobs), "image")
    for number, (file, result) in enumerate(jobs, start=1):
        try:
            pages = header(file).pages
            result.parent.mkdir(parents=True, exist_ok=True)
            space = partial(scratch, folder=result.parent)
            answers = _answers(
                estimate, card["channels"], file, pages, space, seed, report
            )
            write_pages(result, answers, len(pages))
        except MidError as error:
            failures.append(str(error))
            report(number - report.done)
    seconds = time.monotonic() - start
    log.info("%d denoised in %.1f s: %s", len(jobs) - len(failures), seconds, target)
    if failures:
        raise MidError(
            f"{len(failures)} of {len(jobs)} failed:\n" + "\n".join(failures)
        )

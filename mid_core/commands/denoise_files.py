"""Denoise image files, of any size and mode."""

import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Lock

import numpy as np
import torch

from mid_core.commands.estimators import Estimator, by_method, by_network
from mid_core.commands.pairing import Pair, pair, to_do
from mid_core.errors import Interrupted, MidError
from mid_core.images.files import header, read, write_pages
from mid_core.images.picture import Picture
from mid_core.images.scratch import Space, scratch
from mid_core.masking import image_seed
from mid_core.runtime.devices import pick_device
from mid_core.runtime.files import check_folder, place
from mid_core.runtime.progress import Progress, log


def _space(folder: Path) -> Space:
    """Make the folder of the answers; what is worked on lies there, too."""
    folder.mkdir(parents=True, exist_ok=True)
    check_folder(folder)
    return partial(scratch, folder=folder)


def _input_rows(
    picture: Picture, channels: int | None, first: int, last: int
) -> np.ndarray:
    """Rows as the network takes them: one for colours sees grey three times."""
    own = picture.samples.shape[2]
    copies = (channels or own) // own
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


@dataclass
class _Work:
    """What the images of one call have in common; several threads may share it.

    Attributes
    ----------
    by
        What denoises.
    space, seed, metadata, strength
        See ``denoise_files``.
    report
        Told of the share that is done.
    written, lost
        Images by the places of their answers, and by what they told that is not kept.
    computing, looking, stopped
        What one thread does at a time; whether all are to end.
    """

    by: Estimator
    space: Space
    seed: int
    metadata: bool
    strength: float
    report: Progress
    written: dict[tuple[int, int] | None, Path] = field(default_factory=dict)
    lost: dict[str, Path] = field(default_factory=dict)
    computing: Lock = field(default_factory=Lock)
    looking: Lock = field(default_factory=Lock)
    stopped: bool = False

    def denoise(self, file: Path, result: Path) -> str | None:
        """Denoise a file; what cannot be done is told, and the others go on."""
        done = 0.0

        def report(share: float) -> None:
            nonlocal done
            if self.stopped:
                raise Interrupted
            done += share
            self.report(share)

        try:
            pages = header(file).pages
            # Some file systems do not tell A.png from a.png.
            if other := self.written.get(place(result)):
                raise MidError(
                    f"{file} and {other} would both be {result}: rename one of them"
                )
            write_pages(result, self._answers(file, pages, report), len(pages))
            self.written[place(result)] = file
        except MidError as error:
            with self.computing:
                report(1 - done)
            return str(error)
        return None

    def _answers(
        self, file: Path, pages: tuple[int, ...], report: Callable[[float], None]
    ) -> Iterator[tuple[Iterator[np.ndarray], Picture]]:
        """Denoise the pages of a file, each band of them when it is asked for."""
        for page in pages:
            picture = read(file, page, self.space)
            self.lost.update({name: file for name in picture.lost if self.metadata})
            picture = picture if self.metadata else replace(picture, exif=None)
            if self.by.channels == 1 and not picture.is_grey:
                raise MidError(
                    f"{file} is in colour but the model was trained on grey images"
                )
            name = file.name if len(pages) == 1 else f"{file.name}#{page:03d}"
            with self.looking:
                self.by.watch(name, picture.samples)
            read_rows = partial(_input_rows, picture, self.by.channels)
            bands = self.by.estimate(
                read_rows=read_rows,
                height=len(picture.samples),
                seed=image_seed(self.seed, "denoise", name),
                report=lambda share: report(share / len(pages)),
            )
            in_turn = _each_within(self.computing, bands)
            yield _blended(in_turn, read_rows, self.strength), picture


def _each_within(lock: Lock, bands: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield bands, each of which is made while the lock is held."""
    while True:
        with lock:
            band = next(bands, None)
        if band is None:
            return
        yield band


def _denoise_all(work: _Work, pairs: list[Pair], jobs: int) -> list[str]:
    """Denoise so many images at a time; return what could not be done.

    The network has all cores for one of them: on a part of the cores its sums would be
    rounded in another way. The others are read and written meanwhile.
    """
    if jobs == 1:
        told = [work.denoise(*pair) for pair in pairs]
        return list(filter(None, told))
    threads = ThreadPoolExecutor(jobs)
    try:
        coming = [threads.submit(work.denoise, *pair) for pair in pairs]
        return list(filter(None, [one.result() for one in coming]))
    finally:
        # After Ctrl-C, the others stop where they are.
        work.stopped = True
        threads.shutdown(cancel_futures=True)


def _at_a_time(jobs: int, pairs: list[Pair], device: torch.device) -> int:
    """How many images can be worked on at a time."""
    if device.type == "mps":
        # Metal must be used by one thread alone.
        return 1
    # What has one name on some file systems is only noticed one after the other.
    names = {unicodedata.normalize("NFC", f"{to}").casefold() for _, to in pairs}
    return min(jobs, len(pairs)) if len(names) == len(pairs) else 1


def denoise_files(
    source: Path | Sequence[Path],
    target: Path,
    model: Path | None,
    num_masks: int = 10,
    ratio: float | None = None,
    device: str = "auto",
    tile: int | None = None,
    seed: int = 0,
    metadata: bool = True,
    strength: float = 1,
    skip_existing: bool = False,
    overwrite: bool = True,
    suffix: str = "",
    jobs: int = 1,
    method: str | None = None,
) -> None:
    """Denoise files and the images of folders, whatever their size and mode.

    Pixels lie in nameless files beside ``target``, twice as they are stored: as they
    were and as they become. Memory holds the bands that tiles need, and what
    `images` says of each file type, for so many images as are worked on at a time.

    Parameters
    ----------
    source, target
        What is read and written, as `pairing.pair` says; answers have the dtype and
        the mode of what was read. The pages of a TIFF are denoised one by one.
    model
        A round's ``model.safetensors``; None: ``method`` denoises.
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
    skip_existing, overwrite
        Whether images whose answer is there are left alone; else, whether it is
        replaced or all is refused.
    suffix
        Put after the stem of each name.
    jobs
        Images at a time: while one is computed, others are read and written.
    method
        Name of a compared method without training. It takes a whole image into memory,
        and no masks and no tiles.

    Raises
    ------
    MidError
        For anything missing or unfit, before an image is changed. An image that
        cannot be read is reported, and the others are denoised all the same.
    """
    sources = [source] if isinstance(source, Path) else source
    pairs = to_do(pair(sources, target, suffix), model, skip_existing, overwrite)
    if not pairs:
        return
    where = pick_device(device, needed=device != "auto", wait=False)
    if method:
        by = by_method(method)
    else:
        by = by_network(model, where, ratio, num_masks, tile)
    log.info("%d image(s) %s", len(pairs), f"by {method}" if method else f"on {where}")
    start = time.monotonic()
    work = _Work(
        by=by,
        space=_space(pairs[0][1].parent),
        seed=seed,
        metadata=metadata,
        strength=strength,
        report=Progress("denoise", len(pairs), "image"),
    )
    failures = _denoise_all(work, pairs, _at_a_time(jobs, pairs, where))
    seconds, done = time.monotonic() - start, len(pairs) - len(failures)
    log.info("%d denoised in %.1f s: %s", done, seconds, target)
    by.watch.conclude()
    for name, file in work.lost.items():
        log.info("not kept: %s, as in %s", name, file)
    if failures:
        raise MidError(
            f"{len(failures)} of {len(pairs)} failed:\n" + "\n".join(failures)
        )

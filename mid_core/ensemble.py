"""Denoise an image of any size: overlapping tiles, K masks, their mean (Eq. 5)."""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from mid_core.errors import MidError
from mid_core.masking import Masking, mask_rows
from mid_core.networks.denoiser import Denoiser

SMALLEST_TILE_PX = 64
TILES_PX = {"cpu": 1024, "cuda": 4096}
# The tiles that turned out to fit into a GPU's memory.
_FITTING: WeakKeyDictionary[Denoiser, int] = WeakKeyDictionary()
# Threads that draw masks ahead of the network.
DRAWING = 2
log = logging.getLogger("mid")

# Start and stop of what the network sees of an axis, and of what it decides.
Span = tuple[int, int, int, int]


@torch.inference_mode()
def denoise(
    network: Denoiser,
    y: np.ndarray,
    masking: Masking,
    seed: Sequence[int],
    counts: Sequence[int] = (10,),
    tile: int | None = None,
    report: Callable[[float], None] = lambda share: None,
    first_row: int = 0,
) -> list[np.ndarray]:
    """Mean over K random masks of D(M*y), for each K in ``counts`` (paper, Eq. 5).

    Parameters
    ----------
    network
        D, in evaluation mode.
    y
        Noisy image, float32 (H, W, C) in [0, 1].
    masking
        Mask ratio and kind of the masks. Without hidden pixels one pass is made.
    seed
        Entropy of this image's masks: mask p is the same for every K and tiling.
    counts
        Numbers of masks K, ascending; the masks of a small K are those of a larger.
    tile
        Side of the squares that the network sees, in pixels: bounds the memory. It is
        halved, and the image begun anew, while a GPU's memory does not suffice. None:
        1024 on a CPU, 4096 on a GPU.
    report
        Called with the share of the work that was done since the last call; with a
        negative one where the image is begun anew.
    first_row
        Where in the whole image ``y`` begins, if it is a band of it: the masks are
        those of the whole.

    Returns
    -------
    One float32 (H, W, C) for each K, not clipped: clip it for an image, not for a
    residual.

    Raises
    ------
    MidError
        If the image has other colours than the network was trained on, or the smallest
        tile does not fit into the GPU's memory.

    Examples
    --------
    >>> from mid_core.networks import build
    >>> network = build({"name": "dncnn", "width": 4, "depth": 3}).eval()
    >>> y = np.full((33, 47, 3), 0.5, np.float32)
    >>> one, ten = denoise(network, y, Masking(0.8), seed=[0], counts=(1, 10))
    >>> ten.shape, ten.dtype.name
    ((33, 47, 3), 'float32')
    """
    colours = y.shape[2]
    if colours != network.channels:
        raise MidError(
            f"the image has {colours} colour(s) but the network was trained on "
            f"{network.channels}: use a model for such images"
        )
    if masking.mask_ratio == 0:
        counts = [1] * len(counts)
    tile = tile_for(network, tile)
    tile = min(tile, _FITTING.get(network, tile))
    while True:
        done = _Sum(report)
        try:
            return _denoise_in_tiles(
                network, y, masking, seed, counts, tile, done, first_row
            )
        except torch.OutOfMemoryError:
            tile = _FITTING[network] = _halved(tile, network.alignment)
        report(-done.total)


def default_tile(device: str) -> int:
    """Side of the tiles by default, in pixels, on a kind of device."""
    return TILES_PX.get(device, TILES_PX["cpu"])


def tile_for(network: Denoiser, tile: int | None) -> int:
    """Side of the tiles as asked for, or by default where the network is."""
    return tile or default_tile(_device_of(network).type)


def _device_of(network: Denoiser) -> torch.device:
    return next(network.parameters()).device


class _Sum:
    """Passes on what is reported, as a part of the whole, and adds it up."""

    def __init__(self, report: Callable[[float], None], part: float = 1) -> None:
        self._report, self._part, self.total = report, part, 0.0

    def __call__(self, share: float) -> None:
        self.total += share
        self._report(share * self._part)


def _halved(tile: int, alignment: int) -> int:
    # Below two steps of the grid, the network would not see less.
    smallest = max(SMALLEST_TILE_PX, 2 * alignment)
    if tile // 2 < smallest:
        raise MidError(
            f"a tile of {tile} pixels does not fit into the GPU's memory, and this "
            f"network takes none below {smallest}: end what else uses the GPU, or set "
            "the device to cpu"
        )
    _say_halved(tile)
    return tile // 2


@cache
def _say_halved(tile: int) -> None:
    """Warn once, not for every image."""
    log.warning(
        "tiles of %d pixels do not fit into the GPU's memory: going on with %d; set "
        "tile to that, and no time is lost in trying",
        *(tile, tile // 2),
    )


def _denoise_in_tiles(
    network: Denoiser,
    y: np.ndarray,
    masking: Masking,
    seed: Sequence[int],
    counts: Sequence[int],
    tile: int,
    report: Callable[[float], None],
    first_row: int,
) -> list[np.ndarray]:
    results = [np.empty(y.shape, np.float32) for _ in counts]
    width, channels = y.shape[1], masking.channels(y.shape[2])

    def draw(p: int, rows: tuple[int, int]) -> np.ndarray:
        common = ((0, width), width, channels, masking.mask_ratio)
        return mask_rows([*seed, p], rows, *common)

    threads = ThreadPoolExecutor(DRAWING)
    try:
        for rows in spans(network, len(y), tile, masking.margin):
            seen = (first_row + rows[0], first_row + rows[1])
            # Once for all tiles of a row: their generators draw the whole width.
            masks = _ahead(threads, partial(draw, rows=seen), max(counts))
            means = _row_means(network, y, rows, masking, masks, counts, tile, report)
            for result, mean in zip(results, means, strict=True):
                result[slice(*rows[2:])] = mean
    finally:
        # Where the memory does not suffice, the masks to come are drawn anew.
        threads.shutdown(cancel_futures=True)
    return results


def _ahead(
    threads: ThreadPoolExecutor, draw: Callable[[int], np.ndarray], count: int
) -> Iterator[np.ndarray]:
    """Yield masks 0 to ``count`` - 1; no more than ``DRAWING`` others are kept."""
    coming: deque[Future[np.ndarray]] = deque()
    for p in range(count):
        coming.append(threads.submit(draw, p))
        if len(coming) > DRAWING:
            yield coming.popleft().result()
    while coming:
        yield coming.popleft().result()


def spans(
    network: Denoiser, length: int, tile: int, mask_margin: int = 0
) -> Iterator[Span]:
    """Yield a network's tiles along an axis: as few as there can be.

    They overlap by the network's margin and that of what fills hidden pixels.
    """
    step, margin = network.alignment, network.margin + mask_margin
    around = -(-min(margin, tile // 4) // step) * step
    inner = 0
    while inner < length:
        start = max(0, inner - around)
        end = length
        if length - start > tile:
            end = inner + max(step, (start + tile - around - inner) // step * step)
        yield start, min(length, end + around), inner, end
        inner = end


def _row_means(
    network: Denoiser,
    y: np.ndarray,
    rows: Span,
    masking: Masking,
    masks: Iterator[np.ndarray],
    counts: Sequence[int],
    tile: int,
    report: Callable[[float], None],
) -> list[np.ndarray]:
    """Mean prediction of what a row of tiles decides, for each K.

    All is done where the network is: masks go there, means come back.
    """
    (height, width, _), (top, bottom, row, row_end) = y.shape, rows
    device = _device_of(network)
    band = as_tensor(y[top:bottom]).to(device)
    inner = slice(row - top, row_end - top)
    total, means = torch.zeros_like(band[inner]), {}
    # Mask by mask, not tile by tile: else all K would have to be kept.
    for p, mask in enumerate(masks, start=1):
        for left, right, col, col_end in spans(network, width, tile, masking.margin):
            kept = torch.from_numpy(mask[:, left:right]).to(device)
            batch = masking.apply(band[:, left:right], kept)[None].permute(0, 3, 1, 2)
            x_hat = network(batch)[0].permute(1, 2, 0)
            total[:, col:col_end] += x_hat[inner, col - left : col_end - left].float()
            decided = (row_end - row) * (col_end - col)
            report(decided / (height * width * max(counts)))
        if p in counts:
            means[p] = (total / p).cpu().numpy()
    return [means[count] for count in counts]


def as_tensor(image: np.ndarray) -> Tensor:
    """Share an array's memory with torch, or copy what cannot be written to."""
    # Of what cannot be written, such as a mapped file, torch wants a copy.
    return torch.from_numpy(np.require(image, requirements="W"))


def denoise_bands(
    network: Denoiser,
    read_rows: Callable[[int, int], np.ndarray],
    height: int,
    masking: Masking,
    seed: Sequence[int],
    num_masks: int = 10,
    tile: int | None = None,
    report: Callable[[float], None] = lambda share: None,
) -> Iterator[np.ndarray]:
    """Yield what ``denoise`` returns, number for number, from top to bottom.

    A band is what one row of its tiles decides, so that memory holds a few times
    ``tile`` rows of floats, for any number of masks.

    Parameters
    ----------
    read_rows
        Gives the noisy rows from one number up to another, float32 (rows, W, C) in
        [0, 1]. Rows at the borders of bands are asked for twice.
    height
        Rows of the image.
    num_masks
        K, the predictions averaged. For the other parameters see ``denoise``.

    Yields
    ------
    float32 (rows, W, C), not clipped.

    Raises
    ------
    MidError
        As ``denoise`` does.
    """
    tile = tile_for(network, tile)
    for top, bottom, row, end in spans(network, height, tile, masking.margin):
        done = _Sum(report, (end - row) / height)
        options = (num_masks,), tile, done, top
        (x_hat,) = denoise(network, read_rows(top, bottom), masking, seed, *options)
        yield x_hat[row - top : end - top]

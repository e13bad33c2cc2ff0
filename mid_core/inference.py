"""Denoise an image of any size: overlapping tiles, K masks, their mean (Eq. 5)."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import nn

from mid_core.errors import MidError
from mid_core.masking import mask_rows
from mid_core.sampling import Masking


def _spans(length: int, tile: int, margin: int, step: int) -> Iterator[tuple[int, ...]]:
    """Yield (start, stop, inner start, inner stop): tiles, and what each decides."""
    around = -(-margin // step) * step
    core = max(step, (tile - 2 * around) // step * step)
    if length <= tile:
        core = length
    for inner in range(0, length, core):
        end = min(inner + core, length)
        yield max(0, inner - around), min(length, end + around), inner, end


@torch.inference_mode()
def denoise(
    network: nn.Module,
    y: np.ndarray,
    masking: Masking,
    seed: Sequence[int],
    counts: Sequence[int] = (10,),
    tile: int = 512,
    report: Callable[[float], None] = lambda share: None,
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
        Side of the squares that the network sees, in pixels: bounds the memory.
    report
        Called with the share of the work that was done since the last call.

    Returns
    -------
    One float32 (H, W, C) for each K, not clipped: clip it for an image, not for a
    residual.

    Raises
    ------
    MidError
        If the image has other colours than the network was trained on.
    """
    device = next(network.parameters()).device
    height, width, colours = y.shape
    if colours != network.channels:
        raise MidError(
            f"the image has {colours} colour(s) but the network was trained on "
            f"{network.channels}: use a model for such images"
        )
    if masking.ratio == 0:
        counts = [1] * len(counts)
    results = [np.empty(y.shape, np.float32) for _ in counts]
    margin = min(network.margin, tile // 4)
    for top, bottom, row, row_end in _spans(height, tile, margin, network.alignment):
        for left, right, col, col_end in _spans(width, tile, margin, network.alignment):
            window = y[top:bottom, left:right]
            inner = (slice(row - top, row_end - top), slice(col - left, col_end - left))
            total = np.zeros((row_end - row, col_end - col, colours), np.float32)
            for p in range(max(counts)):
                mask = mask_rows(
                    [*seed, p],
                    (top, bottom),
                    (left, right),
                    width,
                    masking.channels(colours),
                    masking.ratio,
                )
                batch = torch.from_numpy(masking.apply(window, mask)[None])
                output = network(batch.permute(0, 3, 1, 2).to(device))[0]
                total += output.permute(1, 2, 0).float().cpu().numpy()[inner]
                report(total[..., 0].size / (height * width * max(counts)))
                for count, result in zip(counts, results, strict=True):
                    if count == p + 1:
                        result[row:row_end, col:col_end] = total / count
    return results


def residual(
    network: nn.Module,
    y: np.ndarray,
    masking: Masking,
    seed: Sequence[int],
    masks: int = 1,
    tile: int = 512,
    report: Callable[[float], None] = lambda share: None,
) -> np.ndarray:
    """Return y - D(M*y), an element of the next noise bank (paper, Eq. 4).

    Parameters
    ----------
    masks
        Predictions averaged first; the paper takes one.

    Returns
    -------
    float16 (H, W, C), in [-1, 1] but for what the network overshoots. For the other
    parameters see ``denoise``.
    """
    estimate = denoise(network, y, masking, seed, (masks,), tile, report)[0]
    return (y - estimate).astype(np.float16)

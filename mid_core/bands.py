"""Denoise an image that memory does not hold as floats: a band of rows at a time."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from torch import nn

from mid_core.inference import denoise, spans, tile_for
from mid_core.sampling import Masking


def denoise_bands(
    network: nn.Module,
    read_rows: Callable[[int, int], np.ndarray],
    height: int,
    masking: Masking,
    seed: Sequence[int],
    masks: int = 10,
    tile: int | None = None,
    report: Callable[[float], None] = lambda share: None,
) -> Iterator[np.ndarray]:
    """Yield the estimate of `inference.denoise`, number for number, from top to bottom.

    A band is what one row of its tiles decides, so that memory holds a few times
    ``tile`` rows of floats.

    Parameters
    ----------
    read_rows
        Gives the noisy rows from one number up to another, float32 (rows, W, C) in
        [0, 1]. Rows at the borders of bands are asked for twice.
    height
        Rows of the image.
    masks
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
    for top, bottom, row, end in spans(network, height, tile):
        share = (end - row) / height
        (x_hat,) = denoise(
            network,
            read_rows(top, bottom),
            masking,
            seed,
            (masks,),
            tile,
            lambda part, share=share: report(part * share),
            first_row=top,
        )
        yield x_hat[row - top : end - top]

"""Patches of an image: taken, grouped with those that look alike, and put back as means.

Images are (C, H, W) here. A patch is a column of its C * side**2 values, in this order.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import uniform_filter

Estimate = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
# Values that are worked on at once: so many fit into a processor's cache.
_AT_ONCE = 1 << 20
# Keys a side of a tile, whose candidates are compared in one product.
_TILE = 8


def planes(y: np.ndarray, side: int) -> np.ndarray:
    """Return an image as planes, mirrored at its far ends where a patch is larger.

    Parameters
    ----------
    y : ndarray, (H, W, C)
        The image.
    side : int
        Of the patches, in pixels.

    Returns
    -------
    float32 (C, max(H, side), max(W, side)).
    """
    lacking = [(0, max(0, side - length)) for length in y.shape[:2]]
    padded = np.pad(y, [*lacking, (0, 0)], mode="symmetric")
    return np.ascontiguousarray(padded.transpose(2, 0, 1), dtype=np.float32)


def pixels(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return planes as an image of the size and dtype of another: ``planes`` undone."""
    height, width = y.shape[:2]
    return x[:, :height, :width].transpose(1, 2, 0).astype(y.dtype, order="C")


def some_columns(x: np.ndarray, side: int, most: int) -> np.ndarray:
    """Return patches spread evenly over an image.

    Parameters
    ----------
    x : ndarray, (C, H, W)
        The image.
    side : int
        Of the patches, in pixels.
    most : int
        How many; of a small image, all.

    Returns
    -------
    (C * side**2, N).
    """
    windows = sliding_window_view(x, (side, side), axis=(1, 2))
    count = windows.shape[1] * windows.shape[2]
    chosen = np.linspace(0, count - 1, min(count, most)).astype(int)
    rows, places = np.divmod(chosen, windows.shape[2])
    return windows[:, rows, places].transpose(0, 2, 3, 1).reshape(-1, len(chosen))


def total_of_all(
    x: np.ndarray, side: int, estimate: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Add up estimates of all patches of an image where they lie.

    Parameters
    ----------
    x : ndarray, (C, H, W)
        The image.
    side : int
        Of the patches, in pixels.
    estimate : callable
        From patches (C * side**2, N) to as many.

    Returns
    -------
    The sum (C, H, W), and of how many patches it is (H, W).
    """
    windows = sliding_window_view(x, (side, side), axis=(1, 2)).transpose(0, 3, 4, 1, 2)
    high, wide = windows.shape[3:]
    total, count = np.zeros(x.shape), np.zeros(x.shape[1:])
    at_once = max(1, _AT_ONCE // (len(x) * side**2 * wide))
    for top in range(0, high, at_once):
        band = windows[..., top : top + at_once, :]
        patches = band.reshape(len(x) * side**2, -1)
        found = estimate(patches).reshape(band.shape)
        for i, j in np.ndindex(side, side):
            rows = slice(top + i, top + i + band.shape[3])
            total[:, rows, j : j + wide] += found[:, i, j]
    for i, j in np.ndindex(side, side):
        count[i : i + high, j : j + wide] += 1
    return total, count


def mean_within(field: np.ndarray, side: int) -> np.ndarray:
    """Return the mean of a field within each patch, at the patch's first pixel.

    Parameters
    ----------
    field : ndarray, (C, H, W)
        Where no patch begins the result means nothing.
    side : int
        Of the patches, in pixels.

    Returns
    -------
    (C, H, W).
    """
    origin = [0, -(side // 2), -(side // 2)]
    return uniform_filter(field, (0, side, side), origin=origin)


def mean_of_groups(
    x: np.ndarray, side: int, groups: Iterable[np.ndarray], estimate: Estimate
) -> np.ndarray:
    """Return the weighted mean of the estimates of all groups, where they overlap.

    Parameters
    ----------
    x : ndarray, (C, H, W)
        The image; it stays where no patch lies.
    side : int
        Of the patches, in pixels.
    groups : iterable of ndarray
        As ``grouped`` gives them.
    estimate : callable
        From patches (K, C * side**2, M) of K groups and their places (K, M) to the
        estimates of the first m of each (K, C * side**2, m) and their weights (K, m).

    Returns
    -------
    float32 (C, H, W).
    """
    of_plane = (np.arange(side)[:, None] * x.shape[2] + np.arange(side)).ravel()
    starts = np.arange(len(x))[:, None] * x[0].size
    within = (starts + of_plane).ravel()[:, None]
    total, weight = np.zeros(x.size), np.zeros(x[0].size)
    for places in groups:
        at_once = max(1, _AT_ONCE // (len(within) * places.shape[1]))
        for k in range(0, len(places), at_once):
            own = places[k : k + at_once].astype(np.intp)
            at = own[:, None] + within
            found, weights = estimate(x.ravel()[at], own)
            at = at[..., : weights.shape[1]]
            # Of one dtype, which NumPy adds thirty times as fast.
            weighted = np.multiply(found, weights[:, None], dtype=np.float64)
            np.add.at(total, at.ravel(), weighted.ravel())
            at = at[:, : len(of_plane)]
            spread = np.broadcast_to(weights[:, None].astype(np.float64), at.shape)
            np.add.at(weight, at.ravel(), spread.ravel())
    total, weight = total.reshape(x.shape), weight.reshape(x.shape[1:])
    mean = np.where(weight > 0, total / np.maximum(weight, 1e-30), x)
    return mean.astype(np.float32)


def grouped(
    x: np.ndarray, side: int, step: int, count: int, reach: int
) -> Iterator[np.ndarray]:
    """Group patches with those around that look most alike, in all colours together.

    Windows that an image's border would cut reach as much further inwards.

    Parameters
    ----------
    x : ndarray, (C, H, W)
        The image.
    side : int
        Of the patches, in pixels.
    step : int
        From the first patch of a group to that of the next, in pixels.
    count : int
        Patches a group, as far as there are so many.
    reach : int
        How far around a patch others are looked for, in pixels.

    Yields
    ------
    Some groups of M patches at a time, int32 (K, M): the first pixel of each patch,
    numbered row by row. The first of a group is the one that the others are like, the
    most alike next to it.
    """
    lengths = [length - side + 1 for length in x.shape[1:]]
    keys = [_spaced(length, step) for length in lengths]
    for rows, columns in product(*map(_tiles, keys)):
        yield _most_alike(x, side, (rows, columns), count, reach).astype(np.int32)


def principal(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the singular value decomposition of groups, the smallest values first.

    By the eigenvectors of the smaller product with itself, in a third of the time.

    Parameters
    ----------
    centred : ndarray, (..., D, M)
        Groups of M patches, each less the group's mean.

    Returns
    -------
    basis : ndarray, (..., D, R)
        Orthonormal; R is the smaller of D and M. Zero where a singular value is.
    values : ndarray, (..., R)
        The singular values.
    weights : ndarray, (..., R, M)
        What the basis is multiplied by to give the groups.
    """
    across = centred.swapaxes(-1, -2)
    if centred.shape[-2] <= centred.shape[-1]:
        power, basis = np.linalg.eigh(centred @ across)
        values = np.sqrt(np.maximum(power, 0))
        return basis, values, basis.swapaxes(-1, -2) @ centred
    power, mixed = np.linalg.eigh(across @ centred)
    values = np.sqrt(np.maximum(power, 0))
    # What is lost to rounding has no direction.
    kept = values > 1e-3 * values[..., -1:]
    inverse = np.where(kept, 1 / np.where(kept, values, 1), 0)
    basis = (centred @ mixed) * inverse[..., None, :]
    return basis, values, values[..., None] * mixed.swapaxes(-1, -2)


def _spaced(length: int, step: int) -> np.ndarray:
    return np.append(np.arange(0, length - 1, step), length - 1)


def _tiles(keys: np.ndarray) -> list[np.ndarray]:
    return [keys[k : k + _TILE] for k in range(0, len(keys), _TILE)]


def _most_alike(
    x: np.ndarray,
    side: int,
    keys: tuple[np.ndarray, np.ndarray],
    count: int,
    reach: int,
) -> np.ndarray:
    """Find the patches most alike those of a tile, (K, M) as ``grouped`` does."""
    lengths = [length - side + 1 for length in x.shape[1:]]
    # Of each key the candidates, all as many; and of the tile all together.
    near = [
        np.clip(own - reach, 0, max(0, length - 2 * reach - 1))[:, None]
        + np.arange(min(length, 2 * reach + 1))
        for own, length in zip(keys, lengths, strict=True)
    ]
    spans = [slice(own.min(), own.max() + 1) for own in near]
    windows = sliding_window_view(x, (side, side), axis=(1, 2))[:, spans[0], spans[1]]
    wide = windows.shape[2]
    patches = windows.transpose(1, 2, 0, 3, 4).reshape(-1, len(x) * side**2)
    # Products of large values would drown small differences.
    patches = patches - patches.mean(axis=0)
    rows, places = (own - span.start for own, span in zip(near, spans, strict=True))
    key_rows, key_places = (k - s.start for k, s in zip(keys, spans, strict=True))
    own = (key_rows[:, None] * wide + key_places).ravel()
    # |a - b|^2 without |a|^2, which is the same for all b.
    unlike = np.square(patches).sum(axis=1) - 2 * (patches[own] @ patches.T)
    unlike[np.arange(len(own)), own] = -np.inf
    around = (rows[:, None, :, None] * wide + places[:, None, :]).reshape(len(own), -1)
    unlike = np.take_along_axis(unlike, around, axis=1)
    count = min(count, around.shape[1])
    best = np.argpartition(unlike, count - 1, axis=1)[:, :count]
    order = np.argsort(np.take_along_axis(unlike, best, axis=1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    found = np.take_along_axis(around, best, axis=1)
    row, place = np.divmod(found, wide)
    return (row + spans[0].start) * x.shape[2] + place + spans[1].start

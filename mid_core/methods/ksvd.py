"""K-SVD denoising (Elad and Aharon, IEEE TIP 2006): a dictionary of the noisy image.

In turn, patches are written as sums of few atoms, as many as their error needs to fall
to that of noise (``pursuit``), and each atom is changed to fit what it is used for best.
Then all patches that overlap are coded, and their mean with the noisy image is the
answer. It is made for white noise.

Values are those of the authors' released toolbox, but for its fewer iterations where the
level is 5 grey levels or less. What differs: an atom is fitted by
three alternations instead of a singular value decomposition (Rubinstein et al. 2008 do
one), and an atom that nobody uses stays. The paper is on grey images. Here a patch has
all its colours, as in Mairal et al. (2008, "Sparse representation for color image
restoration"), but without their metric; the dictionary begins with fewer atoms for
differences of colours than for their sum, and an error is as unlikely for noise alone
as the paper's is for grey patches.
"""

import numpy as np
from scipy.fft import dct
from scipy.sparse import csr_array
from scipy.stats import chi2

from mid_core.methods.levels import one_number
from mid_core.methods.patch_groups import (
    pixels,
    planes,
    some_columns,
    total_of_all,
)
from mid_core.methods.pursuit import pursued

LABEL = "K-SVD"
FAMILY = "non-learning"
OPTIONS = """
level: seen
patch: 8
patches: 65000
iterations: 10
gain: 1.15
"""
QUICK = """
patches: 10000
iterations: 3
"""
# The noisy image's share of the answer: so many grey levels of 255 over the level.
BLENDING = 30
ALTERNATIONS = 3


def denoise(
    y: np.ndarray,
    level: str | float | np.ndarray = "seen",
    patch: int = 8,
    patches: int = 65_000,
    iterations: int = 10,
    gain: float = 1.15,
) -> np.ndarray:
    """Denoise by K-SVD, by a dictionary of the image itself.

    ``QUICK`` is several times as fast: a minute of one core a megapixel of colours.

    Parameters
    ----------
    y : ndarray, (H, W, 1) or (H, W, 3), float32 in [0, 1]
        The noisy image.
    level : str or float
        Standard deviation of the noise in units of the range [0, 1], or a name in
        ``levels.LEVELS`` that needs nothing but the image.
    patch : int
        Side of the patches, in pixels.
    patches : int
        How many the dictionary is learned from, at most; spread evenly.
    iterations : int
        How many times all atoms are fitted.
    gain : float
        Root mean square error of a grey patch's code, as a multiple of the level.

    Returns
    -------
    The estimate, of the same shape and dtype; it may leave [0, 1].

    Raises
    ------
    MidError
        If the shape is another, or the level is none that this method takes.
    """
    sigma = one_number(LABEL, level, y)
    if sigma == 0:
        return y.copy()
    x = planes(y, patch)
    channels = len(x)
    goal = error_goal(channels, patch, gain) * sigma**2
    # As in the authors' program; it rarely takes so many.
    most = channels * patch**2 // 2
    known, _ = _centred(some_columns(x, patch, patches), channels)
    atoms = first_atoms(channels, patch)
    for _ in range(iterations):
        atoms = fitted(known, pursued(known, atoms, goal, most), atoms)

    def estimate(own: np.ndarray) -> np.ndarray:
        signals, mean = _centred(own, channels)
        return (pursued(signals, atoms, goal, most) @ atoms).T + mean

    total, weight = total_of_all(x, patch, estimate)
    share = BLENDING / (255 * sigma)
    return pixels((share * x + total) / (share + weight), y)


def error_goal(channels: int, side: int, gain: float) -> float:
    """Return the squared error that a patch's code may have, for noise of variance 1.

    That of a grey patch is (gain * side)**2, and one of several colours is as unlikely
    to be exceeded by noise alone.
    """
    size = side**2
    if channels == 1:
        return gain**2 * size
    return float(chi2.isf(chi2.sf(gain**2 * size, size), channels * size))


def first_atoms(channels: int, side: int) -> np.ndarray:
    """Return the dictionary to begin with, overcomplete cosines.

    Twice as many a side as there are pixels, so 256 for patches of 8 x 8; of further
    colours' differences as many as there are pixels.

    Parameters
    ----------
    channels, side : int
        Colours of a patch, and its side in pixels.

    Returns
    -------
    float32 (K, channels * side**2), of norm 1; all but the first of a colour's, which
    are constant, have the mean 0.
    """
    colours = dct(np.eye(channels), axis=0, norm="ortho")
    each = []
    for c, colour in enumerate(colours):
        waves = _cosines(side, side if c else 2 * side)
        each.append(np.kron(colour, np.kron(waves, waves)))
    return np.concatenate(each).astype(np.float32)


def fitted(known: np.ndarray, code: csr_array, atoms: np.ndarray) -> np.ndarray:
    """Fit each atom in turn, and its amounts, to the patches that use it.

    Parameters
    ----------
    known : ndarray, (N, D)
        Patches.
    code : csr_array, (N, K)
        Theirs.
    atoms : ndarray, (K, D)
        The dictionary so far.

    Returns
    -------
    (K, D), of norm 1. No patch's error is ignored: their sum never rises.
    """
    atoms, by_atom = atoms.copy(), code.tocsc()
    left = known - code @ atoms
    for k in range(len(atoms)):
        of_atom = slice(by_atom.indptr[k], by_atom.indptr[k + 1])
        users, amounts = by_atom.indices[of_atom], by_atom.data[of_atom]
        if not amounts.any():
            continue
        without = left[users] + np.outer(amounts, atoms[k])
        for _ in range(ALTERNATIONS):
            atom = amounts @ without
            atoms[k] = atom / max(np.linalg.norm(atom), 1e-16)
            amounts = without @ atoms[k]
        left[users] = without - np.outer(amounts, atoms[k])
    return atoms


def _centred(patches: np.ndarray, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Take off each colour's mean: patches (N, D), and the means (D, N) taken off."""
    own = patches.reshape(channels, -1, patches.shape[1])
    mean = own.mean(axis=1, keepdims=True)
    signals = np.ascontiguousarray((own - mean).reshape(patches.shape).T)
    return signals, np.broadcast_to(mean, own.shape).reshape(patches.shape)


def _cosines(side: int, count: int) -> np.ndarray:
    """Cosines (count, side) of norm 1, and but for the first one of mean 0."""
    waves = np.cos(np.pi * np.outer(np.arange(count), np.arange(side)) / count)
    waves[1:] -= waves[1:].mean(axis=1, keepdims=True)
    return waves / np.linalg.norm(waves, axis=1, keepdims=True)

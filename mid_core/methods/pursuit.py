"""Orthogonal matching pursuit of many signals at once, until each error is small enough.

scikit-learn has it one signal at a time, in Python. Here one atom is added to every
signal that needs another (Rubinstein, Zibulevsky and Elad 2008, "Efficient
implementation of the K-SVD algorithm using batch orthogonal matching pursuit"); atoms
that are chosen are made orthogonal in what they have in common with all atoms, so that
no signal is looked at again.
"""

import numpy as np
from scipy.sparse import csr_array, vstack

# Signals that are worked on at once.
_AT_ONCE = 2048


def pursued(
    signals: np.ndarray, atoms: np.ndarray, goal: float, most: int
) -> csr_array:
    """Return the sparse code of signals by orthogonal matching pursuit.

    Parameters
    ----------
    signals : ndarray, (N, D)
        What is coded.
    atoms : ndarray, (K, D)
        Of norm 1.
    goal : float
        Largest squared error of a signal.
    most : int
        Atoms a signal at most, even if its error is larger then.

    Returns
    -------
    (N, K): multiplied by ``atoms`` it gives the signals.
    """
    gram = atoms @ atoms.T
    codes = [
        _pursued(signals[k : k + _AT_ONCE], atoms, gram, goal, most)
        for k in range(0, len(signals), _AT_ONCE)
    ]
    return vstack(codes, format="csr")


def _pursued(
    signals: np.ndarray, atoms: np.ndarray, gram: np.ndarray, goal: float, most: int
) -> csr_array:
    common, error = signals @ atoms.T, np.square(signals).sum(axis=1)
    # Of what needs another atom: which signals, what they have in common with all atoms
    # and what is left of them; then the same of each chosen atom, made orthogonal.
    left = _rows([np.arange(len(signals)), common, error], error > goal)
    chosen = np.zeros((len(signals), most), int)
    amounts = np.zeros((len(signals), most), signals.dtype)
    # Of each chosen atom the part along each orthogonal one; none has an amount of 0.
    mixed = np.zeros((len(signals), most, most), signals.dtype)
    mixed[:] = np.eye(most, dtype=signals.dtype)
    for n in range(most):
        best = np.abs(left[1]).argmax(axis=1)
        parts = [_at(one, best) for one in left[3:]]
        alone = np.ones(len(best), signals.dtype)
        for part in parts:
            alone -= part**2
        length = np.sqrt(np.maximum(alone, 0))
        # An atom that adds nothing to those chosen ends it.
        is_new = (length > 1e-3) & (np.abs(_at(left[1], best)) > 1e-7)
        left = _rows(left, is_new)
        best, length, *parts = _rows([best, length, *parts], is_new)
        if len(best) == 0:
            break
        active, common, error, *made = left
        own = gram[best]
        for part, one in zip(parts, made, strict=True):
            own -= part[:, None] * one
        own /= length[:, None]
        amount = _at(common, best) / length
        common -= amount[:, None] * own
        error -= amount**2
        chosen[active, n], amounts[active, n] = best, amount
        mixed[active, n, n] = length
        for i, part in enumerate(parts):
            mixed[active, i, n] = part
        left = _rows([*left, own], error > goal)
    return _as_code(chosen, amounts, mixed, len(atoms))


def _rows(arrays: list[np.ndarray], which: np.ndarray) -> list[np.ndarray]:
    return [one[which] for one in arrays]


def _at(values: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Of each row the value in its column."""
    return values[np.arange(len(columns)), columns]


def _as_code(
    chosen: np.ndarray, amounts: np.ndarray, mixed: np.ndarray, count: int
) -> csr_array:
    """Turn amounts of orthogonal atoms into those of the chosen ones."""
    used = amounts != 0
    for n in reversed(range(amounts.shape[1])):
        later = np.einsum("ij,ij->i", mixed[:, n, n + 1 :], amounts[:, n + 1 :])
        amounts[:, n] = (amounts[:, n] - later) / mixed[:, n, n]
    ends = np.concatenate([[0], used.sum(axis=1).cumsum()])
    shape = (len(chosen), count)
    return csr_array((amounts[used], chosen[used], ends), shape=shape)

"""K-SVD: its first dictionary, its errors, and how atoms are fitted."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from skimage.data import brick

from mid_core.evaluation.metrics import psnr
from mid_core.methods import ksvd
from mid_core.methods.pursuit import pursued


@pytest.mark.parametrize(("channels", "count"), [(1, 256), (3, 256 + 2 * 64)])
def test_the_first_dictionary_is_of_cosines(channels, count):
    atoms = ksvd.first_atoms(channels, 8)
    assert atoms.shape == (count, channels * 64)
    np.testing.assert_allclose(np.linalg.norm(atoms, axis=1), 1, atol=1e-5)
    sums = atoms.reshape(count, channels, 64).sum(axis=2)
    assert (np.abs(sums) > 1e-4).any(axis=1).sum() == channels
    assert np.linalg.matrix_rank(atoms) == channels * 64
    # The second one of a row is half a wave in 16 pixels, less its mean.
    wave = np.cos(np.pi * np.arange(8) / 16)
    wave -= wave.mean()
    expected = np.tile(np.kron(np.ones(8), wave), channels)
    found = atoms[1] / np.abs(atoms[1]).max()
    np.testing.assert_allclose(found, expected / np.abs(expected).max(), atol=1e-5)


def test_an_error_is_as_unlikely_in_any_number_of_colours(rng):
    assert ksvd.error_goal(1, 8, 1.15) == pytest.approx(1.15**2 * 64)
    norms = [np.square(rng.normal(0, 1, (40_000, c * 64))).sum(axis=1) for c in (1, 3)]
    above = [
        (own > ksvd.error_goal(c, 8, 1.15)).mean()
        for own, c in zip(norms, (1, 3), strict=True)
    ]
    assert above[0] == pytest.approx(above[1], abs=0.006)
    assert 0.02 < above[0] < 0.06


def test_fitting_never_raises_the_error(rng):
    known = rng.normal(0, 1, (300, 16)).astype(np.float32)
    atoms = ksvd.first_atoms(1, 4)
    code = pursued(known, atoms, 6.0, 8)
    before = np.square(known - code @ atoms).sum()
    fitted = ksvd.fitted(known, code, atoms)
    used = np.flatnonzero(np.bincount(code.indices, minlength=len(atoms)))
    np.testing.assert_allclose(np.linalg.norm(fitted, axis=1), 1, atol=1e-5)
    unused = np.setdiff1d(np.arange(len(atoms)), used)
    np.testing.assert_array_equal(fitted[unused], atoms[unused])
    # The best amounts of the same atoms; K-SVD's own lie between.
    pattern, error = code.toarray() != 0, 0.0
    for own, signal in zip(pattern, known, strict=True):
        amounts = np.linalg.lstsq(fitted[own].T, signal, rcond=None)[0]
        error += np.square(signal - amounts @ fitted[own]).sum()
    assert error < 0.9 * before


def test_an_atom_alone_becomes_the_principal_component(rng):
    known = np.outer(rng.normal(0, 1, 50), rng.normal(0, 1, 9)) + rng.normal(
        0, 0.1, (50, 9)
    )
    atoms = np.linalg.svd(known)[2][:1] + 0.3 * rng.normal(0, 1, (1, 9))
    atoms /= np.linalg.norm(atoms)
    fitted = ksvd.fitted(known, csr_array(known @ atoms.T), atoms)
    expected = np.linalg.svd(known)[2][0]
    assert abs(fitted[0] @ expected) > 1 - 1e-6


def test_learning_gains_on_a_texture(rng):
    x = (brick()[:96, :101, None] / 255).astype(np.float32)
    y = x + rng.normal(0, 0.1, x.shape).astype(np.float32)
    found = [psnr(ksvd.denoise(y, 0.1, patches=4000, iterations=n), x) for n in (0, 3)]
    assert found[1] > found[0] + 0.2

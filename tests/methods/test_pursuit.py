"""Orthogonal matching pursuit of many signals, against that of one."""

import numpy as np
import pytest

from mid_core.methods.pursuit import pursued


@pytest.fixture
def atoms(rng):
    atoms = rng.normal(0, 1, (40, 16))
    return atoms / np.linalg.norm(atoms, axis=1, keepdims=True)


def one_by_one(signal, atoms, goal, most):
    """By least squares after each atom."""
    chosen, amounts, left = [], np.zeros(0), signal
    while left @ left > goal and len(chosen) < most:
        chosen.append(int(np.abs(atoms @ left).argmax()))
        amounts = np.linalg.lstsq(atoms[chosen].T, signal, rcond=None)[0]
        left = signal - amounts @ atoms[chosen]
    code = np.zeros(len(atoms))
    code[chosen] = amounts
    return code


@pytest.mark.parametrize("most", [3, 8])
@pytest.mark.parametrize("at_once", [7, 2048])
def test_each_signal_is_coded_as_alone(rng, atoms, most, at_once, monkeypatch):
    monkeypatch.setattr("mid_core.methods.pursuit._AT_ONCE", at_once)
    signals = rng.normal(0, 1, (50, 16)) * rng.uniform(0.1, 2, (50, 1))
    found = pursued(signals, atoms, 0.8, most).toarray()
    expected = [one_by_one(signal, atoms, 0.8, most) for signal in signals]
    np.testing.assert_allclose(found, expected, atol=1e-8)
    assert set((found != 0).sum(axis=1)) >= {0, 1, 3}


def test_errors_are_within_the_goal(rng, atoms):
    signals = rng.normal(0, 1, (200, 16)).astype(np.float32)
    code = pursued(signals, atoms.astype(np.float32), 0.5, 16)
    errors = np.square(signals - code @ atoms).sum(axis=1)
    assert errors.max() <= 0.5 * (1 + 1e-4)


def test_an_atom_is_its_own_code(atoms):
    found = pursued(3 * atoms, atoms, 1e-6, 5).toarray()
    np.testing.assert_allclose(found, 3 * np.eye(40), atol=1e-9)


def test_what_no_atom_can_add_to_ends(rng):
    # All atoms lie in a plane, twice each.
    atoms = np.repeat(np.eye(5)[:2], 2, axis=0)
    signals = rng.normal(0, 1, (9, 5))
    code = pursued(signals, atoms, 1e-9, 4)
    expected = signals * [1, 1, 0, 0, 0]
    np.testing.assert_allclose(code @ atoms, expected, atol=1e-9)

"""WNNM: how it shrinks singular values, and that it is done again and again."""

import numpy as np
import pytest
from skimage.data import astronaut

from mid_core.evaluation.metrics import psnr
from mid_core.methods import nlm, wnnm
from mid_core.methods.levels import level_of


def test_reweighting_approaches_the_closed_form(monkeypatch):
    values = np.linspace(0.1, 60, 300)[None]
    sigma, count = np.array([[0.9]]), 50
    # Gu et al., IJCV 2017: the larger root of t^2 - s t + C, where it has one.
    weight = 2 * np.sqrt(2) * np.sqrt(count) * 0.9**2
    roots = np.sqrt(np.maximum(values**2 - 4 * weight, 0))
    expected = np.where(values**2 > 4 * weight, (values + roots) / 2, 0)
    found = wnnm.shrunk(values, sigma, count)
    assert (found <= values).all()
    assert (found >= 0).all()
    np.testing.assert_allclose(found[values > 20], expected[values > 20], rtol=2e-3)
    monkeypatch.setattr(wnnm, "REWEIGHTINGS", 500)
    found = wnnm.shrunk(values, sigma, count)
    clear = np.abs(values - np.sqrt(4 * weight)) > 0.5
    np.testing.assert_allclose(found[clear], expected[clear], rtol=1e-3)


def test_without_noise_nothing_is_shrunk():
    values = np.array([[0.0, 1e-3, 2.0]])
    np.testing.assert_allclose(wnnm.shrunk(values, np.zeros((1, 1)), 9), values)


def test_equal_patches_are_kept(rng):
    # A pattern of 4 x 4 pixels over and over.
    pattern = rng.random((4, 4, 3)).astype(np.float32)
    y = np.tile(pattern, (7, 9, 1))[:25, :33]
    # 21 and 29 patches a side: of each kind at least 35.
    found = wnnm.denoise(y, 0.1, patch=5, group=40, iterations=2)
    np.testing.assert_allclose(found, y, atol=1e-5)


def test_it_gains_each_time_and_on_nlm(rng):
    x = (astronaut()[64:128, 128:189, :1] / 255).astype(np.float32)
    y = x + rng.normal(0, 25 / 255, x.shape).astype(np.float32)
    found = [
        psnr(wnnm.denoise(y, 25 / 255, step=4, reach=12, iterations=n), x)
        for n in (1, 3, 6)
    ]
    assert found[0] + 1 < found[1]
    assert found[1] + 0.1 < found[2]
    assert found[2] > psnr(nlm.denoise(y, 25 / 255), x) + 0.5


def test_settings_go_by_the_level(rng, monkeypatch):
    asked = []

    def grouped(x, side, step, count, reach):
        asked.append((side, step, count, reach))
        return iter([np.zeros((1, 1), np.int32)])

    monkeypatch.setattr(wnnm, "grouped", grouped)
    y = rng.random((12, 13, 1)).astype(np.float32)
    for level in (15, 25, 50, 75):
        wnnm.denoise(y, level / 255)
    first = [asked[0], asked[4], asked[10], asked[17]]
    assert first == [(6, 2, 60, 30), (7, 2, 80, 30), (8, 3, 110, 30), (9, 3, 130, 30)]
    assert [one[2] for one in asked[:4]] == [60, 50, 40, 30]
    assert len(asked) == 4 + 6 + 7 + 7
    asked.clear()
    wnnm.denoise(y, 25 / 255, patch=5, group=45, step=4, reach=9, iterations=3)
    assert asked == [(5, 4, 35, 9), (5, 4, 25, 9)]


@pytest.mark.parametrize("level", ["seen", "white"])
def test_a_level_by_name_is_the_same_as_its_number(rng, level):
    y = rng.normal(0.5, 0.1, (35, 41, 1)).astype(np.float32)
    few = {"step": 6, "reach": 8, "iterations": 1}
    by_name = wnnm.denoise(y, level, **few)
    np.testing.assert_array_equal(by_name, wnnm.denoise(y, level_of(level, y), **few))

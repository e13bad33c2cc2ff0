import numpy as np
import pytest

from mid_core.errors import MidError
from mid_core.evaluation import divergence
from mid_core.evaluation import gap as module
from mid_core.evaluation.gap import gap, masked


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "PATCHES", 10_000)
    monkeypatch.setattr(divergence, "STEPS", 200)


def images(rng, spread, count=3, shape=(71, 133, 1)):
    return [0.5 + spread * rng.standard_normal(shape) for _ in range(count)]


def test_gap_of_gaussians_falls_with_the_ratio_to_nothing(rng):
    found = gap(images(rng, 0.06), images(rng, 0.04), rng)
    ratios, nats = (np.array(found[key]) for key in ("mask_ratio", "gap_nats"))
    np.testing.assert_allclose(ratios, np.linspace(0, 1, 21))
    assert (np.diff(nats) < 0).all()
    assert nats[-1] == pytest.approx(0, abs=1e-6)
    # By hand: (2.25 - 1 - ln 2.25) / 2 for each of nine pixels, of which (1 - ratio) show.
    exact = 9 * 0.2195 * (1 - ratios)
    assert (nats < exact + 0.05).all()
    assert (nats[:17] > 0.35 * exact[:17]).all()


def test_direction_is_synthetic_to_real(rng):
    wide, narrow = images(rng, 0.06), images(rng, 0.04)
    # By hand, of nine pixels: (1 / 2.25 - 1 + ln 2.25) / 2 each are 1.15; the other way
    # they are 1.98.
    assert 0.5 < gap(narrow, wide, rng)["gap_nats"][0] < 1.15
    assert gap(wide, narrow, rng)["gap_nats"][0] > 1.15


def test_equal_inputs_show_the_floor(rng):
    real = images(rng, 0.05)
    assert max(np.abs(gap(real, real, rng)["gap_nats"])) < 0.05


def test_correlation_shows_only_where_two_pixels_are_seen(rng):
    white = images(rng, 0.05)
    alike = [0.5 + (n[1:] + n[:-1] - 1) / np.sqrt(2) for n in white]
    nats = gap(images(rng, 0.05), alike, rng)["gap_nats"]
    assert nats[0] > 0.5
    # With one pixel of twenty left, two neighbours are seen in one patch of fifty.
    assert abs(nats[19]) < 0.03


def test_masked_patches_tell_all_that_is_visible(rng):
    patches = rng.uniform(0, 255, (50, 9, 3))
    found = masked(patches, 0.6, rng)
    differences, mean, mask = np.split(found, [27, 30], axis=1)
    shown = mask[:, :, None] * mean[:, None] * 50
    shown += 10 * np.sinh(differences.reshape(-1, 9, 3))
    np.testing.assert_allclose(shown, mask[:, :, None] * patches, atol=1e-9)
    assert set(np.unique(mask)) == {0, 1}
    assert mask.mean() == pytest.approx(0.4, abs=0.1)


def test_nothing_is_left_of_a_hidden_patch(rng):
    ratios = np.array([0.0, 1.0])[:, None, None]
    whole, hidden = masked(np.full((2, 9, 1), 77.0), ratios, rng)
    assert whole[9:].tolist() == [77 / 50, *[1] * 9]
    assert not hidden.any()


def test_what_no_camera_gives_is_clipped(rng):
    dark = [n - 0.5 for n in images(rng, 0.05)]
    clipped = [np.clip(n, 0, 1) for n in dark]
    first, second = (
        gap(bank, clipped, np.random.default_rng(3)) for bank in (dark, clipped)
    )
    assert first == second


def test_images_differ_in_size_and_have_colours(rng, monkeypatch):
    monkeypatch.setattr(divergence, "STEPS", 10)
    real = [images(rng, 0.05, 1, shape)[0] for shape in ((9, 8, 3), (65, 331, 3))]
    assert len(gap(real, real, rng)["gap_nats"]) == 21
    with pytest.raises(MidError, match="too small"):
        gap([np.zeros((7, 9, 1))], real, rng)

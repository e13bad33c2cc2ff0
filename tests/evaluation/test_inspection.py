import numpy as np
import pytest

from mid_core.errors import MidError
from mid_core.evaluation.inspection import (
    describe,
    middle_crops,
    mosaic,
    noise_patches,
    statistics_in_words,
)
from mid_core.evaluation.noise_statistics import Statistics
from mid_core.store import Store, StoreWriter


@pytest.fixture
def store(tmp_path, rng):
    found = Statistics()
    with StoreWriter(tmp_path / "noise.zarr", "noise", tile=32) as writer:
        for i, shape in enumerate([(35, 51), (29, 27), (64, 40)]):
            noise = rng.normal(0, 20 / 255, (*shape, 3)).astype(np.float16)
            writer.append(f"n{i}", noise)
            found.add(noise, np.full(noise.shape, 0.5, np.float32))
        made_by = {"stage": "extract_noise", "version": 2}
        writer.attributes = {"made_by": made_by, "statistics": found.summary()}
    return Store(tmp_path / "noise.zarr")


def test_crops_are_of_the_middle_of_images_spread_over_the_store(store):
    first, last = middle_crops(store, 2, 30)
    np.testing.assert_array_equal(first, store.read(0)[2:32, 10:40])
    np.testing.assert_array_equal(last, store.read(2)[17:47, 5:35])
    assert [len(crop) for crop in middle_crops(store, 3, 99)] == [35, 27, 40]


def test_a_mosaic_is_drawn_around_mid_grey(store):
    patches = noise_patches(store)
    assert len(patches) == 8
    picture = mosaic(patches)
    assert picture.shape == (2 * 27, 4 * 27, 3)
    expected = 0.5 + 2 * patches[5].astype(np.float32)
    np.testing.assert_allclose(picture[27:, 27:54], expected.clip(0, 1))


def test_statistics_are_told_in_grey_levels(store):
    words = statistics_in_words(store.attributes["statistics"])
    assert [round(float(n)) for n in words["std"].split(", ")] == [20, 20, 20]
    assert float(words["kurtosis"]) == pytest.approx(3, abs=0.2)
    assert len(words["colour correlation"].split(", ")) == 3
    assert "-0.00" not in words["mean"].split(", ")


def test_a_store_is_described(store):
    text = describe(store)
    for part in (
        "noise (float16): 3 of 27x29 to 51x64 pixels",
        "made_by: {stage: extract_noise, version: 2}",
        "share that is exactly 0",
        "std at brightness 120  ",
        store.content,
    ):
        assert part in text
    assert "counts" not in text


def test_images_are_not_noise(tmp_path, rng):
    with StoreWriter(tmp_path / "a.zarr", "image", tile=32) as writer:
        writer.append("a", rng.integers(0, 255, (20, 21, 3)).astype(np.uint8))
    with pytest.raises(MidError, match="holds images, not noise"):
        noise_patches(Store(tmp_path / "a.zarr"))

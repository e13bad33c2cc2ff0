from threading import get_ident

import numpy as np
import pytest

from mid_core.batches import Batches
from mid_core.errors import MidError
from mid_core.masking import Masking
from mid_core.patches import InMemory, hold
from mid_core.store import Store, StoreWriter
from tests.conftest import Pool


def batches(clean, noise, **changes):
    settings = {
        "batch_size": 5,
        "patch_size": 9,
        "masking": Masking(0.0),
        "clip": False,
        "seed": [0, 0],
    }
    return Batches(Pool(*clean), Pool(*noise), **settings | changes)


def test_a_batch_depends_on_seed_and_step_alone(rng):
    clean = [rng.integers(0, 256, (31, 47, 3), dtype=np.uint8)]
    noise = [rng.normal(0, 0.1, (23, 19, 3)).astype(np.float16)]
    one, same = batches(clean, noise), batches(clean, noise)
    one.draw(0)
    for a, b in zip(one.draw(3), same.draw(3), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert (one.draw(3)[0] != one.draw(4)[0]).any()
    assert (one.draw(3)[0] != batches(clean, noise, seed=[0, 1]).draw(3)[0]).any()


@pytest.mark.parametrize("on_disk", [False, True])
def test_batches_come_in_order_however_they_are_made(rng, monkeypatch, on_disk):
    monkeypatch.setattr(Pool, "on_disk", on_disk)
    clean = [rng.integers(0, 256, (31, 47, 3), dtype=np.uint8)]
    noise = [rng.normal(0, 0.1, (23, 19, 3)).astype(np.float16)]
    one, threads = batches(clean, noise), set()
    monkeypatch.setattr(
        Pool,
        "crop",
        lambda *where, crop=Pool.crop: threads.add(get_ident()) or crop(*where),
    )
    streamed = list(one.stream(2, 7))
    # A CPU has no core to spare for what lies in memory.
    assert (get_ident() in threads) == (not on_disk)
    assert len(streamed) == 5
    for step, (y, x) in enumerate(streamed, 2):
        for a, b in zip((y, x), one.draw(step), strict=True):
            np.testing.assert_array_equal(a, b)


def test_shares_put_together_are_the_batch(rng):
    clean = [rng.integers(0, 256, (31, 47, 3), dtype=np.uint8)]
    noise = [rng.normal(0, 0.1, (23, 19, 3)).astype(np.float16)]
    sampler = batches(clean, noise, masking=Masking([0.2, 0.8], per="colour"))
    shares = [sampler.draw(4, slice(*ends)) for ends in [(0, 2), (2, 3), (3, 5)]]
    for whole, parts in zip(sampler.draw(4), zip(*shares, strict=True), strict=True):
        together = np.concatenate([part.numpy() for part in parts])
        np.testing.assert_array_equal(together, whole.numpy())
    streamed = list(sampler.stream(3, 6, slice(1, 3)))
    np.testing.assert_array_equal(streamed[1][0], sampler.draw(4)[0][1:3])


def test_input_is_mask_times_clean_plus_noise():
    # Constant pools: the sum is known everywhere.
    clean = [np.full((12, 15, 3), 51, np.uint8)]
    noise = [np.full((10, 11, 3), 0.25, np.float16)]
    y, x = batches(clean, noise, masking=Masking(0.5)).draw(0)
    assert y.shape == x.shape == (5, 3, 9, 9)
    np.testing.assert_allclose(x.numpy(), 0.2, rtol=1e-6)
    kept = y.numpy() != 0
    np.testing.assert_allclose(y.numpy()[kept], 0.45, rtol=1e-6)
    assert (kept == kept[:, :1]).all(), "colours share the mask"
    assert 0.3 < kept.mean() < 0.7


@pytest.mark.parametrize(("clip", "top"), [(True, 1.0), (False, 1.25)])
def test_the_sum_is_clipped_if_asked(clip, top):
    clean = [np.full((12, 15, 3), 255, np.uint8)]
    noise = [np.full((10, 11, 3), 0.25, np.float16)]
    assert batches(clean, noise, clip=clip).draw(0)[0].max() == pytest.approx(top)


def test_crops_come_from_everywhere_in_all_orientations():
    # Each pixel of the clean image has its own value; 16 bits keep them apart.
    clean = np.arange(11 * 13, dtype=np.uint16).reshape(11, 13, 1)
    noise = np.zeros((9, 9, 1), np.float16)
    sampler = batches([clean], [noise], batch_size=400, patch_size=9)
    x = np.rint(sampler.draw(0)[1].numpy() * 65535).astype(int)[:, 0]
    corners = {int(v) for v in x[:, 0, 0]}
    # 3 x 5 positions, and the window's four corners may come first.
    expected = {
        13 * (top + i) + left + j
        for top in range(3)
        for left in range(5)
        for i in (0, 8)
        for j in (0, 8)
    }
    assert corners == expected
    steps = {int(window[0, 1] - window[0, 0]) for window in x}
    assert steps == {1, -1, 13, -13}


def test_a_ratio_range_gives_each_image_its_own(rng):
    clean = [np.full((40, 40, 3), 255, np.uint8)]
    noise = [np.zeros((40, 40, 3), np.float16)]
    sampler = batches(
        clean, noise, patch_size=40, batch_size=40, masking=Masking([0.2, 0.8])
    )
    hidden = (sampler.draw(0)[0].numpy()[:, 0] == 0).mean(axis=(1, 2))
    assert hidden.min() < 0.35
    assert hidden.max() > 0.65


def test_unfit_pools_are_refused_by_name():
    big, small = np.zeros((30, 30, 3), np.uint8), np.zeros((8, 30, 3), np.uint8)
    noise = np.zeros((30, 30, 3), np.float16)
    with pytest.raises(MidError, match="'image 1' is 30x8 pixels, smaller than"):
        batches([big, small], [noise])
    with pytest.raises(MidError, match="the noise has 1 colour"):
        batches([big], [noise[..., :1]])


def test_pools_larger_than_the_limit_are_read_from_the_store(tmp_path, rng):
    image = rng.integers(0, 256, (70, 90, 3), dtype=np.uint8)
    with StoreWriter(tmp_path / "clean.zarr", "image", tile=32) as store:
        store.append("a", image)
    store = Store(tmp_path / "clean.zarr")
    held, read = hold(store, memory_gb=1), hold(store, memory_gb=1e-9)
    assert isinstance(held, InMemory)
    assert read is store
    noise = Pool(np.zeros((20, 20, 3), np.float16))
    a, b = (
        Batches(pool, noise, 4, 20, Masking(0.5), True, [1]).draw(0)
        for pool in (held, read)
    )
    np.testing.assert_array_equal(a[0].numpy(), b[0].numpy())

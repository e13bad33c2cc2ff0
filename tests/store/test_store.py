import json
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import xarray
import zarr

from mid_core.errors import MidError
from mid_core.store import (
    Store,
    StoreWriter,
    manifest_path,
    pairs,
    store_path,
)

SIZES = [(37, 53), (32, 32), (5, 131), (97, 64)]


@pytest.fixture
def images(rng):
    return {
        f"image_{i}.png": rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        for i, size in enumerate(SIZES)
    }


@pytest.fixture
def path(tmp_path, images):
    path = tmp_path / "noisy.zarr"
    with StoreWriter(path, "image", tile=32) as store:
        for name, image in images.items():
            store.append(name, image)
        store.attributes = {"made_by": {"stage": "test"}}
    return path


def test_images_come_back(path, images):
    store = Store.of(manifest_path(path))
    assert store.path == path
    assert store.attributes["made_by"] == {"stage": "test"}
    found = dict(store)
    assert list(found) == list(images)
    for name, image in images.items():
        np.testing.assert_array_equal(found[name], image)
    assert store.nbytes == sum(image.nbytes for image in images.values())
    assert (store.kind, store.dtype, store.channels) == ("image", np.uint8, 3)


def test_crops_are_windows_of_the_image(path, images, rng):
    store = Store(path)
    for index, image in enumerate(images.values()):
        height, width = image.shape[:2]
        for _ in range(10):
            size = int(rng.integers(1, min(height, width) + 1))
            top = int(rng.integers(height - size + 1))
            left = int(rng.integers(width - size + 1))
            np.testing.assert_array_equal(
                store.crop(index, top, left, size),
                image[top : top + size, left : left + size],
            )


def test_zarr_alone_opens_a_store(path, images):
    group = zarr.open(path, mode="r")
    image = next(iter(images.values()))
    first, height, width = group["index"][0]
    assert (first, height, width) == (0, 37, 53)
    np.testing.assert_array_equal(group["image"][0], image[:32, :32])
    assert group.attrs["names"] == list(images)


def test_xarray_opens_a_store_with_named_dimensions(path, images):
    opened = xarray.open_zarr(path, consolidated=False)
    assert opened["image"].dims == ("tile", "y", "x", "colour")
    image = next(iter(images.values()))
    np.testing.assert_array_equal(opened["image"].isel(tile=0), image[:32, :32])
    assert opened["index"].dims == ("image", "first_height_width")
    assert opened["index"].values.tolist()[0] == [0, 37, 53]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16"])
@pytest.mark.parametrize("channels", [1, 3])
def test_zarr_reads_the_tiles_of_every_kind(
    dtype, channels, tmp_path, rng, monkeypatch
):
    # 4 tiles a shard, and a last one of 2.
    size = 4 * 32 * 32 * 3 * np.dtype(dtype).itemsize
    monkeypatch.setattr("mid_core.store.layout.SHARD_BYTES", size)
    values = rng.normal(40, 9, (70, 50, channels)).astype(dtype)
    values[:32, :32] = 0
    with StoreWriter(tmp_path / "a.zarr", "noise", tile=32) as store:
        store.append("a", values)
    tiles = zarr.open_group(tmp_path / "a.zarr", mode="r")["noise"]
    assert len(list((tmp_path / "a.zarr/noise/c").iterdir())) == 2
    # Mirrored as one whole, not tile by tile.
    pad = ((0, 96 - 70), (0, 64 - 50), (0, 0))
    whole = np.pad(values, pad, mode="symmetric").reshape(3, 32, 2, 32, channels)
    np.testing.assert_array_equal(
        tiles[:], whole.swapaxes(1, 2).reshape(6, 32, 32, channels)
    )


def test_same_images_same_manifest(path, tmp_path, images):
    other = tmp_path / "again.zarr"
    with StoreWriter(other, "image", tile=32) as store:
        for name, image in images.items():
            store.append(name, image)
        store.attributes = {"made_by": {"stage": "test"}}
    assert manifest_path(other).read_bytes() == manifest_path(path).read_bytes()
    assert store_path(manifest_path(path)) == path


def test_an_unfinished_store_is_refused_and_rebuilt(tmp_path, images):
    path = tmp_path / "broken.zarr"
    image = next(iter(images.values()))
    with suppress(InterruptedError), StoreWriter(path, "image", tile=32) as writer:
        writer.append("a", image)
        raise InterruptedError
    with pytest.raises(
        MidError, match=r"is unfinished, broken.manifest.json is not there"
    ):
        Store(path)
    with StoreWriter(path, "image", tile=32) as store:
        store.append("b", image)
    assert Store(path).names == ["b"]


def test_missing_and_short_files_are_refused(path, tmp_path):
    with pytest.raises(MidError, match="there is no store at"):
        Store(tmp_path / "none.zarr")
    shard = max(path.rglob("*"), key=lambda p: p.stat().st_size if p.is_file() else 0)
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(MidError, match=r"but \d+ by the manifest"):
        Store(path)
    shard.unlink()
    with pytest.raises(
        MidError, match=f"{shard} is missing: its rule test rebuilds it by `rm -f "
    ):
        Store(path)


@pytest.mark.parametrize("harm", [Path.unlink, lambda shard: shard.write_bytes(b"")])
def test_a_shard_that_goes_while_the_store_is_open_is_noticed(harm, path, images):
    store = Store(path)
    shard = path / "image/c/0/0/0/0"
    whole = shard.read_bytes()
    harm(shard)
    for read in (lambda: store.read(1), lambda: store.crop(3, 40, 40, 8)):
        with pytest.raises(MidError, match=r"image/c/0/0/0/0.* rule test rebuilds it"):
            read()
    shard.write_bytes(whole)
    np.testing.assert_array_equal(store.read(1), images["image_1.png"])


def test_a_crop_asks_for_its_own_shards_only(tmp_path, images, monkeypatch):
    # One tile a shard.
    monkeypatch.setattr("mid_core.store.layout.SHARD_BYTES", 1)
    with StoreWriter(tmp_path / "many.zarr", "image", tile=32) as store:
        for name, image in images.items():
            store.append(name, image)
    store = Store(tmp_path / "many.zarr")
    # The last of the last image's 4 x 2 tiles.
    shutil.rmtree(tmp_path / "many.zarr/image/c/17")
    expected = images["image_3.png"]
    np.testing.assert_array_equal(store.crop(3, 0, 0, 64), expected[:64, :64])
    with pytest.raises(MidError, match="image/c/17/0/0/0 is missing"):
        store.crop(3, 80, 40, 17)


def test_an_empty_store_is_not_finished(tmp_path):
    path = tmp_path / "empty.zarr"
    with (
        pytest.raises(MidError, match=r"no image was put into .*empty\.zarr"),
        StoreWriter(path, "noise"),
    ):
        pass
    assert not manifest_path(path).exists()


def test_a_flipped_bit_is_noticed(path):
    shard = next(p for p in sorted((path / "image").rglob("c/*/*/*/*")) if p.is_file())
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 4
    shard.write_bytes(content)
    store = Store(path)
    with pytest.raises(MidError, match=r"image/c/0/0/0/0 of .*noisy.zarr is damaged"):
        list(store)


def test_a_tile_of_zeros_is_written(tmp_path):
    path = tmp_path / "zeros.zarr"
    with StoreWriter(path, "noise", tile=16) as store:
        store.append("a", np.zeros((16, 16, 3), np.float16))
    files = json.loads(manifest_path(path).read_text())["files"]
    assert any(name.startswith("noise/c/") for name in files)


def test_shards_keep_the_number_of_files_small(tmp_path, monkeypatch):
    # 4 tiles of 16 x 16 x 3 bytes a shard.
    monkeypatch.setattr("mid_core.store.layout.SHARD_BYTES", 4 * 16 * 16 * 3)
    path = tmp_path / "many.zarr"
    with StoreWriter(path, "image", tile=16) as store:
        for i in range(9):
            store.append(str(i), np.full((20, 20, 3), i, np.uint8))
    shards = [p for p in (path / "image" / "c").rglob("*") if p.is_file()]
    assert len(shards) == 9
    assert [int(image.mean()) for _, image in Store(path)] == list(range(9))


def test_images_of_another_kind_are_refused(tmp_path):
    with StoreWriter(tmp_path / "x.zarr", "image") as store:
        store.append("a", np.zeros((4, 4, 3), np.uint8))
        with pytest.raises(MidError, match="'b' has uint16 samples"):
            store.append("b", np.zeros((4, 4, 3), np.uint16))
        with pytest.raises(MidError, match=r"'c' has 1 colour\(s\), but .* has 3"):
            store.append("c", np.zeros((4, 4, 1), np.uint8))


def test_pairs_are_what_both_stores_have(path, tmp_path, images):
    with StoreWriter(tmp_path / "truth.zarr", "truth", tile=16) as store:
        for name, image in reversed(list(images.items())[1:]):
            store.append(name, 255 - image)
    found = list(pairs(Store(path), Store(tmp_path / "truth.zarr")))
    assert [name for name, _, _ in found] == list(images)[1:]
    for name, image, truth in found:
        np.testing.assert_array_equal(image, images[name])
        np.testing.assert_array_equal(truth, 255 - images[name])
    name, image = next(iter(images.items()))
    with StoreWriter(tmp_path / "turned.zarr", "truth", tile=16) as store:
        store.append(name, image.swapaxes(0, 1))
    with pytest.raises(MidError, match=r"image_0.*\(37, 53, 3\).*\(53, 37, 3\)"):
        list(pairs(Store(path), Store(tmp_path / "turned.zarr")))

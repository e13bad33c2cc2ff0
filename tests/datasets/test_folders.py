import imageio.v3 as iio
import numpy as np
import pytest

from mid_core.datasets import check, folders, ingest, reader
from mid_core.errors import MidError
from mid_core.store import Store, StoreWriter


def picture(path, shape=(13, 17, 3), value=90):
    path.parent.mkdir(exist_ok=True)
    iio.imwrite(path, np.full(shape, value, np.uint8))


def pool(folder, pattern, truth=None):
    settings = {"reader": "folders", "path": str(folder), "pattern": pattern}
    if truth:
        settings["truth"] = {"path": str(truth[0]), "pattern": truth[1]}
    return settings


def test_pairs_share_what_the_wildcards_stand_for(tmp_path):
    for i in (2, 10, 3):
        picture(tmp_path / f"a/NOISY_{i}.png", value=i)
        picture(tmp_path / f"b/GT_{i}.PNG", value=100 + i)
    settings = pool(tmp_path / "a", "NOISY_*.png", (tmp_path / "b", "GT_*.PNG"))
    found = folders.find(settings)
    assert [item["name"] for item in found] == [f"NOISY_{i}.png" for i in (2, 3, 10)]
    for item in found:
        image, truth = folders.read(item, settings)
        assert (truth == image + 100).all()
    even = pool(tmp_path / "a", "NOISY_*[02468].png")
    assert [item["name"] for item in folders.find(even)] == [
        "NOISY_2.png",
        "NOISY_10.png",
    ]
    odd = pool(tmp_path / "a", "NOISY_*[!02468].png")
    assert [item["name"] for item in folders.find(odd)] == ["NOISY_3.png"]


def test_unpaired_pools_keep_every_file(tmp_path):
    for name in ("a.png", "a.jpg", "b.tif", ".hidden.png"):
        picture(tmp_path / "x" / name)
    found = folders.find(pool(tmp_path / "x", "*"))
    assert [item["name"] for item in found] == ["a.jpg", "a.png", "b.tif"]


def test_broken_pairings_are_refused_with_names(tmp_path):
    picture(tmp_path / "a/1.png")
    picture(tmp_path / "a/2.png")
    picture(tmp_path / "b/1.png", (11, 17, 3))
    settings = pool(tmp_path / "a", "*", (tmp_path / "b", "*"))
    with pytest.raises(MidError, match=r"1 of the images .* no partner: .*2\.png"):
        folders.find(settings)
    (tmp_path / "a/2.png").unlink()
    item = folders.find(settings)[0]
    with pytest.raises(MidError, match="a pair must match exactly"):
        folders.read(item, settings)
    picture(tmp_path / "a/1.jpg")
    with pytest.raises(MidError, match="differ in their type only"):
        folders.find(settings)
    with pytest.raises(MidError, match=r"(?i)there is no folder"):
        folders.find(pool(tmp_path / "c", "*"))


def test_transparent_images_are_refused_opaque_ones_taken(tmp_path):
    rgba = np.full((9, 7, 4), 255, np.uint8)
    iio.imwrite(tmp_path / "opaque.png", rgba)
    rgba[2, 2, 3] = 0
    iio.imwrite(tmp_path / "clear.png", rgba)
    settings = pool(tmp_path, "*")
    clear, opaque = folders.find(settings)
    assert folders.read(opaque, settings)[0].shape == (9, 7, 3)
    with pytest.raises(MidError, match=r"clear\.png has transparent parts"):
        folders.read(clear, settings)


def test_ingest_crops_and_keeps_bits(tmp_path):
    ramp = np.arange(30 * 40, dtype=np.uint16).reshape(30, 40) * 50
    iio.imwrite(tmp_path / "grey.png", ramp)
    settings = pool(tmp_path, "*.png") | {"crop": 16}
    ingest(reader(settings).find(settings), settings, tmp_path / "p.zarr", version=1)
    stack = Store(tmp_path / "p.zarr").stacks["image"]
    assert (stack.channels, stack.dtype) == (1, np.uint16)
    np.testing.assert_array_equal(stack.read(0)[..., 0], ramp[:16, :16])


def test_pools_that_do_not_go_together_are_refused(tmp_path):
    def store(name, shape):
        with StoreWriter(tmp_path / f"{name}.zarr", {"image": "uint8"}, shape[2]) as s:
            s.append("photo", image=np.zeros(shape, np.uint8))
        return Store(tmp_path / f"{name}.zarr")

    stores = {
        "clean": store("clean", (40, 30, 3)),
        "noisy": store("noisy", (40, 30, 1)),
    }
    need = {"pool": "clean", "clean": "clean", "pixels": 30}
    check(stores, [need])
    with pytest.raises(MidError, match="'photo' is 30x40 pixels, but 31 a side"):
        check(stores, [need | {"pixels": 31}])
    with pytest.raises(MidError, match=r"'noisy' has 1 colour.* but 'clean' has 3"):
        check(stores, [need | {"pool": "noisy"}])

"""From a pool's settings to its pixel store, and what stops on the way."""

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from mid_config.registry import keys
from mid_core.datasets import READERS, checking, describe, reader, split_pool, survey
from mid_core.datasets.ingesting import ingest
from mid_core.datasets.splitting import split
from mid_core.errors import MidError
from mid_core.store import PartWriter, Store, StoreWriter, pairs
from tests.datasets import miniatures


def pool(folder, pattern="*", **more):
    settings = {"reader": "folders", "path": str(folder), "pattern": pattern}
    return settings | {"broken": "refuse"} | more


def store_of(settings, path, stack="image", threads=2):
    found = survey(settings, None, stack)
    assert found.problems == []
    ingest(found.items, settings, stack, path, version=1, threads=threads)
    return Store(path)


def test_ingest_crops_and_keeps_bits(tmp_path):
    ramp = np.arange(30 * 40, dtype=np.uint16).reshape(30, 40) * 50
    iio.imwrite(tmp_path / "grey.png", ramp)
    store = store_of(pool(tmp_path, "*.png", crop=16), tmp_path / "p/image.zarr")
    assert (store.kind, store.channels, store.dtype) == ("image", 1, np.uint16)
    np.testing.assert_array_equal(store.read(0)[..., 0], ramp[:16, :16])
    assert store.attributes["dataset"] == str(tmp_path)
    assert store.attributes["split"] == "*.png, top-left 16 pixels, 1 images"


def test_a_crop_may_be_from_the_middle(tmp_path):
    ramp = np.arange(11 * 40, dtype=np.uint16).reshape(11, 40)
    iio.imwrite(tmp_path / "grey.png", ramp)
    settings = pool(tmp_path, "*.png", crop={"middle": 16})
    store = store_of(settings, tmp_path / "p/image.zarr")
    # The image is not as high as the square: all of its rows stay.
    np.testing.assert_array_equal(store.read(0)[..., 0], ramp[:, 12:28])
    assert store.attributes["split"] == "*.png, middle 16 pixels, 1 images"


def test_threads_keep_the_order_and_the_bits(tmp_path, rng):
    for i in range(11):
        shape = (5 + 7 * (i % 3), 9 + i, 3)
        iio.imwrite(tmp_path / f"{i}.png", rng.integers(0, 256, shape, np.uint8))
    one = store_of(pool(tmp_path), tmp_path / "a/image.zarr", threads=1)
    three = store_of(pool(tmp_path), tmp_path / "b/image.zarr", threads=3)
    assert one.names == three.names == [f"{i}.png" for i in range(11)]
    for (_, a), (name, b) in zip(one, three, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, iio.imread(tmp_path / name))


@pytest.fixture
def some_broken(tmp_path, rng):
    """Five images, of which three are cut short, each of another type."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a.png", "b.jpg", "c.tif", "d.png", "e.png"):
        iio.imwrite(folder / name, rng.integers(0, 256, (37, 51, 3), np.uint8))
    for name, share in (("a.png", 0.25), ("b.jpg", 0.5), ("c.tif", 0.9)):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(share * len(content))])
    return folder


def test_all_broken_images_are_listed_together(some_broken, tmp_path):
    settings = pool(some_broken)
    items = [{"name": p.name, "image": str(p)} for p in sorted(some_broken.iterdir())]
    with pytest.raises(MidError, match="3 of 5 images cannot be used") as caught:
        ingest(items, settings, "image", tmp_path / "p/image.zarr", 1, threads=2)
    for name in ("a.png", "b.jpg", "c.tif"):
        assert str(some_broken / name) in str(caught.value)
    assert "d.png" not in str(caught.value)
    with pytest.raises(MidError, match="is unfinished"):
        Store(tmp_path / "p/image.zarr")


def test_broken_images_may_be_skipped_with_a_count(some_broken, tmp_path, capsys):
    settings, path = pool(some_broken, broken="skip"), tmp_path / "p/image.zarr"
    items = [{"name": p.name, "image": str(p)} for p in sorted(some_broken.iterdir())]
    ingest(items, settings, "image", path, 1)
    store = Store(path)
    assert store.names == ["d.png", "e.png"]
    assert sorted(store.attributes["left_out"]) == ["a.png", "b.jpg", "c.tif"]
    assert store.attributes["split"].endswith("2 images")
    assert "3 of 5 broken images are left out" in capsys.readouterr().err
    with pytest.raises(MidError, match="3 of 3 images cannot be used"):
        ingest(items[:3], settings, "image", path, 1)


@pytest.mark.parametrize("broken", ["refuse", "skip"])
def test_images_of_another_kind_than_the_first_are_listed_too(broken, tmp_path):
    iio.imwrite(tmp_path / "a.png", np.zeros((9, 7, 3), np.uint8))
    iio.imwrite(tmp_path / "b.png", np.zeros((9, 7), np.uint8))
    tifffile.imwrite(tmp_path / "c.tif", np.zeros((9, 7, 3), np.uint16))
    with pytest.raises(MidError, match=r"2 of 3") as caught:
        store_of(pool(tmp_path, broken=broken), tmp_path / "p/image.zarr")
    assert "'b.png' has 1 colour" in str(caught.value)
    assert "'c.tif' has uint16 samples" in str(caught.value)


def test_a_needed_truth_that_is_missing_is_a_problem(tmp_path):
    miniatures.sidd_small(tmp_path)
    gone = min(tmp_path.rglob("*GT_SRGB*"))
    gone.unlink()
    settings = {"reader": "sidd", "path": str(tmp_path), "part": "noisy"}
    assert survey(settings, None, "image").problems == []
    problems = survey(settings, None, "truth").problems
    assert len(problems) == 1
    assert str(gone.parent) in problems[0]
    assert "has no truth, which this run needs" in problems[0]


def test_a_split_is_fair_disjoint_and_a_matter_of_the_seed():
    groups = [f"{i:04d}" for i in range(160)]
    sides = split(groups, ("clean", "noisy"), 0.5, seed=0)
    assert [len(sides[side]) for side in ("clean", "noisy")] == [80, 80]
    assert sorted(sides["clean"] + sides["noisy"]) == groups
    assert sides == split(groups, ("clean", "noisy"), 0.5, seed=0)
    other = split(groups, ("clean", "noisy"), 0.5, seed=1)
    # Two halves drawn independently share a half of their members, give or take.
    assert 20 < len(set(sides["clean"]) & set(other["clean"])) < 60
    assert len(split(groups, ("train", "held_out"), 0.9, 3)["held_out"]) == 16
    with pytest.raises(MidError, match="one side would be empty"):
        split(groups[:1], ("clean", "noisy"), 0.5, seed=0)


def test_a_group_that_goes_moves_no_more_than_one_other():
    groups = [f"{i:04d}" for i in range(20)]
    before = split(groups, ("clean", "noisy"), 0.5, seed=0)
    for gone in groups:
        left = [group for group in groups if group != gone]
        after = split(left, ("clean", "noisy"), 0.5, seed=0)
        moved = set(after["clean"]) ^ (set(before["clean"]) - {gone})
        assert len(moved) <= 1


@pytest.mark.parametrize("by", ["instance", "scene", "image"])
def test_the_two_sides_of_sidd_share_nothing(by, tmp_path):
    miniatures.sidd_medium(tmp_path)
    settings = {
        "reader": "sidd",
        "path": str(tmp_path),
        "split": {"by": by, "seed": 0, "share": 0.5},
    }
    sides = split_pool(settings | {"part": "clean"})
    assert (sides["by"], sides["seed"]) == (by, 0)
    names = {}
    for part in ("clean", "noisy"):
        found = survey(settings | {"part": part}, sides, "image")
        assert found.problems == []
        names[part] = [item["name"] for item in found.items]
        kind = {"clean": "GT_SRGB", "noisy": "NOISY_SRGB"}[part]
        assert all(kind in item["image"] for item in found.items)

    def group(name):
        instance, _, picture = name.partition("/")
        number = picture.rpartition("_")[2]
        return {"instance": instance, "scene": instance[5:8]}.get(by, instance + number)

    assert not {group(n) for n in names["clean"]} & {group(n) for n in names["noisy"]}
    # Half of the pictures on each side, none left over; scenes may differ in size.
    pictures = len(list(tmp_path.rglob("*NOISY_SRGB*")))
    assert len(names["clean"]) + len(names["noisy"]) == pictures


@pytest.mark.parametrize("name", sorted(READERS))
def test_every_reader_says_what_it_expects_and_lists_what_is_missing(name, tmp_path):
    about = reader({"reader": name}).ABOUT
    assert all((about.title, about.published, about.terms, about.expected))
    # `str.format` with a path must not stumble over braces.
    assert "{" not in about.expected.format(path="here")
    if name == "camera":
        return
    part = keys(f"datasets/{name}").get("part", {"const": ""})
    part = part["const"] if "const" in part else part["enum"][0]
    settings = {"reader": name, "part": part, "level": "raw"}
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (empty, tmp_path / "nowhere"):
        found = survey(settings | {"path": str(path)}, None, "image")
        assert not found.items
        assert str(path) in found.problems[0]


def test_what_a_table_says_of_the_images(tmp_path):
    blocks = {"reader": "sidd_blocks", "path": "x", "part": "validation"}
    assert describe(blocks, 6)["split"] == "validation, 6 of 1280"
    assert describe(blocks, 6)["dataset"] == reader(blocks).ABOUT.title
    sidd = {"reader": "sidd", "path": "x", "part": "noisy"}
    sidd["split"] = {"by": "instance", "seed": 7, "share": 0.5}
    assert describe(sidd, 9)["split"] == "noisy, instances drawn with seed 7, 9 images"


def test_pools_that_do_not_go_together_are_refused(tmp_path):
    def store(name, shape, kind="image"):
        path = tmp_path / name / f"{kind}.zarr"
        with StoreWriter(path, kind) as writer:
            writer.append("photo", np.zeros(shape, np.uint8))
        return Store(path)

    images = {
        "clean": store("clean", (40, 30, 3)),
        "noisy": store("noisy", (40, 30, 1)),
    }
    need = {"pool": "clean", "clean": "clean", "pixels": 30}

    def check(images, truths, needs):
        checking.check(images, truths, needs, {})

    check(images, {}, [need])
    with pytest.raises(MidError, match="'photo' is 30x40 pixels, but 31 a side"):
        check(images, {}, [need | {"pixels": 31}])
    with pytest.raises(MidError, match=r"'noisy' has 1 colour\(s\) but 'clean' has 3"):
        check(images, {}, [need | {"pool": "noisy"}])
    turned = store("clean", (30, 40, 3), "truth")
    with pytest.raises(MidError, match="is 30x40 pixels, but its truth is 40x30"):
        check(images, {"clean": turned}, [need])


def test_the_real_pairs_of_sidd_go_through(shared, tmp_path):
    folder = shared / "sidd_samples"
    settings = pool(folder, "NOISY_*.png")
    settings["truth"] = {"path": str(folder), "pattern": "GT_*.png"}
    found = survey(settings, None, "truth")
    assert (len(found.items), found.problems) == (12, [])
    for stack in ("image", "truth"):
        ingest(found.items, settings, stack, tmp_path / f"{stack}.zarr", 1)
    stores = (Store(tmp_path / f"{stack}.zarr") for stack in ("image", "truth"))
    errors = [
        np.square(image.astype(float) - truth).mean()
        for _, image, truth in pairs(*stores)
    ]
    # 22.98 dB: measured by others on the same files (shared/data/README.md).
    assert np.mean(10 * np.log10(255**2 / np.array(errors))) == pytest.approx(
        22.98, abs=0.005
    )


def test_a_disk_that_was_full_for_a_moment_shifts_no_image(tmp_path, monkeypatch, rng):
    # A shard for each image; the second finds no room, the next one would.
    monkeypatch.setattr("mid_core.store.layout.SHARD_BYTES", 1)
    images = {f"{i}.png": rng.integers(0, 256, (9, 7, 3), np.uint8) for i in range(4)}
    for name, image in images.items():
        iio.imwrite(tmp_path / name, image)
    write, refused = PartWriter._write, []

    def once_full(writer, number):
        if number == 1 and not refused:
            refused.append(number)
            raise MidError("No space left on device")
        write(writer, number)

    monkeypatch.setattr(PartWriter, "_write", once_full)
    path = tmp_path / "p/image.zarr"
    with pytest.raises(MidError, match=r"^No space left on device$"):
        store_of(pool(tmp_path, pattern="*.png"), path)
    store = store_of(pool(tmp_path, pattern="*.png"), path)
    assert store.names == list(images)
    for i, image in enumerate(images.values()):
        np.testing.assert_array_equal(store.read(i), image)

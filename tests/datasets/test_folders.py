import json

import imageio.v3 as iio
import numpy as np
import pytest

from mid_core.datasets import folders, survey
from mid_core.errors import MidError
from tests.pictures import save_pages, save_turned


def picture(path, shape=(13, 17, 3), value=90):
    path.parent.mkdir(parents=True, exist_ok=True)
    iio.imwrite(path, np.full(shape, value, np.uint8))


def pool(folder, pattern=None, truth=None):
    settings = {"reader": "folders", "path": str(folder)}
    if pattern:
        settings["pattern"] = pattern
    if truth:
        settings["truth"] = {"path": str(truth[0]), "pattern": truth[1]}
    return settings


def names(settings):
    found = folders.find(settings)
    assert not found.problems
    return [item["name"] for item in found.items]


def test_pairs_share_what_the_wildcards_stand_for(tmp_path):
    for i in (2, 10, 3):
        picture(tmp_path / f"a/NOISY_{i}.png", value=i)
        picture(tmp_path / f"b/GT_{i}.PNG", value=100 + i)
    settings = pool(tmp_path / "a", "NOISY_*.png", (tmp_path / "b", "gt_*.png"))
    assert names(settings) == [f"NOISY_{i}.png" for i in (2, 3, 10)]
    for item in json.loads(json.dumps(folders.find(settings).items)):
        image, truth = (folders.read(item, s, settings) for s in ("image", "truth"))
        assert (truth == image + 100).all()


def test_patterns_name_folders_and_so_do_the_images(tmp_path):
    for scene, value in (("s1", 1), ("s2", 2)):
        picture(tmp_path / scene / "in/x.jpg", value=0)
        picture(tmp_path / scene / "GT/x.png", value=value)
    settings = pool(tmp_path, "*/in/*.jpg", (tmp_path, "*/GT/*.png"))
    assert names(settings) == ["s1/in/x.jpg", "s2/in/x.jpg"]
    for item, value in zip(folders.find(settings).items, (1, 2), strict=True):
        assert (folders.read(item, "truth", settings) == value).all()
    deep = pool(tmp_path, "**/in/*", (tmp_path, "**/GT/*"))
    assert folders.find(deep) == folders.find(settings)


def test_unpaired_pools_keep_every_file(tmp_path):
    for name in ("a.png", "a.jpg", "b.tif", "._a.png", "sub/c.png"):
        picture(tmp_path / name)
    (tmp_path / "Thumbs.db").touch()
    assert names(pool(tmp_path)) == ["a.jpg", "a.png", "b.tif"]
    assert names(pool(tmp_path, "**/*.png")) == ["a.png", "sub/c.png"]


def test_one_report_names_all_that_do_not_pair(tmp_path):
    for name in ("good", "small", "lonely", "twice"):
        picture(tmp_path / "in" / f"{name}.png")
    picture(tmp_path / "in/twice.jpg")
    save_turned(tmp_path / "in/turned.jpg", np.zeros((13, 17, 3), np.uint8), 6)
    for name in ("good", "twice", "turned", "spare", "more"):
        picture(tmp_path / "gt" / f"{name}.png")
    picture(tmp_path / "gt/small.png", (13, 16, 3))

    settings = pool(tmp_path / "in", "*", (tmp_path / "gt", "*"))
    found = survey(settings, None, "truth")

    fit = ["good.png", "small.png", "turned.jpg"]
    assert [item["name"] for item in found.items] == fit
    # Sizes matter only where the truth is opened.
    assert survey(settings, None, "image").problems == []
    reasons = {
        "in/twice.jpg": "differ in their type only",
        "in/lonely.png": "has no truth",
        "in/small.png": "17x13 pixels, but its truth .*16x13",
        "in/turned.jpg": "13x17 pixels, but its truth .*17x13",
        "gt/spare.png": "is the truth of no image",
        "gt/more.png": "is the truth of no image",
    }
    assert len(found.problems) == len(reasons)
    for path, reason in reasons.items():
        (problem,) = [
            problem
            for problem in found.problems
            if problem.startswith(f"{tmp_path / path} ")
        ]
        with pytest.raises(MidError, match=reason):
            raise MidError(problem)


def test_a_turned_photo_pairs_with_its_upright_truth(tmp_path):
    upright = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    upright = np.kron(upright, np.ones((8, 8, 1), np.uint8))
    (tmp_path / "gt").mkdir()
    iio.imwrite(tmp_path / "gt/a.png", upright)
    # EXIF 6 is shown turned to the right, so it is stored turned to the left.
    stored = np.rot90(upright).copy()
    save_turned(tmp_path / "a.jpg", stored, 6, quality=100, subsampling=0)
    settings = pool(tmp_path, "*.jpg", (tmp_path / "gt", "*.png"))
    (item,) = folders.find(settings).items
    image, truth = (folders.read(item, s, settings) for s in ("image", "truth"))
    assert np.abs(image.astype(int) - truth).max() < 8


def test_folders_and_patterns_that_cannot_be_are_problems(tmp_path):
    picture(tmp_path / "in/a1.png")
    picture(tmp_path / "gt/a1.png")
    none = folders.find(pool(tmp_path / "x", "*", (tmp_path / "y", "*"))).problems
    assert [problem.split(" ")[0] for problem in none] == [
        *(str(tmp_path / "x"), str(tmp_path / "y"))
    ]
    settings = pool(tmp_path / "in", "*?.png", (tmp_path / "gt", "*.png"))
    (problem,) = folders.find(settings).problems
    assert "2 wildcard(s), its truth's has 1" in problem


def test_every_page_of_a_stack_is_an_image(tmp_path, rng):
    pages = list(rng.integers(0, 2**16, (3, 13, 17), dtype=np.uint16))
    for folder, part in (("in", pages), ("gt", pages[::-1]), ("short", pages[:2])):
        (tmp_path / folder).mkdir()
        save_pages(tmp_path / folder / "s.tif", part)
    settings = pool(tmp_path / "in", "*", (tmp_path / "gt", "*"))
    assert names(settings) == ["s.tif#000", "s.tif#001", "s.tif#002"]
    for number, item in enumerate(folders.find(settings).items):
        image, truth = (folders.read(item, s, settings) for s in ("image", "truth"))
        np.testing.assert_array_equal(image[..., 0], pages[number])
        np.testing.assert_array_equal(truth[..., 0], pages[2 - number])
    unpaired = folders.find(pool(tmp_path / "in")).items
    assert [item["page"] for item in unpaired] == [0, 1, 2]
    settings = pool(tmp_path / "in", "*", (tmp_path / "short", "*"))
    found = survey(settings, None, "truth")
    assert "3 image(s) of 17x13 pixels, but its truth" in found.problems[0]


def test_a_stack_that_is_none_is_left_for_reading_to_refuse(tmp_path):
    save_pages(tmp_path / "s.tif", [np.zeros((9, 7), "u1"), np.zeros((7, 9), "u1")])
    settings = pool(tmp_path)
    (item,) = folders.find(settings).items
    with pytest.raises(MidError, match=r"s\.tif .*2 pages differ"):
        folders.read(item, "image", settings)


def test_transparent_images_are_refused_opaque_ones_taken(tmp_path):
    rgba = np.full((9, 7, 4), 255, np.uint8)
    iio.imwrite(tmp_path / "opaque.png", rgba)
    rgba[2, 2, 3] = 0
    iio.imwrite(tmp_path / "clear.png", rgba)
    settings = pool(tmp_path)
    clear, opaque = folders.find(settings).items
    assert folders.read(opaque, "image", settings).shape == (9, 7, 3)
    with pytest.raises(MidError, match=r"clear\.png has transparent parts"):
        folders.read(clear, "image", settings)

"""ImageNet's validation pictures, flat or by class, with what else lies there."""

import numpy as np
import pytest
from PIL import Image

from mid_core.datasets import imagenet
from mid_core.errors import MidError


def save(path, size=(23, 17), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, 7).save(path, "PNG" if path.suffix == ".png" else "JPEG")


def pool(path, part="train", **settings):
    split = {"by": "image", "seed": 0, "share": 0.9}
    return {"reader": "imagenet", "path": str(path), "part": part, "split": split} | (
        settings
    )


NAMES = [f"ILSVRC2012_val_{number:08d}.JPEG" for number in (1, 2, 10)]


@pytest.mark.parametrize("prefix", ["", "n01440764/", "val/n01440764/"])
def test_flat_and_class_folders(tmp_path, prefix):
    for name in NAMES:
        save(tmp_path / prefix / name)
    save(tmp_path / "other.png")
    (tmp_path / "._ILSVRC2012_val_00000001.JPEG").touch()
    (tmp_path / "synsets.txt").touch()
    expected = sorted([*(prefix + name for name in NAMES), "other.png"])
    assert imagenet.groups(pool(tmp_path)) == expected
    found = imagenet.find(pool(tmp_path))
    assert not found.problems
    assert sorted(item["name"] for item in found.items) == expected
    kept = frozenset(expected[1:])
    found = imagenet.find(pool(tmp_path), kept)
    assert {item["name"] for item in found.items} == kept
    assert imagenet.groups(pool(tmp_path, "held_out")) == expected


def test_no_file_is_opened_to_list_them(tmp_path):
    (tmp_path / NAMES[0]).write_bytes(b"no JPEG")
    settings = pool(tmp_path)
    (item,) = imagenet.find(settings).items
    with pytest.raises(MidError, match=rf"{NAMES[0]} cannot be read"):
        imagenet.read(item, "image", settings)


def test_grey_becomes_colour_and_cmyk_is_refused(tmp_path):
    save(tmp_path / "a.JPEG", mode="L")
    save(tmp_path / "b.JPEG")
    save(tmp_path / "c.JPEG", mode="CMYK")
    settings = pool(tmp_path)
    grey, colour, cmyk = imagenet.find(settings).items
    for item in (grey, colour):
        assert imagenet.read(item, "image", settings).shape == (17, 23, 3)
    assert (imagenet.read(grey, "image", settings) == 7).all()
    assert imagenet.read(grey, "image", settings).dtype == np.uint8
    with pytest.raises(MidError, match=r"c\.JPEG .*mode is CMYK"):
        imagenet.read(cmyk, "image", settings)


def test_sides_leave_out_the_small_and_the_large(tmp_path):
    for name, size in {
        "fits": (256, 512),
        "narrow": (255, 400),
        "long": (300, 513),
        "square": (256, 256),
    }.items():
        save(tmp_path / f"{name}.JPEG", size)
    (tmp_path / "broken.JPEG").touch()
    settings = pool(tmp_path, sides=[256, 512])
    found = imagenet.find(settings)
    assert [item["name"] for item in found.items] == [
        *("broken.JPEG", "fits.JPEG", "square.JPEG")
    ]
    assert len(imagenet.groups(settings)) == 5


def test_an_empty_or_missing_folder_is_a_problem(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        found = imagenet.find(pool(path))
        assert not found.items
        assert found.problems[0].startswith(f"{path} ")
        assert imagenet.groups(pool(path)) == []

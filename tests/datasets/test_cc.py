"""CC's names, as in the folder that its papers distribute."""

import numpy as np
import pytest
from PIL import Image

from mid_core.datasets import cc

NAMES = ["5dmark3_iso3200_1", "d600_iso3200_1", "d800_iso6400_3"]


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "Real_ccnoise_denoised_part"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        for ending, value in (("real", 0), ("mean", 100), ("ours", 200)):
            image = Image.new("RGB", (7, 9), (value, value, number))
            image.save(folder / f"{name}_{ending}.png")
    (folder / ".DS_Store").touch()
    return tmp_path


@pytest.mark.parametrize(("part", "value"), [("noisy", 0), ("clean", 100)])
def test_ours_is_no_truth(tree, part, value):
    found = cc.find({"path": str(tree), "part": part})
    assert not found.problems
    assert [item["name"] for item in found.items] == NAMES
    for number, item in enumerate(found.items):
        stacks = {"image": value} | ({"truth": 100} if part == "noisy" else {})
        assert stacks.keys() == item.keys() - {"name"}
        for stack, expected in stacks.items():
            pixels = cc.read(item, stack, {})
            assert pixels.shape == (9, 7, 3)
            assert (pixels == np.array([expected, expected, number])).all()


def test_sides_share_no_scene(tree):
    settings = {"path": str(tree), "part": "clean", "split": {"by": "scene"}}
    scenes = ["5dmark3_iso3200", "d600_iso3200", "d800_iso6400"]
    assert cc.groups(settings) == scenes
    (item,) = cc.find(settings, frozenset(scenes[:1])).items
    assert item["name"] == NAMES[0]
    assert cc.groups(settings | {"split": {"by": "image"}}) == NAMES


def test_missing_files_are_named(tree):
    folder = tree / "Real_ccnoise_denoised_part"
    (folder / f"{NAMES[1]}_real.png").unlink()
    found = cc.find({"path": str(tree), "part": "noisy"})
    assert [item["name"] for item in found.items] == [NAMES[0], NAMES[2]]
    assert found.problems[0].startswith(str(folder / f"{NAMES[1]}_real.png"))
    (problem,) = cc.find({"path": str(tree / "x"), "part": "noisy"}).problems
    assert problem.startswith(f"{tree / 'x'} is no folder")

"""What a job takes for ``auto``: the brightness of a camera, a ratio that was chosen."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from mid_core.cameras import Camera, to_plain
from mid_core.jobs.looking import chosen_brightness, lowest, settled
from mid_core.look import Look


def looked(folder, channels, is_white):
    """The file of a look at one image, as a job has it among its inputs."""
    one = Look(
        level=np.full(channels, 0.1),
        curve=np.full((channels, 16), 0.1),
        places=np.full((64, channels), 0.1),
        spectrum=np.ones((channels, channels, 16, 16)),
        finest=0.9 if is_white else 0.1,
        clipped=0,
        flat=1,
        detail=0.02,
    )
    path = folder / "look.json"
    found = {"made_by": {"stage": "look", "version": 1}, "images": ["a"]}
    path.write_text(json.dumps(found | to_plain(Camera((one,), is_white))))
    return SimpleNamespace(look=str(path))


@pytest.mark.parametrize(
    ("channels", "is_white", "expected"),
    [
        (3, False, "developed"),
        (3, True, "predicted"),
        (1, False, "predicted"),
        (1, True, "predicted"),
    ],
)
def test_auto_brightness_is_what_the_look_says(channels, is_white, expected, tmp_path):
    inputs = looked(tmp_path, channels, is_white)
    assert chosen_brightness({"brightness": "auto"}, inputs) == expected


def test_a_brightness_that_was_set_asks_no_look():
    nothing = SimpleNamespace()
    assert chosen_brightness({"brightness": "developed"}, nothing) == "developed"
    assert chosen_brightness({"brightness": "predicted"}, nothing) == "predicted"
    # Settings of older configs have no such key.
    assert chosen_brightness({}, nothing) == "predicted"


@pytest.mark.parametrize(
    "made",
    [
        {"masking": {"mask_ratio": 0.3, "per": "colour"}, "sha256": "a"},
        {"mask_ratio": 0.3, "trials": [{"mask_ratio": 0.8}]},
    ],
    ids=["card", "choice"],
)
def test_the_ratio_that_was_chosen_takes_the_place_of_auto(made):
    masking = {"mask_ratio": "auto", "per": "pixel", "fill": 0}
    expected = {"mask_ratio": 0.3, "per": "pixel", "fill": 0}
    assert settled(masking, made) == expected
    assert masking["mask_ratio"] == "auto"


@pytest.mark.parametrize("ratio", [0, 0.8, [0.5, 0.7]])
def test_a_ratio_that_was_set_stays(ratio):
    masking = {"mask_ratio": ratio, "fill": 0.5}
    assert settled(masking, {"mask_ratio": 0.3}) == masking


def test_the_lowest_score_decides_and_of_equal_ones_the_smallest_ratio():
    assert lowest({0.8: 3.0, 0.3: 1.0, 0: 9.0}) == 0.3
    assert lowest({0: 9.0, 0.3: 3.0, 0.8: 1.0}) == 0.8
    # Two percent are chance, in whichever order they come.
    assert lowest({0.8: 1.0, 0.5: 1.02, 0.3: 2.0}) == 0.5
    assert lowest({0.3: 2.0, 0.5: 1.02, 0.8: 1.0}) == 0.5
    assert lowest({0.4: 7.0}) == 0.4
    # An image without noise has nothing that could be taken.
    assert lowest({0.3: 0.0, 0: 0.0, 0.8: 1.0}) == 0

"""What a job takes for ``auto``: the brightness of a camera, a ratio that was chosen."""

import json
import runpy
from types import SimpleNamespace

import numpy as np
import pytest

from mid_core.cameras import Camera, from_plain, to_plain
from mid_core.jobs.looking import answering, chosen_brightness, lowest, settled
from mid_core.look import Look
from mid_core.store import Store, StoreWriter
from tests.conftest import ROOT


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


@pytest.mark.parametrize(
    ("ratio", "made", "expected"),
    [
        ("auto", 0.3, (0.3, [1, 10])),
        # Without hidden pixels all answers are one.
        ("auto", 0, (0, [1])),
        (0.8, 0, (0.8, [1, 10])),
        (0, 0.8, (0, [1])),
    ],
)
def test_a_network_is_asked_with_the_ratio_of_its_config_or_card(ratio, made, expected):
    settings = {"masking": {"mask_ratio": ratio, "fill": 0.5}, "num_masks": [1, 10]}
    masking, counts = answering(settings, {"masking": {"mask_ratio": made}})
    assert (masking.mask_ratio, counts) == expected
    assert masking.fill == 0.5


def test_the_lowest_score_decides_and_of_equal_ones_the_smallest_ratio():
    assert lowest({0.8: 3.0, 0.3: 1.0, 0: 9.0}) == 0.3
    assert lowest({0: 9.0, 0.3: 3.0, 0.8: 1.0}) == 0.8
    # Two percent are chance, in whichever order they come.
    assert lowest({0.8: 1.0, 0.5: 1.02, 0.3: 2.0}) == 0.5
    assert lowest({0.3: 2.0, 0.5: 1.02, 0.8: 1.0}) == 0.5
    assert lowest({0.4: 7.0}) == 0.4
    # An image without noise has nothing that could be taken.
    assert lowest({0.3: 0.0, 0: 0.0, 0.8: 1.0}) == 0


def run_script(name, folder, **parts) -> int:
    """Run a rule's script as Snakemake would; return its exit status."""
    parts["params"] = SimpleNamespace(version=1, **parts.get("params", {}))
    snakemake = SimpleNamespace(log=[folder / f"logs/{name}.log"], **parts)
    try:
        script = ROOT / f"workflow/scripts/{name}.py"
        runpy.run_path(str(script), {"snakemake": snakemake})
    except SystemExit as end:
        return end.code
    return 0


def look_at(folder, *images) -> int:
    """Let the rule's script look at a pool of these images."""
    with StoreWriter(folder / "noisy.zarr", "image") as store:
        for i, image in enumerate(images):
            store.append(f"{i}.png", image)
    manifest = SimpleNamespace(noisy=folder / "noisy.manifest.json")
    return run_script("look", folder, input=manifest, output=[folder / "look.json"])


def noisy(rng, height, width, channels=3):
    y = 128 + 20 * rng.standard_normal((height, width, channels))
    return y.clip(0, 255).astype(np.uint8)


def test_images_that_are_too_small_for_a_look_are_left_out(rng, tmp_path):
    shapes = [(31, 99), (32, 47), (67, 45)]
    assert look_at(tmp_path, *(noisy(rng, *shape) for shape in shapes)) == 0
    found = json.loads((tmp_path / "look.json").read_text())
    assert found["images"] == ["1.png", "2.png"]
    assert found["noisy"] == Store(tmp_path / "noisy.zarr").content
    assert found["is_white"]
    levels = [255 * one.level.mean() for one in from_plain(found).looks]
    np.testing.assert_allclose(levels, 20, rtol=0.15)


def test_a_pool_of_small_images_is_refused_with_what_to_do(rng, tmp_path, capfd):
    assert look_at(tmp_path, noisy(rng, 31, 99)) != 0
    said = (tmp_path / "logs/look.log").read_text() + "".join(capfd.readouterr())
    assert "no image of at least 32 pixels a side" in said
    assert "set initial_noise awgn and brightness predicted" in said
    assert "Traceback" not in said
    assert not (tmp_path / "look.json").exists()


def test_a_large_pool_is_looked_at_in_images_spread_over_it(rng, tmp_path, monkeypatch):
    monkeypatch.setattr("mid_core.cameras.MOST_IMAGES", 3)
    assert look_at(tmp_path, *(noisy(rng, 33, 35, 1) for _ in range(7))) == 0
    found = json.loads((tmp_path / "look.json").read_text())
    assert found["images"] == ["0.png", "3.png", "6.png"]


@pytest.mark.parametrize("initial_noise", ["measured", "awgn"])
def test_a_bank_is_drawn_by_the_look(initial_noise, rng, tmp_path):
    """Of the level that is seen; and white, where white noise was asked for."""
    smooth = noisy(rng, 97, 131).astype(float)
    smooth = 128 + 2 * (smooth[1:] + smooth[:-1] - 256) / 2
    assert look_at(tmp_path, smooth.clip(0, 255).astype(np.uint8)) == 0
    settings = {"initial_noise": initial_noise, "count": 60, "size": 33, "seed": 2}
    files = {
        "input": SimpleNamespace(look=tmp_path / "look.json"),
        "output": SimpleNamespace(manifest=tmp_path / "noise.manifest.json"),
        "params": {"settings": settings},
    }
    assert run_script("measured_bank", tmp_path, **files) == 0
    bank = Store(tmp_path / "noise.zarr")
    assert (len(bank), bank.sizes[0], bank.channels) == (60, (33, 33), 3)
    assert bank.attributes["settings"] == settings
    fields = np.array([bank.read(i) for i in range(60)], float)
    # Twice the mean of two rows, 2 * 20 / sqrt(2), times factors drawn between 0.8 and
    # 2 (of white noise 1.25), whose logarithms are even: their root mean square.
    factor = 1.354 if initial_noise == "measured" else 1.017
    assert 255 * fields.std() == pytest.approx(28.3 * factor, rel=0.15)
    along, down = (
        (fields[:, :, 1:] * fields[:, :, :-1]).mean() / fields.var(),
        (fields[:, 1:] * fields[:, :-1]).mean() / fields.var(),
    )
    # A row shares one of its two with the next.
    assert along == pytest.approx(0, abs=0.1)
    assert down == pytest.approx(0.5 if initial_noise == "measured" else 0, abs=0.12)

"""A small network is taught by MID's predictions of real noisy images, kept apart."""

import json
import runpy
import signal
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from mid_config.errors import ConfigError
from mid_config.plan import Plan
from mid_core import ensemble as inference
from mid_core.batches import DistillationBatches
from mid_core.checkpoints.model_file import save_model
from mid_core.ensemble import denoise
from mid_core.errors import MidError
from mid_core.images.picture import to_float
from mid_core.jobs import status
from mid_core.jobs.dag import read_jobs
from mid_core.masking import Masking, image_seed
from mid_core.store import Store, StoreWriter
from tests.conftest import CARD, ROOT, Pool
from tests.running import CONFIG

UNET = {"name": "unet", "width": 4, "depth": 1}
TARGETS = 3
SIZES = [(23, 31, 3), (40, 17, 3)]
PAPER = {
    "variant": "mid",
    "mask_ratios": [0.8],
    "num_masks": [1],
    "distilled": {"network": UNET, "targets": TARGETS, "recharge": 0.25},
}


def plan(folder, **changes) -> Plan:
    """The plan of the tiny config with the paper's distilled network."""
    path = folder / "config.yaml"
    config = CONFIG | {"paper": PAPER} | changes
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return status.read_plan([path])


def lessons(recharge=0.0, masking=Masking(0)):  # noqa: B008
    """Two noisy images; target t of each is darker than it by t + 1 levels."""
    rng = np.random.default_rng(2)
    noisy = [rng.integers(20, 256, size, np.uint8) for size in SIZES]
    targets = [image - t for image in noisy for t in range(1, TARGETS + 1)]
    return DistillationBatches(
        Pool(*noisy), Pool(*targets), 8, 16, masking, recharge, [4, 0]
    )


def levels(x):
    return np.rint(255 * x.numpy()).astype(int)


def test_a_target_is_one_prediction_of_the_very_crop():
    drawn, seen = lessons(), []
    for step in range(12):
        for y, x in zip(*drawn.draw(step), strict=True):
            (darker,) = np.unique(levels(y) - levels(x))
            seen.append(darker)
    counts = np.bincount(seen, minlength=TARGETS + 1)
    # Of 96 draws among three: 32 each, within four standard deviations.
    assert counts.sum() == 96
    assert counts[0] == 0
    assert all(abs(count - 32) < 4 * np.sqrt(96 * 2 / 9) for count in counts[1:])


def test_recharge_puts_a_share_of_noisy_pixels_back():
    y, x = map(levels, lessons(recharge=0.25).draw(0))
    back = x == y
    # All colours of a pixel together.
    assert (back.all(axis=1) == back.any(axis=1)).all()
    count = back[0].size / 3 * len(back)
    assert abs(back[:, 0].mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / count)


def test_masks_are_those_of_the_settings():
    whole, _ = lessons().draw(3)
    masked, _ = lessons(masking=Masking(0.5, as_input=True)).draw(3)
    kept = masked[:, 3:]
    assert 0.4 < kept.mean() < 0.6
    assert torch.equal(masked[:, :3], whole * kept)


def test_shares_of_a_batch_are_the_batch():
    drawn = lessons(recharge=0.5)
    parts = [drawn.draw(5, slice(i, i + 2)) for i in range(0, 8, 2)]
    for part, whole in zip(zip(*parts, strict=True), drawn.draw(5), strict=True):
        assert torch.equal(torch.cat(part), whole)
    assert {crop.pool for crop in drawn.origins(5)} == {"noisy images", "targets"}


def mixed(share, recharge=0.0, masking=Masking(0), clean=True):  # noqa: B008
    """Noisy images with targets as in ``lessons``, and two clean ones, which are darker.

    Target t leaves noise of 10 t to 10 t + 9 levels.
    """
    rng = np.random.default_rng(5)
    noisy = [rng.integers(60, 256, size, np.uint8) for size in SIZES]
    noise = [
        rng.integers(10 * t, 10 * t + 10, image.shape, np.uint8)
        for image in noisy
        for t in range(TARGETS)
    ]
    targets = [noisy[i // TARGETS] - n for i, n in enumerate(noise)]
    pictures = [rng.integers(0, 20, size, np.uint8) for size in SIZES]
    more = {"clean": Pool(*pictures), "clean_share": share} if clean else {}
    batches = DistillationBatches(
        Pool(*noisy), Pool(*targets), 8, 16, masking, recharge, [4, 0], **more
    )
    return batches, pictures, noise


def is_cut_from(crop, images):
    """Whether an (H, W, C) crop is a window of one of these images, turned or not."""
    side = crop.shape[0]
    turns = [np.rot90(one, k) for one in (crop, crop[::-1]) for k in range(4)]
    return any(
        (image[top : top + side, left : left + side] == turned).all()
        for image in images
        for top in range(image.shape[0] - side + 1)
        for left in range(image.shape[1] - side + 1)
        for turned in turns
    )


def crops_of(batches, steps):
    """Input and target of each crop, (H, W, C) in grey levels."""
    for step in range(steps):
        for y, x in zip(*map(levels, batches.draw(step)), strict=True):
            yield y.transpose(1, 2, 0), x.transpose(1, 2, 0)


def test_a_clean_crop_carries_what_a_target_left_of_its_noisy_image():
    # Nothing is put back in it, though a half would be in noisy crops.
    batches, pictures, noise = mixed(1, recharge=0.5)
    left = set()
    for y, x in crops_of(batches, 2):
        assert is_cut_from(x, pictures)
        assert is_cut_from(y - x, noise)
        left.add((y - x).min() // 10)
    # Of any of an image's targets.
    assert left == set(range(TARGETS))


@pytest.mark.parametrize("clean", [False, True])
def test_without_a_share_no_clean_crop_is_drawn(clean):
    batches, _, _ = mixed(0, clean=clean)
    plain, _, _ = mixed(0, clean=False)
    for step in range(4):
        for own, expected in zip(batches.draw(step), plain.draw(step), strict=True):
            assert torch.equal(own, expected)
    # What is noisy is light here.
    assert all(y.min() >= 60 for y, _ in crops_of(batches, 4))


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_clean_crops_have_their_share_among_noisy_ones(share):
    batches, _, _ = mixed(share)
    are_clean = np.array([x.max() < 20 for _, x in crops_of(batches, 40)])
    assert are_clean.size == 320
    expected = 4 * np.sqrt(share * (1 - share) / 320)
    assert abs(are_clean.mean() - share) < expected
    # By chance for each crop, not by its place in the batch.
    each = are_clean.reshape(40, 8).mean(axis=0)
    assert each.min() > 0
    assert each.max() < 1


def test_noisy_crops_among_clean_ones_are_recharged_and_masked():
    batches, _, _ = mixed(0.5, 0.25, Masking(0.5, as_input=True))
    y, x = batches.draw(1)
    clean = (x < 20.5 / 255).flatten(1).all(1)
    assert 0 < clean.sum() < 8
    kept = y[:, 3:]
    assert 0.4 < kept[clean].mean() < 0.6
    noise = y[:, :3] - x
    back = (noise.abs() < 1e-6) & (kept == 1)
    share = back[~clean].float().sum() / (3 * kept[~clean].sum())
    # The first target leaves nothing of one pixel in ten, besides.
    assert 0.15 < share < 0.4


def test_shares_of_a_batch_with_clean_crops_are_the_batch():
    batches, _, _ = mixed(0.5, 0.5)
    parts = [batches.draw(3, slice(i, i + 2)) for i in range(0, 8, 2)]
    for part, whole in zip(zip(*parts, strict=True), batches.draw(3), strict=True):
        assert torch.equal(torch.cat(part), whole)


def test_origins_name_the_clean_images():
    titles = ["noisy images", "targets", "clean images"]
    batches, _, _ = mixed(1)
    assert [crop.pool for crop in batches.origins(5)] == 8 * titles
    half, _, _ = mixed(0.5)
    named = [crop.pool for crop in half.origins(5)]
    assert (named.count("noisy images"), named.count("targets")) == (8, 8)
    assert 0 < named.count("clean images") < 8
    none, _, _ = mixed(0, clean=False)
    assert "clean images" not in {crop.pool for crop in none.origins(5)}


def test_clean_images_that_do_not_fit_are_refused():
    noisy, target = (Pool(np.zeros((23, 31, 3), np.uint8)) for _ in range(2))

    def with_clean(*shape):
        clean = Pool(np.zeros(shape, np.uint8))
        settings = 2, 16, Masking(0), 0, [0]
        return DistillationBatches(noisy, target, *settings, clean, 0.5)

    assert with_clean(16, 17, 3).channels == 3
    with pytest.raises(MidError, match=r"have 3 colour\(s\) but the clean ones 1"):
        with_clean(23, 31, 1)
    with pytest.raises(MidError, match="31x15 pixels, smaller than the training patch"):
        with_clean(15, 31, 3)


@pytest.mark.parametrize("wrong", [[], [0, 1], [0, 1, 2, 3]])
def test_targets_of_other_images_are_refused(wrong):
    sizes = [(23, 31, 3), (40, 17, 3), (23, 31, 3), (23, 31, 3)]
    noisy = Pool(*(np.zeros(size, np.uint8) for size in sizes[:2]))
    targets = Pool(np.zeros(sizes[1], np.uint8))
    targets.names = [str(i) for i in wrong]
    targets.sizes = [sizes[i][:2] for i in wrong]
    if wrong == [0, 1]:
        DistillationBatches(noisy, targets, 2, 16, Masking(0), 0, [0])
        targets.sizes.reverse()
    with pytest.raises(MidError, match="not those of these noisy images"):
        DistillationBatches(noisy, targets, 2, 16, Masking(0), 0, [0])


@pytest.fixture
def inputs(tmp_path, network, rng):
    """A pool of noisy images, and their teacher."""
    with StoreWriter(tmp_path / "noisy.zarr", "image") as store:
        for i in range(3):
            store.append(f"{i}.png", rng.integers(0, 256, (19 + i, 23, 3), np.uint8))
    card = CARD | {"masking": {"mask_ratio": [0.2, 0.6]}}
    digest = save_model(tmp_path / "model.safetensors", network, card)
    (tmp_path / "model.json").write_text(json.dumps(card | {"sha256": digest}))
    return tmp_path


def teach(inputs, folder, **more) -> int:
    """Run the rule's script as Snakemake would; return its exit status."""
    settings = {"targets": TARGETS, "num_masks": 2, "seed": 5, **more}
    snakemake = SimpleNamespace(
        params=SimpleNamespace(settings=settings, version=1),
        config={"runtime": {"device": "cpu", "tile": 256}},
        threads=1,
        input=SimpleNamespace(
            noisy=inputs / "noisy.manifest.json", model=inputs / "model.json"
        ),
        output=SimpleNamespace(manifest=folder / "targets.manifest.json"),
        wildcards=SimpleNamespace(variant="distilled"),
        log=[folder / "logs/distillation_targets/distilled_0.log"],
    )
    try:
        script = ROOT / "workflow/scripts/distillation_targets.py"
        runpy.run_path(str(script), {"snakemake": snakemake})
    except SystemExit as end:
        return end.code
    return 0


def test_targets_are_the_teachers_predictions_with_masks_of_their_own(
    inputs, network, tmp_path
):
    assert teach(inputs, tmp_path / "whole") == 0
    noisy = Store(inputs / "noisy.zarr")
    targets = Store(tmp_path / "whole/targets.zarr")
    assert targets.dtype == noisy.dtype
    assert len(targets) == TARGETS * len(noisy)
    network.set_patch_size(16)
    # In another order than they were made in.
    for i, t in [(2, 1), (0, 2), (2, 0)]:
        seed = image_seed(5, f"distillation_targets/{t}", f"{i}.png")
        (x,) = denoise(network, to_float(noisy.read(i)), Masking([0.2, 0.6]), seed, [2])
        off = 255 * x.clip(0, 1) - targets.read(TARGETS * i + t)
        assert abs(off).max() < 0.501
    assert (targets.read(6) != targets.read(7)).any()


def test_a_teacher_from_which_nothing_is_hidden_has_one_target_an_image(
    inputs, network, tmp_path
):
    """All of its predictions of an image are the same."""
    card = CARD | {"masking": {"mask_ratio": 0}}
    digest = save_model(inputs / "model.safetensors", network, card)
    (inputs / "model.json").write_text(json.dumps(card | {"sha256": digest}))
    assert teach(inputs, tmp_path / "whole") == 0
    noisy = Store(inputs / "noisy.zarr")
    targets = Store(tmp_path / "whole/targets.zarr")
    assert len(targets) == len(noisy) == 3
    assert targets.sizes == noisy.sizes
    network.set_patch_size(16)
    (x,) = denoise(network, to_float(noisy.read(1)), Masking(0), [0], [1])
    assert abs(255 * x.clip(0, 1) - targets.read(1)).max() < 0.501
    assert DistillationBatches(noisy, targets, 2, 16, Masking(0), 0, [0]).each == 1


def test_targets_have_the_brightness_that_is_asked_for(inputs, tmp_path):
    assert teach(inputs, tmp_path / "own") == 0
    assert teach(inputs, tmp_path / "put_back", brightness="developed") == 0
    noisy = Store(inputs / "noisy.zarr")

    def lighter(name):
        """By how many levels each colour's mean is above that of the noisy image."""
        targets = Store(tmp_path / name / "targets.zarr")
        each = enumerate(image.mean(axis=(0, 1)) for _, image in noisy)
        return [targets.read(TARGETS * i).mean(axis=(0, 1)) - own for i, own in each]

    # Noise of values from 0 to 255 has a standard deviation of 74 around 128: a
    # curve would darken it by at most 74 ** 2 / 256 = 21.
    put_back = np.array(lighter("put_back"))
    assert put_back.min() > 7
    assert put_back.max() < 25
    assert np.ptp(lighter("own")) > 2 * np.ptp(put_back)


def test_a_stopped_teacher_goes_on(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr("mid_core.store.layout.SHARD_BYTES", 1)
    assert teach(inputs, tmp_path / "whole") == 0
    calls, own = [], inference.denoise

    def stopped(*arguments):
        calls.append(1)
        if len(calls) == 4:
            signal.raise_signal(signal.SIGTERM)
        return own(*arguments)

    monkeypatch.setattr(inference, "denoise", stopped)
    assert teach(inputs, tmp_path / "cut") == 75
    assert not (tmp_path / "cut/targets.manifest.json").exists()
    assert teach(inputs, tmp_path / "cut") == 0
    assert len(calls) == 9
    whole, cut = (Store(tmp_path / f"{name}/targets.zarr") for name in ("whole", "cut"))
    assert cut.content == whole.content


def test_the_distilled_network_has_its_place_in_the_graph(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = plan(tmp_path, tables={"rounds": ["mid", "distilled"]})
    folder = "results/tiny"
    targets = f"{folder}/distilled/round_0/targets.manifest.json"
    model = f"{folder}/distilled/round_0/model.json"
    noisy = f"{folder}/data/noisy/image.manifest.json"
    jobs = read_jobs([tmp_path / "config.yaml"])
    assert set(jobs[targets].inputs) == {noisy, f"{folder}/mid/round_1/model.json"}
    # Neither the truth nor a clean image.
    assert set(jobs[model].inputs) == {noisy, targets}
    one = found.rounds["distilled"][0]
    assert one.evaluate["num_masks"] == [1]
    assert one.evaluate["masking"]["mask_ratio"] == 0
    assert "recharge" not in one.extract


def test_targets_are_shared_while_teacher_and_noisy_images_are(tmp_path):
    taught = {"initial_noise": "teacher", "rounds": [{"mask_ratio": 0}]}
    teacher = {"variant": "mid", "recharge": 0.1}
    variants = {
        "mid": {},
        "slow": {"training": {"iterations": 9}},
        "a": taught | {"teacher": teacher, "network": UNET},
        "b": taught | {"teacher": teacher | {"recharge": 0.2}},
        "c": taught | {"teacher": {"variant": "slow"}},
        "d": taught | {"teacher": teacher | {"num_masks": 2}},
    }
    found = plan(tmp_path, variants=variants, paper={"variant": "mid"})
    owners = {v: found.owner("bank", v, 0) for v in "abcd"}
    assert owners == {"a": "a", "b": "a", "c": "c", "d": "d"}
    assert [found.owner("model", v, 0) for v in "abcd"] == list("abcd")
    # A student waits for its teacher's last round.
    last = len(found.rounds["mid"]) - 1
    assert [found.rounds_behind("mid", k) for k in (0, last)] == [last + 1, 1]


def test_repetitions_have_teachers_of_their_seed(tmp_path):
    found = plan(tmp_path, paper=PAPER | {"seeds": [7]})
    assert found.maker("distilled_seed_7", 0) == ("mid_seed_7", 1)


def test_without_it_no_row_asks_for_it(tmp_path):
    found = plan(tmp_path, paper=PAPER | {"distilled": None})
    assert "distilled" not in found.rounds


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"initial_noise": "teacher"}, "need each other"),
        ({"teacher": {"variant": "mid"}}, "need each other"),
        (
            {"initial_noise": "teacher", "teacher": {"variant": "later"}},
            r"'later' is no variant above it \(there are: mid\)",
        ),
        (
            {
                "initial_noise": "teacher",
                "teacher": {"variant": "mid"},
                "held_out": {"pool": "noisy"},
            },
            "take held_out away",
        ),
        ({"held_out": {"pool": "clean"}}, "must be a pool with a truth"),
    ],
)
def test_mistakes_are_named(wrong, message, tmp_path):
    variants = {"mid": {}, "wrong": wrong, "later": {}}
    with pytest.raises(MidError, match=message) as caught:
        plan(tmp_path, variants=variants)
    assert "variant 'wrong'" in str(caught.value)
    assert isinstance(caught.value.__cause__, ConfigError)

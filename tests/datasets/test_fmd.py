"""FMD's three layouts: types, the mixed test set, and MASH's flat copy."""

import numpy as np
import pytest
from PIL import Image

from mid_core.datasets import fmd, pairs

TYPES = ("Confocal_BPAE_B", "TwoPhoton_MICE")
FOVS = (2, 19)


def save(path, value, size=(12, 10)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(path)


@pytest.fixture
def tree(tmp_path):
    for t, kind in enumerate(TYPES):
        for fov in FOVS:
            for capture in (1, 2):
                for level, value in (("raw", 0), ("avg2", 50)):
                    path = tmp_path / kind / level / str(fov) / f"HV110_{capture}.png"
                    save(path, value + 20 * t + fov + capture)
            save(tmp_path / kind / "gt" / str(fov) / "avg50.png", 200 + t + fov)
    for name in ("a.png", "b.png"):
        save(tmp_path / "test_mix/raw" / name, 0)
        save(tmp_path / "test_mix/gt" / name, 9)
    (tmp_path / "Confocal_BPAE_B/raw/19/._x.png").touch()
    (tmp_path / "Confocal_BPAE_B/raw/19/Thumbs.db").touch()
    return tmp_path


def pool(path, part, **settings):
    return {"reader": "fmd", "path": str(path), "part": part} | settings


def names(settings):
    found = fmd.find(settings)
    assert not found.problems
    return [item["name"] for item in found.items]


def test_captures_have_the_truth_of_their_field(tree):
    settings = pool(tree, "noisy")
    assert names(settings) == [
        f"{kind}/raw/{fov}/HV110_{capture}.png"
        for kind in TYPES
        for fov in FOVS
        for capture in (1, 2)
    ]
    for item in fmd.find(settings).items:
        kind, _, fov, _ = item["name"].split("/")
        truth = fmd.read(item, "truth", settings)
        assert (truth.shape, truth.dtype) == ((10, 12, 1), np.uint8)
        assert (truth == 200 + TYPES.index(kind) + int(fov)).all()
    mean = pool(tree, "noisy", level="avg2", types=["TwoPhoton_MICE"], fovs=[19])
    first, _ = fmd.find(mean).items
    assert first["name"] == "TwoPhoton_MICE/avg2/19/HV110_1.png"
    assert (fmd.read(first, "image", mean) == 50 + 20 + 19 + 1).all()


def test_the_clean_part_is_the_truths(tree):
    settings = pool(tree, "clean", fovs=[19], level="avg2")
    assert names(settings) == [f"{kind}/gt/19/avg50.png" for kind in TYPES]
    assert not any("truth" in item for item in fmd.find(settings).items)


def test_the_mixed_test_set_is_taken_when_named_or_alone(tree):
    mixed = pool(tree, "noisy", types=["test_mix"])
    assert names(mixed) == ["test_mix/raw/a.png", "test_mix/raw/b.png"]
    assert (fmd.read(fmd.find(mixed).items[1], "truth", mixed) == 9).all()
    # MASH's folder has the same layout under another name.
    assert names(pool(tree / "test_mix", "noisy")) == ["raw/a.png", "raw/b.png"]
    assert names(pool(tree / "test_mix", "clean")) == ["gt/a.png", "gt/b.png"]


def test_quarters_are_in_the_official_order(tree):
    picture = np.zeros((512, 512), np.uint8)
    picture[:256, 256:], picture[256:, :256], picture[256:, 256:] = 1, 2, 3
    Image.fromarray(picture).save(tree / "test_mix/raw/a.png")
    Image.fromarray(picture + 10).save(tree / "test_mix/gt/a.png")
    settings = pool(tree, "noisy", types=["test_mix"], crops=True)
    items = fmd.find(settings).items
    assert len({item["name"] for item in items}) == 8
    for number, item in enumerate(items[:4]):
        assert item["name"] == f"test_mix/raw/a.png#{number}"
        for stack, value in (("image", number), ("truth", 10 + number)):
            pixels = fmd.read(item, stack, settings)
            assert pixels.shape == (256, 256, 1)
            assert (pixels == value).all()


def test_a_missing_truth_is_no_problem_but_a_missing_field_is(tree):
    (tree / "Confocal_BPAE_B/gt/19/avg50.png").unlink()
    found = fmd.find(pool(tree, "noisy", fovs=[19]))
    assert not found.problems
    assert [item["name"][0] for item in found.items if "truth" not in item] == [
        "C",
        "C",
    ]
    found = fmd.find(pool(tree, "clean", types=[*TYPES, "WideField"], fovs=[2, 19, 20]))
    assert len(found.items) == 3
    starts = [
        *(tree / TYPES[0] / "gt/19", tree / TYPES[0] / "gt/20"),
        *(tree / TYPES[1] / "gt/20", tree),
    ]
    assert len(found.problems) == len(starts)
    for problem, start in zip(found.problems, starts, strict=True):
        assert problem.startswith(f"{start} ")
    assert "WideField/gt" in found.problems[3]


def test_sides_share_no_field_of_view(tree):
    settings = pool(tree, "noisy", split={"by": "scene"})
    fields = [f"{kind}/{fov}" for kind in TYPES for fov in (19, 2)]
    assert fmd.groups(settings) == fields
    clean = fmd.find(settings | {"part": "clean"}, frozenset(fields[:1])).items
    assert [item["name"] for item in clean] == ["Confocal_BPAE_B/gt/19/avg50.png"]
    noisy = fmd.find(settings, frozenset(fields[1:])).items
    assert len(noisy) == 6
    assert not any("Confocal_BPAE_B/raw/19" in item["name"] for item in noisy)
    for file in (tree / "TwoPhoton_MICE/raw/2").iterdir():
        file.unlink()
    assert fmd.groups(settings) == fields
    (problem,) = fmd.find(settings, frozenset(fields[1:])).problems
    assert problem == f"{tree} has no pictures of TwoPhoton_MICE/2 in raw: restore them"
    mixed = pool(tree, "noisy", types=["test_mix"], split={"by": "image"})
    assert fmd.groups(mixed) == ["test_mix/a", "test_mix/b"]


def test_wrong_trees_are_problems(tree):
    for path in (tree / "none", tree / "Confocal_BPAE_B/raw/19"):
        (problem,) = fmd.find(pool(path, "noisy", types=list(TYPES))).problems
        assert problem.startswith(f"{path} ")
    save(tree / "copy/test_mix/raw/a.png", 0)
    (problem,) = fmd.find(pool(tree, "noisy", types=["test_mix"])).problems
    assert f"{tree / 'copy/test_mix'} and in {tree / 'test_mix'}" in problem
    save(tree / "test_mix/gt/a.png", 9, (12, 11))
    (problem,) = pairs.unlike(fmd.find(pool(tree / "test_mix", "noisy")).items)
    assert "12x10 pixels, but its truth" in problem

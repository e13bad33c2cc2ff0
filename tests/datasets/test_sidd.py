"""SIDD Medium and Small in the layouts that people have, whole and broken."""

import shutil
from itertools import chain

import numpy as np
import pytest

from mid_core.datasets import sidd
from mid_core.errors import MidError
from tests.datasets.miniatures import INSTANCES, photo, sidd_medium, sidd_small

FIRST, SECOND, THIRD = INSTANCES
DATA = "SIDD_Medium_Srgb/mnt/d/SIDD_Medium_Srgb/Data"


def pool(path, part="noisy", by="instance"):
    split = {"by": by, "seed": 0, "share": 0.5}
    return {"reader": "sidd", "path": str(path), "part": part, "split": split}


def names(found):
    return [item["name"] for item in found.items]


def test_every_photo_of_medium_is_found_and_read(tmp_path):
    settings = pool(sidd_medium(tmp_path))
    found = sidd.find(settings)
    assert not found.problems
    assert names(found) == [
        f"{instance}/NOISY_SRGB_{number}"
        for instance in INSTANCES
        for number in ("010", "011")
    ]
    for item in found.items:
        instance, name = item["name"].split("/")
        noisy, truth = (
            sidd.read(item, stack, settings) for stack in ("image", "truth")
        )
        np.testing.assert_array_equal(noisy, photo(instance, name))
        truth_name = name.replace("NOISY", "GT")
        np.testing.assert_array_equal(truth, photo(instance, truth_name))


def test_clean_photos_are_the_images_without_a_truth(tmp_path):
    settings = pool(sidd_medium(tmp_path), "clean")
    found = sidd.find(settings)
    assert not found.problems
    assert len(found.items) == 6
    item = found.items[3]
    assert item["name"] == f"{SECOND}/GT_SRGB_011"
    assert "truth" not in item
    np.testing.assert_array_equal(
        sidd.read(item, "image", settings), photo(SECOND, "GT_SRGB_011")
    )


def test_small_has_the_names_of_medium(tmp_path):
    small = sidd.find(pool(sidd_small(tmp_path / "small")))
    medium = sidd.find(pool(sidd_medium(tmp_path / "medium")))
    assert not small.problems
    assert names(small) == names(medium)[::2]
    assert all("truth" in item for item in small.items)


def test_the_whole_instance_may_be_the_prefix(tmp_path):
    sidd_small(tmp_path)
    for file in tmp_path.rglob("*.png"):
        file.rename(file.with_name(f"{file.parent.name}_{file.name}"))
    found = sidd.find(pool(tmp_path))
    assert not found.problems
    assert names(found) == [f"{instance}/NOISY_SRGB_010" for instance in INSTANCES]


@pytest.mark.parametrize("part", ["clean", "noisy"])
@pytest.mark.parametrize(
    ("by", "group", "expected"),
    [
        ("instance", SECOND, [f"{SECOND}/010", f"{SECOND}/011"]),
        ("image", f"{SECOND}/011", [f"{SECOND}/011"]),
        ("scene", "001", [f"{i}/{n}" for i in (FIRST, SECOND) for n in ("010", "011")]),
    ],
)
def test_a_group_has_its_photos_only(tmp_path, part, by, group, expected):
    settings = pool(sidd_medium(tmp_path), part, by)
    assert group in sidd.groups(settings)
    found = sidd.find(settings, frozenset([group]))
    kind = {"clean": "GT", "noisy": "NOISY"}[part]
    assert not found.problems
    assert names(found) == [name.replace("/", f"/{kind}_SRGB_") for name in expected]


@pytest.mark.parametrize("by", ["instance", "image", "scene"])
@pytest.mark.parametrize("kind", ["GT", "NOISY"])
def test_groups_divide_the_data_set_whichever_files_are_missing(tmp_path, by, kind):
    settings = pool(sidd_medium(tmp_path), by=by)
    groups = sidd.groups(settings)
    assert groups == sorted(set(groups))
    assert len(groups) == {"instance": 3, "image": 6, "scene": 2}[by]
    sides = [names(sidd.find(settings, frozenset([group]))) for group in groups]
    assert sorted(chain.from_iterable(sides)) == names(sidd.find(settings))
    for file in (tmp_path / DATA).glob(f"*/*_{kind}_*"):
        file.unlink()
    assert sidd.groups(settings) == groups


def test_a_missing_truth_is_no_problem_of_the_noisy_pool(tmp_path):
    sidd_medium(tmp_path)
    (tmp_path / DATA / SECOND / "0002_GT_SRGB_010.PNG").unlink()
    noisy = sidd.find(pool(tmp_path))
    assert not noisy.problems
    assert [("truth" in item) for item in noisy.items] == [True] * 2 + [False] + [
        True
    ] * 3


def test_all_missing_photos_of_the_chosen_groups_are_problems(tmp_path):
    sidd_medium(tmp_path)
    missing = [
        tmp_path / DATA / FIRST / "0001_GT_SRGB_011.PNG",
        tmp_path / DATA / THIRD / "0150_GT_SRGB_010.PNG",
        tmp_path / DATA / THIRD / "0150_GT_SRGB_011.PNG",
    ]
    for file in missing:
        file.unlink()
    found = sidd.find(pool(tmp_path, "clean"))
    starts = [problem.split(" is missing")[0] for problem in found.problems]
    assert starts == [str(file) for file in missing]
    assert len(found.items) == 3
    chosen = sidd.find(pool(tmp_path, "clean"), frozenset([FIRST, SECOND]))
    assert chosen.problems == found.problems[:1]


def test_an_empty_folder_lacks_what_the_others_have(tmp_path):
    sidd_medium(tmp_path)
    shutil.rmtree(tmp_path / DATA / SECOND)
    (tmp_path / DATA / SECOND).mkdir()
    found = sidd.find(pool(tmp_path))
    assert [problem.split(" is ")[0] for problem in found.problems] == [
        str(tmp_path / DATA / SECOND / f"0002_NOISY_SRGB_{number}.PNG")
        for number in ("010", "011")
    ]


def test_a_photo_of_another_instance_is_not_taken(tmp_path):
    sidd_medium(tmp_path)
    file = tmp_path / DATA / FIRST / "0001_NOISY_SRGB_010.PNG"
    file.rename(file.with_name("0002_NOISY_SRGB_010.PNG"))
    (problem,) = sidd.find(pool(tmp_path)).problems
    assert problem.startswith(f"{file} is missing")


def test_copies_are_problems_that_name_both(tmp_path):
    sidd_medium(tmp_path)
    copy = tmp_path / "a copy" / THIRD
    shutil.copytree(tmp_path / DATA / THIRD, copy)
    double = tmp_path / DATA / FIRST / "NOISY_SRGB_010.png"
    shutil.copy(double.with_name("0001_NOISY_SRGB_010.PNG"), double)
    problems = sidd.find(pool(tmp_path)).problems
    assert [problem.split(" are copies")[0] for problem in problems] == [
        f"{tmp_path / DATA / THIRD} and {copy}",
        f"{double.with_name('0001_NOISY_SRGB_010.PNG')} and {double}",
    ]


def test_the_wrong_folder_is_said_to_be_wrong(tmp_path):
    sidd_medium(tmp_path / "a")
    (tmp_path / "empty").mkdir()
    assert sidd.groups(pool(tmp_path / "nowhere")) == []
    for path, reason in (
        (tmp_path / "nowhere", "is no folder"),
        (tmp_path / "empty", f"has no photo like {FIRST}/0001_NOISY_SRGB_010.PNG"),
        (tmp_path / "a" / DATA / SECOND, "is the folder of one instance"),
    ):
        (problem,) = sidd.find(pool(path)).problems
        assert problem.startswith(f"{path} {reason}")


def test_folders_of_instances_without_any_photo(tmp_path):
    (tmp_path / FIRST).mkdir()
    found = sidd.find(pool(tmp_path))
    assert not found.items
    assert found.problems[0].startswith(f"{tmp_path} has no photo like")


def test_shadows_of_macos_are_left_out(tmp_path):
    sidd_medium(tmp_path)
    expected = sidd.find(pool(tmp_path))
    folder = tmp_path / DATA / FIRST
    (folder / "._0001_NOISY_SRGB_010.PNG").write_bytes(b"\0")
    (folder / ".DS_Store").write_bytes(b"\0")
    (folder / "Thumbs.db").write_bytes(b"\0")
    shutil.copytree(folder, tmp_path / "__MACOSX" / FIRST)
    shutil.copytree(folder, tmp_path / ".cache" / FIRST)
    assert sidd.find(pool(tmp_path)) == expected


def test_a_linked_folder_is_searched(tmp_path):
    sidd_medium(tmp_path / "disk")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "SIDD").symlink_to(tmp_path / "disk" / DATA)
    assert len(sidd.find(pool(tmp_path / "data")).items) == 6


def test_a_broken_photo_is_refused_by_its_path(tmp_path):
    settings = pool(sidd_medium(tmp_path))
    item = sidd.find(settings).items[0]
    file = tmp_path / DATA / FIRST / "0001_NOISY_SRGB_010.PNG"
    file.write_bytes(file.read_bytes()[:90])
    with pytest.raises(MidError, match=r"0001_NOISY_SRGB_010\.PNG"):
        sidd.read(item, "image", settings)

"""DND in a miniature of three photos, whole and broken."""

import shutil

import h5py
import numpy as np
import pytest

from mid_core.datasets import dnd
from mid_core.errors import MidError
from tests.datasets.miniatures import dnd as make
from tests.datasets.miniatures import dnd_info, dnd_photo, mat5, mat73

# First row, first column, last row, last column, counted from 1; photo 3 is 26 x 31.
BOXES = [
    np.array([[1, 1, 5, 9], [20, 23, 24, 31]]),
    np.array([[7, 2, 7, 2]]),
    np.array([[1, 1, 26, 31], [2, 3, 12, 8], [26, 31, 26, 31]]),
]


def pool(path):
    return {"reader": "dnd", "path": str(path), "part": "test"}


@pytest.mark.parametrize("below", ["", "dnd_2017"])
def test_crops_are_the_boxes_of_the_photos(tmp_path, below):
    settings = pool(make(tmp_path, BOXES) / below)
    found = dnd.find(settings)
    assert not found.problems
    crops = {i["name"]: dnd.read(i, "image", settings) for i in found.items}
    assert list(crops) == [
        "0001_01",
        "0001_02",
        "0002_01",
        "0003_01",
        "0003_02",
        "0003_03",
    ]
    assert all(crop.dtype == np.float32 for crop in crops.values())
    first, second, third = (dnd_photo(number) for number in (1, 2, 3))
    np.testing.assert_array_equal(crops["0001_01"], first[:5, :9])
    np.testing.assert_array_equal(crops["0001_02"], first[19:24, 22:31])
    np.testing.assert_array_equal(crops["0002_01"], second[6:7, 1:2])
    np.testing.assert_array_equal(crops["0003_01"], third)
    np.testing.assert_array_equal(crops["0003_02"], third[1:12, 2:8])
    np.testing.assert_array_equal(crops["0003_03"], third[25:, 30:])


def test_boxes_are_whole_numbers_from_0(tmp_path):
    found = dnd.find(pool(make(tmp_path, BOXES)))
    assert [item["box"] for item in found.items[:2]] == [[0, 0, 5, 9], [19, 22, 24, 31]]
    assert all(type(edge) is int for item in found.items for edge in item["box"])


def test_doubles_are_read_as_float32(tmp_path):
    settings = pool(make(tmp_path, BOXES))
    photo = tmp_path / "dnd_2017/images_srgb/0002.mat"
    mat73(photo, InoisySRGB=dnd_photo(2).astype(np.float64))
    crop = dnd.read(dnd.find(settings).items[2], "image", settings)
    assert crop.dtype == np.float32
    np.testing.assert_array_equal(crop, dnd_photo(2)[6:7, 1:2])


@pytest.mark.parametrize("value", [-0.1, 1.1, 255, np.nan])
def test_values_outside_0_to_1_are_refused(tmp_path, value):
    settings = pool(make(tmp_path, BOXES))
    path = tmp_path / "dnd_2017/images_srgb/0001.mat"
    pixels = dnd_photo(1)
    pixels[2, 3, 1] = value
    mat73(path, InoisySRGB=pixels)
    first, second = dnd.find(settings).items[:2]
    with pytest.raises(
        MidError, match=r"0001\.mat holds values .* crop 0001_01"
    ) as caught:
        dnd.read(first, "image", settings)
    assert str(caught.value).startswith(str(path))
    assert dnd.read(second, "image", settings).shape == (5, 9, 3)


def test_all_broken_photos_are_problems(tmp_path):
    folder = make(tmp_path, [*BOXES, BOXES[0]]) / "dnd_2017/images_srgb"
    (folder / "0001.mat").unlink()
    (folder / "0002.mat").write_bytes((folder / "0002.mat").read_bytes()[:900])
    mat73(folder / "0003.mat", Inoisy=dnd_photo(3)[..., 0])
    mat73(folder / "0007.mat", InoisySRGB=dnd_photo(7))
    found = dnd.find(pool(tmp_path))
    for problem, (name, reason) in zip(
        found.problems,
        [
            ("0001.mat", "is missing"),
            ("0002.mat", "(900 bytes) is damaged, cut short"),
            ("0003.mat", "("),
            ("0007.mat", "has no boxes in"),
        ],
        strict=True,
    ):
        assert problem.startswith(f"{folder / name} {reason}")
    assert (
        "holds Inoisy (26, 31) float32, but expected is InoisySRGB" in found.problems[2]
    )
    assert [item["name"] for item in found.items] == ["0004_01", "0004_02"]


@pytest.mark.parametrize(
    "box",
    [
        [1.5, 1, 5, 9],
        [0, 1, 5, 9],
        [1, 1, 25, 9],
        [1, 1, 5, 32],
        [5, 1, 4, 9],
        [1, 9, 5, 8],
        [1, 1, 5, np.nan],
    ],
)
def test_boxes_must_be_whole_and_inside(tmp_path, box):
    make(tmp_path, [np.array([[1, 1, 24, 31], box])])
    (problem,) = dnd.find(pool(tmp_path)).problems
    photo = tmp_path / "dnd_2017/images_srgb/0001.mat"
    assert problem.startswith(f"{photo} is 24 x 31 pixels, but its boxes")
    assert str([[float(edge) for edge in box]]) in problem


@pytest.mark.parametrize("boxes", [np.empty((0, 0)), np.ones((2, 3))])
def test_a_photo_without_boxes_is_a_problem(tmp_path, boxes):
    make(tmp_path, [BOXES[0], boxes])
    (problem,) = dnd.find(pool(tmp_path)).problems
    photo = tmp_path / "dnd_2017/images_srgb/0002.mat"
    assert problem.startswith(f"{photo} has no boxes in info.mat")


def test_wrong_levels_are_said_to_be_wrong(tmp_path):
    root = make(tmp_path / "whole", BOXES)
    for path, start in (
        (tmp_path / "nowhere", f"{tmp_path / 'nowhere'} is no folder"),
        (
            root / "dnd_2017/images_srgb",
            f"{root / 'dnd_2017/images_srgb'}/.../info.mat is missing",
        ),
    ):
        (problem,) = dnd.find(pool(path)).problems
        assert problem.startswith(start)
    shutil.copytree(root, root / "copy")
    (problem,) = dnd.find(pool(root)).problems
    files = [root / "copy/dnd_2017/info.mat", root / "dnd_2017/info.mat"]
    assert problem.startswith(f"{files[0]} and {files[1]} are copies")
    dnd_info(tmp_path / "half/info.mat", BOXES)
    (problem,) = dnd.find(pool(tmp_path / "half")).problems
    assert problem.startswith(f"{tmp_path / 'half/images_srgb'} is missing")


def test_a_broken_info_is_a_problem(tmp_path):
    info = make(tmp_path, BOXES) / "dnd_2017/info.mat"
    whole = info.read_bytes()
    info.write_bytes(whole[:-100])
    (problem,) = dnd.find(pool(tmp_path)).problems
    assert problem.startswith(f"{info} ({len(whole) - 100} bytes) is damaged, cut")
    for write, said in ((mat5, "it begins with b'MATLAB 5.0"), (mat73, "no info/b")):
        write(info, pixelmasks=np.eye(3))
        (problem,) = dnd.find(pool(tmp_path)).problems
        assert problem.startswith(f"{info} (")
        assert said in problem


def test_hidden_files_are_left_out(tmp_path):
    folder = make(tmp_path, BOXES) / "dnd_2017"
    (folder / "images_srgb/._0001.mat").write_bytes(b"\0")
    (folder / "._info.mat").write_bytes(b"\0")
    assert not dnd.find(pool(tmp_path)).problems


def test_the_miniature_reads_as_the_official_script_reads_dnd(tmp_path):
    """The expressions of Plötz and Roth's script, on ours: formats.md, section 5."""
    folder = make(tmp_path, BOXES) / "dnd_2017"
    with h5py.File(folder / "info.mat") as file:
        info = file["info"]
        boxes = np.array(file[info["boundingboxes"][0][2]]).T
    np.testing.assert_array_equal(boxes, BOXES[2])
    with h5py.File(folder / "images_srgb/0003.mat") as file:
        assert file["InoisySRGB"].shape == (3, 31, 26)

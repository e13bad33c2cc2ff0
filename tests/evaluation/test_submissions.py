"""Bundles, read again as a server would: by csv, base64, numpy and scipy alone."""

import base64
import csv
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from mid_core.errors import MidError
from mid_core.evaluation.submissions import dnd_bundle, sidd_csv, sidd_mat

ABOUT = {"MethodName": "MID", "Authors": "A. Person", "MachineSpecs": "2 cores"}


@pytest.fixture
def blocks(rng):
    """Six blocks of two photos, (5, 7, 3) float32, a little beyond [0, 1]."""
    return [
        (f"{photo:02d}_{block:02d}", rng.uniform(-0.1, 1.1, (5, 7, 3)).astype("f4"))
        for photo in range(2)
        for block in range(3)
    ]


def test_the_csv_holds_rounded_bytes_in_order(blocks, tmp_path):
    (path,) = sidd_csv(blocks, tmp_path)
    assert path.read_bytes().startswith(b"ID,BLOCK\n0,")
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "4", "5"]
    for (_, image), (_, text) in zip(blocks, rows, strict=True):
        found = np.frombuffer(base64.b64decode(text), np.uint8).reshape(5, 7, 3)
        expected = [round(255 * min(max(float(v), 0), 1)) for v in image.ravel()]
        np.testing.assert_array_equal(found.ravel(), expected)


def test_half_a_grey_level_is_rounded_up_not_cut(tmp_path):
    image = np.full((2, 2, 3), 99.6 / 255, np.float32)
    (path,) = sidd_csv([("00_00", image)], tmp_path)
    text = path.read_text().split(",")[-1]
    assert base64.b64decode(text) == bytes([100] * 12)


def test_a_full_size_row_has_the_length_of_the_template(tmp_path):
    (path,) = sidd_csv([("00_00", np.zeros((256, 256, 3), np.float32))], tmp_path)
    row = path.read_text().splitlines()[1]
    # formats.md, 4b: 196,608 bytes are 262,144 characters.
    assert len(row.partition(",")[2]) == 262_144


def test_the_mat_file_holds_what_sidd_denoise_m_saves(blocks, tmp_path):
    (path,) = sidd_mat(blocks, tmp_path, 1.25, ABOUT)
    kinds = {name: (shape, kind) for name, shape, kind in scipy.io.whosmat(path)}
    assert kinds == {
        "DenoisedBlocksSrgb": ((2, 3), "cell"),
        "TimeMPSrgb": ((1, 1), "double"),
        "OptionalData": ((1, 1), "struct"),
    }
    content = scipy.io.loadmat(path)
    for index, (_, image) in enumerate(blocks):
        found = content["DenoisedBlocksSrgb"][divmod(index, 3)]
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, image.clip(0, 1))
    # formats.md, 4b: seconds * 1024 * 1024 / pixels; 1.25 is of a million pixels.
    assert content["TimeMPSrgb"].item() == pytest.approx(1.31072)
    assert content["OptionalData"]["MethodName"].item().item() == "MID"
    with pytest.raises(MidError, match=r"photos have \[2, 3\] blocks"):
        sidd_mat(blocks[:5], tmp_path, 1.25, ABOUT)


def test_dnd_gets_a_file_for_each_photo(blocks, tmp_path):
    crops = [(f"{int(name[:2]) + 1:04d}_{name[3:]}", x) for name, x in blocks]
    files = dnd_bundle(crops, tmp_path)
    assert [f.relative_to(tmp_path).as_posix() for f in files] == [
        *("bundled/0001.mat", "bundled/0002.mat")
    ]
    for photo, file in enumerate(files):
        kinds = {name: (shape, kind) for name, shape, kind in scipy.io.whosmat(file)}
        assert kinds == {
            "Idenoised": ((1, 3), "cell"),
            "israw": ((1, 1), "logical"),
            "eval_version": ((1,), "char"),
        }
        content = scipy.io.loadmat(file)
        assert not content["israw"].item()
        assert content["eval_version"].item() == "1.0"
        for box in range(3):
            found = content["Idenoised"][0, box]
            assert found.dtype == np.float32
            np.testing.assert_array_equal(found, blocks[3 * photo + box][1].clip(0, 1))


@pytest.mark.parametrize("make", [sidd_csv, dnd_bundle])
def test_nan_is_refused_and_leaves_no_file(make, blocks, tmp_path):
    blocks[4][1][2, 2, 1] = np.nan
    with pytest.raises(MidError, match="'01_01' was denoised to NaN"):
        make(blocks, tmp_path)
    left = [path for path in Path(tmp_path).rglob("*") if path.is_file()]
    # DND's first photo was whole.
    assert len(left) == (1 if make is dnd_bundle else 0)
    assert not any(path.name.startswith(".") for path in left)

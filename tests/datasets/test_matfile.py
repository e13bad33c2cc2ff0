"""MAT files of both versions, and everything that people have in their place."""

import re
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest

from mid_core.datasets import matfile
from mid_core.datasets.finding import files_named
from mid_core.errors import MidError
from tests.datasets.miniatures import dnd_info, mat5, mat73

BLOCKS = matfile.Variable("blocks", ("uint8",), (None, None, None, 3))
# Element [i, j, k, c] is 100 i + 10 j + k, plus 50 in the last colour: seen in MATLAB.
ARRAY = np.add.outer(
    np.add.outer(np.add.outer([0, 100], [0, 10, 20]), range(5)), [0, 0, 50]
).astype(np.uint8)
WRITERS = [mat5, lambda *a, **k: mat5(*a, compressed=False, **k), mat73]
IDS = ["5", "5 uncompressed", "7.3"]


@pytest.mark.parametrize("write", WRITERS, ids=IDS)
def test_versions_read_alike(tmp_path, write):
    path = write(tmp_path / "a.mat", other=np.eye(3), blocks=ARRAY)
    assert matfile.check(path, BLOCKS) == (2, 3, 5, 3)
    blocks = matfile.read(path, BLOCKS)
    np.testing.assert_array_equal(blocks, ARRAY)
    assert blocks.dtype == np.uint8
    assert blocks[1, 2, 4, 2] == 174
    part = (slice(1, 2), slice(0, 2), slice(3, 5), slice(None))
    np.testing.assert_array_equal(
        matfile.read_part(path, BLOCKS, part)[0, :, :, 0], [[103, 104], [113, 114]]
    )


@pytest.mark.parametrize("write", WRITERS, ids=IDS)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.7, 0.95])
def test_a_truncated_file_is_refused(tmp_path, write, share):
    path = write(tmp_path / "a.mat", other=np.eye(3), blocks=ARRAY)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    refused(path, rf"\({path.stat().st_size} bytes\) .*cut short")


@pytest.mark.parametrize("write", [mat5, mat73], ids=["5", "7.3"])
def test_damage_to_the_pixels_is_found_when_they_are_read(tmp_path, write):
    path = write(tmp_path / "a.mat", blocks=ARRAY)
    data = bytearray(path.read_bytes())
    middle = len(data) - 20
    if write is mat73:
        with h5py.File(path) as file:
            _, chunk = file["blocks"].id.read_direct_chunk((0, 0, 0, 0))
        middle = data.index(chunk) + len(chunk) // 2
    data[middle] ^= 0b100
    path.write_bytes(data)
    with pytest.raises(MidError, match=r"a\.mat \(\d+ bytes\) is damaged"):
        matfile.read(path, BLOCKS)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n<!DOCTYPE html><title>Log in</title>" * 20, b"\x89PNG\r\n\x1a\n" * 99],
    ids=["empty", "web page", "png"],
)
def test_what_is_no_mat_file_is_shown_by_its_beginning(tmp_path, content):
    path = tmp_path / "blocks.mat"
    path.write_bytes(content)
    begins = re.escape(f"it begins with {content[:15]!r}")
    refused(path, rf"\({len(content)} bytes\) is damaged, cut short or no .*{begins}")


def test_missing_files_and_folders_are_named(tmp_path):
    refused(tmp_path / "blocks.mat", "is missing")
    refused(tmp_path, "is missing, or no file")


@pytest.mark.parametrize("write", WRITERS, ids=IDS)
def test_another_variable_is_named_with_what_was_expected(tmp_path, write):
    path = write(tmp_path / "a.mat", other=np.eye(3), Blocks=ARRAY)
    size = path.stat().st_size
    refused(
        path,
        rf"\({size} bytes\) holds .*other \(3, 3\) float64.*, but expected is blocks "
        r"\(any, any, any, 3\) uint8",
    )
    write(path, blocks=ARRAY.T)
    refused(path, r"holds blocks \(3, 5, 3, 2\) uint8, but expected is blocks \(any")
    write(path, blocks=ARRAY[0])
    refused(path, r"holds blocks \(3, 5, 3\) uint8")
    write(path, blocks=ARRAY.astype(np.float32))
    refused(path, r"holds blocks \(2, 3, 5, 3\) float32")


def refused(path, reason):
    """Both readings raise the same sentence, which begins with the path."""
    part = (slice(None),) * 4
    for call in (matfile.check, matfile.read, lambda *a: matfile.read_part(*a, part)):
        with pytest.raises(MidError, match=reason) as caught:
            call(path, BLOCKS)
        assert str(caught.value).startswith(str(path))


def test_two_arrays_are_kept_and_changes_seen(tmp_path):
    paths = [mat5(tmp_path / f"{i}.mat", blocks=ARRAY + i) for i in range(3)]
    first = matfile.read(paths[0], BLOCKS)
    assert not first.flags.writeable
    assert matfile.read(paths[1], BLOCKS) is not first
    assert matfile.read(paths[0], BLOCKS) is first
    matfile.read(paths[1], BLOCKS)
    matfile.read(paths[2], BLOCKS)
    assert matfile.read(paths[0], BLOCKS) is not first
    mat5(paths[0], blocks=np.repeat(ARRAY, 2, axis=1))
    assert matfile.read(paths[0], BLOCKS).shape == (2, 6, 5, 3)


@pytest.mark.parametrize("write", [mat5, mat73], ids=["5", "7.3"])
def test_threads_read_alike(tmp_path, write):
    path = write(tmp_path / "a.mat", blocks=ARRAY)

    def read(i):
        part = (slice(i % 2, i % 2 + 1), *(slice(None),) * 3)
        whole = matfile.read(path, BLOCKS)
        return whole, matfile.read_part(path, BLOCKS, part)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(read, range(64)))
    assert len({id(whole) for whole, _ in results}) == 1
    for i, (_, part) in enumerate(results):
        np.testing.assert_array_equal(part, ARRAY[i % 2 : i % 2 + 1])


def test_cells_of_a_struct_array(tmp_path):
    arrays = [np.array([[1, 2, 3, 4], [5, 6, 7, 8.5]]), np.eye(2)]
    dnd_info(tmp_path / "info.mat", arrays)
    cells = matfile.read_cells(tmp_path / "info.mat", "info/boundingboxes")
    for cell, array in zip(cells, arrays, strict=True):
        np.testing.assert_array_equal(cell, array)
    with pytest.raises(
        MidError, match=r"info\.mat \(\d+ bytes\).*it has no info/boxes"
    ):
        matfile.read_cells(tmp_path / "info.mat", "info/boxes")
    with pytest.raises(MidError, match=r"b\.mat .*begins with b'MATLAB 5\.0 MAT-'"):
        matfile.read_cells(mat5(tmp_path / "b.mat", info=np.eye(2)), "info/boxes")


def test_files_are_found_at_any_depth(tmp_path):
    for name in ("x/y/A.mat", "x/a.MAT", "a.mat.part", "._a.mat", ".trash/a.mat"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "x/y")
    found = files_named("a.mat", tmp_path)
    assert found.pop(0) == tmp_path / "link/A.mat"
    assert found == [tmp_path / "x/a.MAT", tmp_path / "x/y/A.mat"]

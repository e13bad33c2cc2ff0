"""SIDD's blocks as MAT files of both versions and as PNG files, whole and broken."""

import numpy as np
import pytest

from mid_core.datasets import sidd_blocks
from mid_core.errors import MidError
from tests.datasets import miniatures
from tests.datasets.miniatures import mat5, mat73, photo

NOISY, TRUTH = "ValidationNoisyBlocksSrgb", "ValidationGtBlocksSrgb"
BENCHMARK = "BenchmarkNoisyBlocksSrgb"
SHAPE = (2, 3, 5, 7, 3)
NAMES = ["00_00", "00_01", "00_02", "01_00", "01_01", "01_02"]


def pool(path, part="validation"):
    return {"reader": "sidd_blocks", "path": str(path), "part": part}


def whole(settings, stack):
    """All blocks of a part in their order."""
    found = sidd_blocks.find(settings)
    assert not found.problems
    return np.stack([sidd_blocks.read(i, stack, settings) for i in found.items])


@pytest.mark.parametrize(
    "make",
    [
        miniatures.sidd_blocks,
        lambda root: miniatures.sidd_blocks(root, mat73),
        miniatures.sidd_blocks_png,
    ],
    ids=["5", "7.3", "png"],
)
def test_all_formats_give_the_same_blocks(tmp_path, make):
    make(tmp_path)
    settings = pool(tmp_path)
    items = sidd_blocks.find(settings).items
    assert [item["name"] for item in items] == NAMES
    assert [item["index"] for item in items] == [0, 1, 2, 3, 4, 5]
    for stack, name in (("image", NOISY), ("truth", TRUTH)):
        blocks = whole(settings, stack)
        assert blocks.dtype == np.uint8
        np.testing.assert_array_equal(blocks.reshape(SHAPE), photo(name, shape=SHAPE))


@pytest.mark.parametrize("write", [mat5, mat73], ids=["5", "7.3"])
def test_the_benchmark_has_no_truth(tmp_path, write):
    miniatures.sidd_blocks(tmp_path / "SIDD", write)
    settings = pool(tmp_path, "benchmark")
    assert all("truth" not in item for item in sidd_blocks.find(settings).items)
    expected = photo(BENCHMARK, shape=SHAPE)
    blocks = whole(settings, "image")
    np.testing.assert_array_equal(blocks.reshape(SHAPE), expected)
    # A block of its own: changing it does not change what is read next.
    block = sidd_blocks.read(sidd_blocks.find(settings).items[4], "image", settings)
    assert block.flags.c_contiguous
    block[:] = 0
    np.testing.assert_array_equal(whole(settings, "image"), blocks)


def test_mat_files_are_found_in_any_case_and_depth(tmp_path):
    for folder, name in (("a/b", NOISY), ("c", TRUTH)):
        mat5(tmp_path / folder / f"{name.upper()}.MAT", **{name: photo(shape=SHAPE)})
    assert whole(pool(tmp_path), "truth").shape == (6, 5, 7, 3)


def test_png_files_are_in_the_order_of_their_numbers(tmp_path):
    miniatures.sidd_blocks_png(tmp_path, (2, 11, 5, 7, 3))
    for file in tmp_path.rglob("*.png"):
        image, block = map(int, file.stem.split("_"))
        file.rename(file.with_name(f"{image + 8}-{block - 1}.PNG"))
    (tmp_path / "input_crops" / "._9-0.png").write_bytes(b"\0")
    (tmp_path / ".noisy").mkdir()
    expected = photo(NOISY, shape=(2, 11, 5, 7, 3))
    np.testing.assert_array_equal(
        whole(pool(tmp_path), "image"), expected.reshape(22, 5, 7, 3)
    )


def test_png_files_of_both_folders_must_match(tmp_path):
    miniatures.sidd_blocks_png(tmp_path)
    (tmp_path / "input_crops/0002_01.png").unlink()
    (tmp_path / "target_crops/0001_03.png").unlink()
    found = sidd_blocks.find(pool(tmp_path))
    assert [problem.split(":")[0] for problem in found.problems] == [
        f"{tmp_path / 'target_crops'} lacks block 3 of photo 1",
        f"{tmp_path / 'input_crops'} lacks block 1 of photo 2",
    ]
    # What is there keeps its place.
    named = {item["name"]: item["index"] for item in found.items}
    assert named == {"00_00": 0, "00_01": 1, "01_01": 4, "01_02": 5}


def test_png_files_named_otherwise_are_not_guessed(tmp_path):
    folder = tmp_path / "noisy"
    miniatures.sidd_blocks_png(tmp_path)
    (tmp_path / "input_crops").rename(folder)
    for i, file in enumerate(sorted(folder.iterdir())):
        file.rename(folder / f"{i}.png")
    (problem,) = sidd_blocks.find(pool(tmp_path)).problems
    assert problem.startswith(f"{folder} has no PNG file named like 0001_01.png")


def test_two_files_of_a_block_and_two_folders_of_a_kind_are_problems(tmp_path):
    miniatures.sidd_blocks_png(tmp_path)
    first = tmp_path / "input_crops/0001_01.png"
    (first.parent / "1-1.png").write_bytes(first.read_bytes())
    (tmp_path / "GT").mkdir()
    noisy, truth = sidd_blocks.find(pool(tmp_path)).problems
    assert noisy.startswith(f"{first.parent / '1-1.png'} is the same block as {first}")
    assert truth.startswith(f"{tmp_path / 'GT'} and {tmp_path / 'target_crops'} are")


def test_missing_and_doubled_mat_files_are_problems(tmp_path):
    miniatures.sidd_blocks(tmp_path / "a")
    (tmp_path / f"a/{TRUTH}.mat").rename(tmp_path / f"{TRUTH}.part")
    copy = mat5(tmp_path / f"b/{NOISY}.mat", **{NOISY: photo(shape=SHAPE)})
    found = sidd_blocks.find(pool(tmp_path))
    assert not found.items
    noisy, truth = found.problems
    assert noisy.startswith(f"{tmp_path}/a/{NOISY}.mat and {copy} are of one kind")
    assert truth.startswith(f"{tmp_path}/.../{TRUTH}.mat is missing")


def test_the_wrong_folder_is_said_to_be_wrong(tmp_path):
    file = mat5(tmp_path / f"a/{NOISY}.mat", **{NOISY: photo(shape=SHAPE)})
    for path in (tmp_path / "nowhere", file):
        (problem,) = sidd_blocks.find(pool(path)).problems
        assert problem.startswith(f"{path} is no folder")
    (tmp_path / "empty").mkdir()
    noisy, truth = sidd_blocks.find(pool(tmp_path / "empty")).problems
    assert noisy.startswith(f"{tmp_path / 'empty'} has no {NOISY}.mat at any depth")
    assert truth.startswith(f"{tmp_path / 'empty'} has no {TRUTH}.mat at any depth")


def test_every_broken_mat_file_is_a_problem_of_its_own(tmp_path):
    miniatures.sidd_blocks(tmp_path)
    noisy, truth = tmp_path / f"{NOISY}.mat", tmp_path / f"{TRUTH}.mat"
    noisy.write_text("<html>Please log in</html>")
    truth.write_bytes(truth.read_bytes()[:-9])
    page, cut = sidd_blocks.find(pool(tmp_path)).problems
    assert page.startswith(f"{noisy} (26 bytes) is damaged, cut short or no")
    assert cut.startswith(f"{truth} ({truth.stat().st_size} bytes) is damaged, cut")


def test_wrong_variables_and_shapes_are_problems(tmp_path):
    settings = pool(miniatures.sidd_blocks(tmp_path))
    noisy, truth = tmp_path / f"{NOISY}.mat", tmp_path / f"{TRUTH}.mat"
    mat5(noisy, DenoisedBlocksSrgb=photo(shape=SHAPE))
    # The mistake of writing 7.3 from Python without turning the axes.
    mat73(truth, **{TRUTH: photo(shape=SHAPE).T})
    for problem, path, name in zip(
        sidd_blocks.find(settings).problems, (noisy, truth), (NOISY, TRUTH), strict=True
    ):
        assert problem.startswith(f"{path} (")
        assert f"but expected is {name} (any, any, any, any, 3) uint8" in problem
    mat5(noisy, **{NOISY: photo(shape=SHAPE)})
    mat5(truth, **{TRUTH: photo(shape=(2, 2, 5, 7, 3))})
    (problem,) = sidd_blocks.find(settings).problems
    assert problem.startswith(f"{truth} (")
    assert "(2, 2, 5, 7, 3) uint8, but expected is" in problem
    assert f"{TRUTH} (2, 3, 5, 7, 3) uint8" in problem


def test_a_file_broken_after_it_was_found_is_refused(tmp_path):
    settings = pool(miniatures.sidd_blocks(tmp_path))
    item = sidd_blocks.find(settings).items[0]
    (tmp_path / f"{TRUTH}.mat").write_bytes(b"")
    with pytest.raises(
        MidError, match=rf"{TRUTH}\.mat \(0 bytes\) is damaged, cut short or no"
    ):
        sidd_blocks.read(item, "truth", settings)

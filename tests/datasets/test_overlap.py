"""Pools that share files are found by what the files are, not by their names."""

import shutil

import pytest

from mid_core.datasets.overlap import files_by, overlaps
from mid_core.runtime.files import place, sha256


@pytest.fixture
def files(tmp_path):
    for name in ("clean/a.png", "clean/b.png", "noisy/n.png", "truth/n.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def found(identity, folder):
    """What overlaps, where each pool is a folder and the truth is of ``noisy``."""

    def of(name):
        items = [{"image": str(file)} for file in sorted((folder / name).iterdir())]
        return files_by(identity, items, "image")

    pools = {("clean", "image"): of("clean"), ("noisy", "image"): of("noisy")}
    pools["noisy", "truth"] = of("truth")
    needs = [{"pool": pool, "clean": "clean"} for pool in ("clean", "noisy")]
    return overlaps(pools, needs)


@pytest.mark.parametrize("identity", [place, sha256])
def test_other_images_and_one_pool_by_itself_are_no_overlap(identity, files):
    assert found(identity, files) == []


def test_a_link_is_the_file_and_a_copy_is_by_its_content(files):
    (files / "noisy/link.png").symlink_to(files / "clean/a.png")
    shutil.copy(files / "clean/b.png", files / "noisy/copy.png")
    (one,) = found(place, files)
    assert "pool 'noisy' shares 1 file(s) with the clean pool 'clean', such as " in one
    assert f"{files}/noisy/link.png, which is {files}/clean/a.png: its noisy" in one
    (both,) = found(sha256, files)
    assert "shares 2 file(s)" in both


def test_a_truth_among_the_clean_images_is_an_overlap(files):
    shutil.copy(files / "truth/n.png", files / "clean/c.png")
    (one,) = found(sha256, files)
    assert "would be scored on images that the training knows" in one

"""A pool's files: what of them is noticed, and what is not."""

import os

import pytest

from mid_config.pool_files import (
    fingerprint,
    hashes,
    record_files,
    record_of,
    replaced,
)


@pytest.fixture
def pool(tmp_path):
    """Return a pool's settings, a function to hash its files, and one to record them."""
    for name in ("x/a.bmp", "x/b.bmp", "t/a.bmp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    truth = {"path": str(tmp_path / "t")}
    settings = {"reader": "folders", "path": str(tmp_path / "x"), "truth": truth}
    record = record_of(tmp_path / "image.files.json")

    def look():
        return fingerprint(settings, "image", record)

    def read():
        record_files([str(file) for file in (tmp_path / "x").iterdir()], record)

    return tmp_path / "x", look, read


def write(path, content, later=1):
    """Write a file, and give it a time stamp of its own."""
    path.write_bytes(content)
    then = path.stat().st_mtime + later
    os.utime(path, (then, then))


def test_a_replaced_file_of_equal_size_is_noticed_once(pool):
    folder, look, read = pool
    first = look()
    read()
    assert look() == first
    write(folder / "a.bmp", b"x/A.bmp")
    changed = look()
    assert changed != first
    # What was ingested since is no further change.
    read()
    assert look() == changed
    write(folder / "a.bmp", b"x/a.bmp", later=2)
    assert look() not in (changed, first)


def test_a_file_that_is_put_back_is_no_change(pool):
    folder, look, read = pool
    first = look()
    read()
    write(folder / "a.bmp", b"x/A.bmp")
    look()
    write(folder / "a.bmp", b"x/a.bmp", later=2)
    assert look() == first


def test_a_touched_file_is_hashed_once(pool, monkeypatch):
    folder, look, read = pool
    first = look()
    read()
    write(folder / "a.bmp", b"x/a.bmp")
    assert look() == first

    def unexpected(path):
        raise AssertionError(path)

    monkeypatch.setattr("mid_config.pool_files._sha256", unexpected)
    assert look() == first


def test_names_and_sizes_count_before_anything_is_recorded(pool):
    folder, look, _ = pool
    seen = {look()}
    write(folder / "a.bmp", b"longer than before")
    seen.add(look())
    (folder / "a.bmp").rename(folder / "c.bmp")
    seen.add(look())
    (folder / ".hidden.bmp").write_bytes(b"")
    (folder / "text.txt").write_bytes(b"")
    assert look() in seen
    assert len(seen) == 3


def test_a_truth_has_a_record_of_its_own(pool):
    folder, _, _ = pool
    truth = folder.parent / "t/a.bmp"
    record = record_of(folder.parent / "truth.files.json")
    assert record.name == "truth.read.json"
    record_files([str(truth)], record)
    write(truth, b"t/A.bmp")
    # sha256sum of "t/A.bmp".
    digest = "1c5a19c3bb5e761aebc593f419307dd8272c46d309802a1be37b8302f73c15d8"
    assert replaced([str(truth)], record) == {str(truth): digest}
    record_files([str(truth), str(truth)], record)
    assert hashes(record) == {digest: str(truth)}

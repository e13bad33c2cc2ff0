"""Folders are searched as people expect, whatever else lies in them."""

import pytest

from mid_core.errors import MidError
from mid_core.images.listing import list_images

FILES = (
    *("b10.PNG", "b9.jpg", "a.TIFF", "._a.tif", ".DS_Store", "notes.txt"),
    *("sub/c.webp", "sub/GT/x1.png", "sub/gt/x2.png", "two/GT/x1.png"),
    *(".git/h.png", "two/.cache/h.png", "[odd]/x+1.png"),
)


@pytest.fixture
def folder(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*", ["a.TIFF", "b9.jpg", "b10.PNG"]),
        ("B*", ["b9.jpg", "b10.PNG"]),
        ("b?.jpg", ["b9.jpg"]),
        ("b[!9]*", ["b10.PNG"]),
        ("*/*", ["[odd]/x+1.png", "sub/c.webp"]),
        ("*/GT/*.png", ["sub/GT/x1.png", "sub/gt/x2.png", "two/GT/x1.png"]),
        ("sub/**/x*.png", ["sub/GT/x1.png", "sub/gt/x2.png"]),
        ("**/c.webp", ["sub/c.webp"]),
        ("**/b9.jpg", ["b9.jpg"]),
        ("*/x+1.png", ["[odd]/x+1.png"]),
    ],
)
def test_patterns_and_natural_order(folder, pattern, names):
    assert list(list_images(folder, pattern)) == names


def test_any_depth_is_everything_but_the_hidden(folder):
    names = list(list_images(folder, "**/*"))
    assert names == [
        *("[odd]/x+1.png", "a.TIFF", "b9.jpg", "b10.PNG"),
        *("sub/GT/x1.png", "sub/c.webp", "sub/gt/x2.png", "two/GT/x1.png"),
    ]
    assert list(list_images(folder, "**")) == names


def test_what_the_wildcards_stand_for(folder):
    assert list_images(folder, "*/GT/x[0-9]*.png") == {
        "sub/GT/x1.png": ("sub", "1", ""),
        "sub/gt/x2.png": ("sub", "2", ""),
        "two/GT/x1.png": ("two", "1", ""),
    }
    assert list_images(folder, "**/GT/*.png")["two/GT/x1.png"] == ("two/", "x1")


def test_linked_folders_are_searched_but_not_in_circles(folder):
    (folder / "link").symlink_to(folder / "two", target_is_directory=True)
    (folder / "two" / "loop").symlink_to(folder, target_is_directory=True)
    for pattern in ("*/GT/*", "**/*"):
        found = list_images(folder, pattern)
        assert "link/GT/x1.png" in found
        assert not any("loop" in name for name in found)


@pytest.mark.parametrize("pattern", ["z*", "", "/", "../*", "["])
def test_nothing_found_is_a_sentence(folder, pattern):
    with pytest.raises(MidError, match=rf"{folder.name} holds no image that matches"):
        list_images(folder, pattern)


def test_no_folder_is_a_sentence(folder):
    for name in ("none", "b9.jpg"):
        with pytest.raises(MidError, match=rf"{name} is no folder"):
            list_images(folder / name)

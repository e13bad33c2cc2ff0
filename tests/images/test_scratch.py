"""Arrays in files that nobody sees and nothing leaves behind."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mid_core.errors import MidError
from mid_core.images import files
from mid_core.images.scratch import scratch
from tests.pictures import noise, save_pillow, save_tiff


def test_it_is_an_array_like_any_other(tmp_path):
    array = scratch((7, 5, 3), "uint16", tmp_path)
    assert (array.shape, array.dtype, type(array)) == ((7, 5, 3), np.uint16, np.ndarray)
    array[:] = 9
    array[2:4, ::-1] += 1
    assert array.sum() == 9 * 105 + 30
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux")
def test_its_pages_are_in_a_file(tmp_path):
    array = scratch((3, 2**20), "uint8", tmp_path)
    array[:] = 1
    maps = Path("/proc/self/maps").read_text().splitlines()
    (line,) = (line for line in maps if str(tmp_path) in line)
    assert line.endswith("(deleted)")


def test_a_full_disk_is_an_error_and_not_a_killed_process(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", fail, raising=False)
    with pytest.raises(
        MidError, match=rf"{tmp_path} cannot hold a file of 3 MB .*No space left"
    ):
        scratch((3, 2**20), "uint8", tmp_path)
    save_tiff(tmp_path / "a.tif", noise(3))
    with pytest.raises(MidError, match="make room there"):
        files.read(tmp_path / "a.tif", space=lambda *a: scratch(*a, tmp_path))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "palette.png", "p.tif"])
def test_every_decoder_fills_the_array_it_is_given(tmp_path, name):
    given = []

    def space(shape, dtype):
        given.append(np.full(shape, 77, dtype))
        return given[-1]

    samples = noise(3)
    if name.startswith("p"):
        Image.fromarray(samples).quantize(16).save(tmp_path / name)
    else:
        (save_tiff if name == "a.tif" else save_pillow)(tmp_path / name, samples)
    picture = files.read(tmp_path / name, space=space)
    assert np.shares_memory(picture.samples, given[-1])
    np.testing.assert_array_equal(picture.samples, files.read(tmp_path / name).samples)

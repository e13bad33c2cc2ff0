"""What is told of the noise of image files."""

import re

import imageio.v3 as iio
import numpy as np
import pytest

from mid_core.errors import MidError
from mid_core.evaluation.look_report import in_words, summary
from mid_core.evaluation.sights import (
    correlations,
    curve,
    image_files,
    look_at,
    rows,
)
from tests.pictures import save_pages


def noisy(rng, shape, sigma, mean=120):
    return np.clip(rng.normal(mean, sigma, shape).round(), 0, 255).astype(np.uint8)


def smooth(rng, shape, sigma):
    """Noise that is a mean of 2 x 2 pixels, of this std: lag 1 is 0.5, diagonal 0.25."""
    n = rng.normal(0, 2 * sigma, (shape[0] + 1, shape[1] + 1, *shape[2:]))
    n = (n[1:, 1:] + n[:-1, 1:] + n[1:, :-1] + n[:-1, :-1]) / 4
    return np.clip((120 + n).round(), 0, 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path, rng):
    iio.imwrite(tmp_path / "a2.png", smooth(rng, (67, 91, 3), 12))
    iio.imwrite(tmp_path / "a10.png", smooth(rng, (91, 67, 3), 20))
    save_pages(
        tmp_path / "grey.tif", [noisy(rng, (65, 81), 5), noisy(rng, (65, 81), 9)]
    )
    (tmp_path / "broken.png").write_bytes(b"none")
    iio.imwrite(tmp_path / "small.png", noisy(rng, (31, 80), 5))
    return tmp_path


def test_images_are_looked_at_by_their_colours_and_pages(folder):
    sights, refused = look_at(image_files(folder))
    grey, colour = sights
    assert [seen.name for seen in colour.images] == ["a2.png", "a10.png"]
    assert [seen.name for seen in grey.images] == ["grey.tif#000", "grey.tif#001"]
    assert (grey.colours, colour.colours) == (("grey",), ("R", "G", "B"))
    assert (grey.camera.is_white, colour.camera.is_white) == (True, False)
    assert len(refused) == 2
    assert "broken.png cannot be read" in refused[0]
    assert refused[1].startswith(f"{folder / 'small.png'}: the image is 80x31 pixels")


def test_a_row_tells_what_was_made(folder):
    table = {row["image"]: row for row in rows(look_at(image_files(folder))[0])}
    made = {"a2.png": 12, "a10.png": 20, "grey.tif#000": 5, "grey.tif#001": 9}
    for name, sigma in made.items():
        assert table[name]["level"] == pytest.approx(sigma, rel=0.15)
    assert table["a2.png"]["level_G"] == pytest.approx(12, rel=0.2)
    assert table["a2.png"]["lag_1"] == pytest.approx(0.5, abs=0.1)
    assert table["a2.png"]["diagonal"] == pytest.approx(0.25, abs=0.1)
    assert abs(table["a2.png"]["RB"]) < 0.15
    assert "RB" not in table["grey.tif#000"]
    assert table["grey.tif#000"]["clipped"] == 0


def test_colours_with_the_same_noise_are_correlated(tmp_path, rng):
    same = np.repeat(smooth(rng, (67, 91, 1), 12), 3, axis=2)
    iio.imwrite(tmp_path / "same.png", same)
    ((sight,), _) = look_at([tmp_path / "same.png"])
    found = correlations(sight.images[0].look)
    # Correlations are smoothed over frequencies, so that not quite 1 is seen.
    for pair in ("RG", "RB", "GB"):
        assert found[pair] == pytest.approx(1, abs=0.05)


def test_the_curve_ends_where_no_image_is_that_bright(folder):
    grey, _ = look_at(image_files(folder))[0]
    stds = curve(grey)
    # Around 120, smoothed: bins of 16 grey levels from 112 to 128, and neighbours.
    assert np.isfinite(stds[0, 7])
    assert np.isnan(stds[0, [0, 3, 11, 15]]).all()
    assert stds[0, 7] == pytest.approx(7, rel=0.15)


def test_the_text_tells_all_together_and_a_line_for_each(folder):
    text = in_words(look_at(image_files(folder))[0])
    for part in (
        "2 in grey: the noise is white",
        "2 in colour: the noise is correlated",
        "std of 255, median (range)",
        "  level R  ",
        "  std at brightness 120  ",
        "lags 1, 2, 4",
        "RG, RB, GB",
        "  grey.tif#001  ",
    ):
        assert part in text
    assert "nan" not in text
    assert "otherwise" not in text


def test_the_summary_has_sizes_and_the_level_by_brightness(folder):
    grey, colour = summary(look_at(image_files(folder))[0]).split("\n2 in colour")
    assert "  81x65  " in grey
    assert "  91x67 to 67x91  " in colour
    # Stds of 5 and 9 around 120: their median, in the bin from 112 to 128.
    level, at = re.search(r"by brightness.* ([\d.]+) at (120)\b", grey).groups()
    assert (float(level), int(at)) == (pytest.approx(7, rel=0.15), 120)


def test_images_that_do_not_look_alike_are_told(tmp_path, rng):
    for i in range(3):
        iio.imwrite(tmp_path / f"w{i}.png", noisy(rng, (67, 91), 10))
    iio.imwrite(tmp_path / "s.png", smooth(rng, (67, 91), 10))
    text = in_words(look_at(image_files(tmp_path))[0])
    assert "but 1 of 4 would by themselves say otherwise" in text


def test_nothing_to_look_at_is_an_error(folder):
    with pytest.raises(MidError, match=r"no image could be looked at:\n.*broken\.png"):
        look_at([folder / "broken.png", folder / "small.png"])


def test_transparent_parts_are_no_picture(tmp_path, rng):
    pixels = noisy(rng, (41, 57, 4), 9)
    iio.imwrite(tmp_path / "a.png", pixels)
    with pytest.raises(MidError, match="transparent parts"):
        look_at([tmp_path / "a.png"])
    pixels[..., 3] = 255
    iio.imwrite(tmp_path / "a.png", pixels)
    assert look_at([tmp_path / "a.png"])[0][0].colours == ("R", "G", "B")

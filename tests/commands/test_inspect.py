"""`mid inspect` on images; on stores, see test_cli.py."""

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest

from tests.commands.test_cli import run


@pytest.fixture
def folder(tmp_path, rng):
    images = tmp_path / "images"
    images.mkdir()
    for i in (1, 2):
        pixels = rng.normal(120, 10 * i, (41, 57, 3)).clip(0, 255).astype(np.uint8)
        iio.imwrite(images / f"a{i}.png", pixels)
    (images / "b.png").write_bytes(b"none")
    return images


def test_a_folder_is_told_written_and_drawn(folder, tmp_path, monkeypatch, capsys):
    table, figure = tmp_path / "t.csv", tmp_path / "f.png"
    run(monkeypatch, "inspect", folder, "--csv", table, "--figure", figure)
    told = capsys.readouterr().out
    assert told.startswith("2 in colour: the noise is white")
    assert "left out: " in told
    assert "b.png cannot be read" in told
    found = pd.read_csv(table)
    assert list(found["image"]) == ["a1.png", "a2.png"]
    np.testing.assert_allclose(found["level"], [10, 20], rtol=0.15)
    assert iio.imread(figure).ndim == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.png", "images", "t.csv"]


def test_a_single_image_is_told(folder, monkeypatch, capsys):
    run(monkeypatch, "inspect", folder / "a1.png")
    assert capsys.readouterr().out.startswith("1 in colour: ")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["images", "--csv", "t.txt"], r"name ends in \.csv"),
        (["images", "--csv", "none/t.csv"], r"none cannot be written"),
        (["noise.zarr", "--csv", "t.csv"], r"give images, not a store"),
        (["images", "--figure", "images/a1.png"], r"a1\.png itself, which is read"),
        (["images/b.png"], r"no image could be looked at"),
        (["nothing"], r"there is no store at nothing: nor is there an image"),
        (["empty"], r"there is no store at empty: .* holds no image"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    arguments, reason, folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    before = (folder / "a1.png").read_bytes()
    with pytest.raises(SystemExit, match=reason):
        run(monkeypatch, "inspect", *arguments)
    assert not capsys.readouterr().out
    assert (folder / "a1.png").read_bytes() == before

import pandas as pd
import pytest

from mid_core.errors import MidError
from mid_core.tables.layout import latex, markdown
from mid_core.tables.rounds import rounds_layout, rounds_table
from tests.tables.test_scores import scores

CARD = {"train_seconds": 100.0, "device": "cpu"}


def test_table_of_rounds():
    table = rounds_table(
        [
            ("mid", 0, scores(30), CARD),
            ("mid", 1, scores(32), CARD),
            ("no_mask", 0, scores(28, k=(1,)), CARD),
        ]
    )
    assert list(table["variant"]) == ["noisy", *["mid"] * 4, "no_mask"]
    noisy = table.iloc[0]
    assert (noisy["psnr_db"], noisy["ssim"], noisy["k"]) == (20.5, 0.25, 0)
    assert table["n_images"].eq(2).all()
    layouts = rounds_layout(table, {"dnd": "/data/dnd"})
    text = "".join(map(markdown, layouts))
    assert "noisy input 20.50 / 0.250" in text
    assert "**t, protocol p**" in text
    assert "- PSNR (dB) / SSIM, n = 2, seed 0; SIDD (s);" in text
    assert "**dnd: not available, as there is no folder /data/dnd**" in text
    row = next(line for line in text.splitlines() if "no_mask" in line)
    assert "28.60 / 0.500" in row
    assert text.index("K = 1 ") < text.index("K = 10")
    tex = "".join(map(latex, layouts))
    assert "% t, protocol p\n% PSNR (dB) / SSIM, n = 2, seed 0; SIDD (s);" in tex
    assert r"no\_mask & 0 & 0.8 & 28.60 / 0.500 &  \\" in tex
    assert "% dnd: not available, as there is no folder /data/dnd" in tex


@pytest.mark.parametrize(
    ("other", "key"),
    [
        ({"protocol": "q"}, "protocol"),
        ({"images": ("a",)}, "n_images"),
        ({"content": "c1"}, "content"),
        ({"split": "64 of 1280"}, "split"),
    ],
)
def test_unlike_numbers_are_not_put_into_one_table(other, key):
    with pytest.raises(MidError, match=f"the scores on 't' differ in their {key} "):
        rounds_table([("a", 0, scores(30), CARD), ("b", 0, scores(30, **other), CARD)])


def test_protocols_are_kept_apart():
    both = pd.concat([scores(30), scores(33, protocol="q")])
    table = rounds_table([("mid", 0, both, CARD)])
    assert list(table["protocol"]) == ["p", "q", "p", "p", "q", "q"]
    assert list(table["psnr_db"]) == [20.5, 20.5, 30.6, 31.5, 33.6, 34.5]
    one, other = map(markdown, rounds_layout(table, {}))
    assert "protocol p" in one
    assert "34.50" not in one
    assert "protocol q" in other
    assert "34.50" in other

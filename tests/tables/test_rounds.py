import pandas as pd
import pytest

from mid_core.errors import MidError
from mid_core.tables.rounds import (
    mean_scores,
    rounds_latex,
    rounds_markdown,
    rounds_table,
)

CARD = {"train_seconds": 100.0, "device": "cpu"}


def scores(psnr, k=(1, 10), protocol="p", images=("a", "b"), content="c0", split="s"):
    return pd.DataFrame(
        {
            "dataset": "SIDD",
            "split": split,
            "test": "t",
            "content": content,
            "image": image,
            "k": one,
            "mask_ratio": 0.8,
            "psnr_db": psnr + i + one / 10,
            "ssim": 0.5,
            "noisy_psnr_db": 20.0 + i,
            "noisy_ssim": 0.25,
            "protocol": protocol,
            "seed": 0,
        }
        for i, image in enumerate(images)
        for one in k
    )


def test_means_by_hand():
    found = mean_scores(scores(30))
    assert list(found["k"]) == [1, 10]
    assert list(found["psnr_db"]) == [30.6, 31.5]
    assert list(found["n_images"]) == [2, 2]
    both = mean_scores(pd.concat([scores(30), scores(33, protocol="q")]))
    assert list(both["protocol"]) == ["p", "p", "q", "q"]
    assert list(both["psnr_db"]) == [30.6, 31.5, 33.6, 34.5]
    with pytest.raises(MidError, match="differ in their content cannot be averaged"):
        mean_scores(pd.concat([scores(30), scores(30, content="c1")]))


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
    text = rounds_markdown(table, {"dnd": "/data/dnd"})
    assert "noisy input 20.50 / 0.250" in text
    assert "protocol p, n = 2, seed 0; SIDD (s);" in text
    assert "**dnd**: not available, as there is no folder /data/dnd" in text
    row = next(line for line in text.splitlines() if "no_mask" in line)
    assert "28.60 / 0.500" in row
    assert text.index("K = 1 ") < text.index("K = 10")
    latex = rounds_latex(table, {"dnd": "/data/dnd"})
    assert "% t: PSNR (dB) / SSIM, protocol p, n = 2, seed 0; SIDD (s);" in latex
    assert r"no\_mask & 0 & 0.8 & 28.60 / 0.500 &  \\" in latex
    assert "% dnd: not available, as there is no folder /data/dnd" in latex


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
    blocks = rounds_markdown(table, {}).split("**t**")[1:]
    assert [("protocol p" in block, "34.50" in block) for block in blocks] == [
        (True, False),
        (False, True),
    ]

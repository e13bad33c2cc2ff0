"""What each method was given and what it costs."""

import pandas as pd
import pytest

from mid_core.tables.given import COLUMNS, compared_table, given_layout

NOTHING = {"parameters": None, "train_seconds": None, "memory_mb": None}


def row(method, psnr_db, seed=0, test="t", protocol="p", **others):
    facts = {
        "category": "unpaired",
        "ssim": 0.91236,
        "noisy_psnr_db": 20.12345,
        "n_images": 5,
        "seen": "",
        "given": "4 x 2 x 16² of noisy",
        "parameters": 1_268_547,
        "train_seconds": 90.06,
        "seconds_per_megapixel": 0.1234,
        "memory_mb": 511.7,
    }
    own = {"method": method, "psnr_db": psnr_db, "seed": seed, "test": test}
    return facts | own | {"protocol": protocol} | others


def measured():
    """Two seeds of a network, a method without training, and the noisy input."""
    noisy = {"category": "noisy input", "given": "", "seed": None}
    classical = {"category": "non-learning", "given": "", "seed": None}
    return pd.DataFrame(
        [
            row("noisy input", 20.0, seconds_per_megapixel=None, **NOTHING | noisy),
            row("net", 36.98765),
            row("net", 37.0, 1, train_seconds=150.06, seconds_per_megapixel=0.3234),
            row("net", 36.0, protocol="q"),
            row("net", 35.0, test="u", parameters=7),
            row("NLM", 30.0, **NOTHING | classical, seconds_per_megapixel=12.0),
            row("small", 30.0, parameters=94_939, given="a; then b"),
        ]
    )


def test_every_number_is_in_a_row_of_its_own():
    table = compared_table(measured())
    assert list(table.columns) == COLUMNS
    assert len(table) == 7
    net = table[(table["method"] == "net") & (table["seed"] == 0)].iloc[0]
    assert net["family"] == "unpaired"
    assert [net[name] for name in ("psnr_db", "ssim", "noisy_psnr_db")] == [
        36.988,
        0.9124,
        20.123,
    ]
    assert [net[name] for name in ("train_seconds", "memory_mb")] == [90.1, 512]
    assert net["seconds_per_megapixel"] == 0.123
    nlm = table[table["method"] == "NLM"].iloc[0]
    assert nlm[["parameters", "train_seconds", "memory_mb", "seed"]].isna().all()
    assert nlm["seconds_per_megapixel"] == 12


def test_a_method_has_one_row_of_means_over_seeds():
    laid_out = given_layout(measured())
    rows = laid_out.cells.set_index("method")
    # Of another test or protocol it is the same again, and the input is no method.
    assert list(rows.index) == ["net", "NLM", "small"]
    assert dict(rows.loc["net"]) == {
        "trained on": "4 x 2 x 16² of noisy",
        "parameters": "1.27 M",
        "training": "2.0 min",
        "s a megapixel": "0.22",
        "memory (MB)": "512",
    }
    assert dict(rows.loc["NLM"]) == {
        "trained on": "–",
        "parameters": "–",
        "training": "–",
        "s a megapixel": "12.00",
        "memory (MB)": "–",
    }
    assert rows.loc["small", "parameters"] == "95 k"
    assert rows.loc["small", "trained on"] == "a; then b"


@pytest.mark.parametrize(
    "said", ["crops a step", "all of its passes", "512x512 pixels"]
)
def test_the_notes_say_what_the_numbers_are(said):
    assert sum(said in note for note in given_layout(measured()).notes) == 1

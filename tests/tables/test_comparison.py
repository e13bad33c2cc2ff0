"""Numbers of different sources, protocols or images never meet in one column."""

import re

import pandas as pd
import pytest

from mid_core.errors import MidError
from mid_core.tables.comparison import HERE, comparison, comparison_layout
from mid_core.tables.layout import latex, markdown
from mid_core.tables.published import published

WHOLE = {
    "dataset": "SIDD validation or benchmark blocks (sRGB)",
    "split": "validation, 1280 of 1280",
    "content": "c0",
    "n_images": 1280,
}
NOBODY = published("SIDD", "validation").iloc[:0]


def row(method, psnr_db, ssim=0.9, category="unpaired", seed=0, **others):
    facts = {"protocol": "p", "seen": "", "note": "", "test": "t"} | WHOLE | others
    return {
        "method": method,
        "category": category,
        "psnr_db": psnr_db,
        "ssim": ssim,
        "seed": seed,
    } | facts


def comparison_markdown(table):
    return markdown(comparison_layout("Title", table))


def comparison_latex(table):
    return latex(comparison_layout("Title", table))


def measured(*rows):
    return pd.DataFrame(rows)


def cells(text):
    """Read a Markdown table: method and heading to cell."""
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return {
        (line[1], heading): cell
        for line in lines[2:]
        for heading, cell in zip(lines[0], line, strict=True)
    }


def test_seeds_are_averaged_and_counted():
    table = comparison(
        measured(
            row("MID", 36.0),
            row("MID", 37.0, seed=1),
            row("NLM", 30.0, category="non-learning", seed=None),
        ),
        NOBODY,
    )
    assert list(table["psnr_db"]) == [36.5, 30]
    assert list(table["seeds"]) == [2, 0]
    assert table["psnr_sd"].iloc[0] == pytest.approx(0.5**0.5)
    assert r"36.50 $\pm$ 0.71 / 0.900 $\pm$ 0.000 (2 seeds)" in comparison_latex(table)
    found = cells(comparison_markdown(table))
    spread = "36.50 ± 0.71 / 0.900 ± 0.000 (2 seeds)"
    assert found["MID", "measured here: p"] == spread
    assert found["NLM", "measured here: p"] == "30.00 / 0.900"


@pytest.mark.parametrize("split", ["validation", "benchmark"])
def test_each_number_stands_under_its_source_and_nowhere_else(split):
    others = published("SIDD", split)
    found = cells(comparison_markdown(comparison(pd.DataFrame(), others)))
    for other in others.itertuples():
        named = other.protocol != "as in source"
        heading = other.source + (f": {other.protocol}" if named else "")
        method = other.method + (" †" if other.trained_on_test else "")
        assert re.sub(r"\*", "", found[method, heading]).startswith(
            f"{other.psnr_db:.2f} / "
        )
    filled = [key for key, cell in found.items() if " / " in cell]
    assert len(filled) == len(others)


def test_what_was_measured_stands_first_beside_the_published():
    own = measured(row("BM3D", 26.0, 0.5, "non-learning", None))
    table = comparison(own, published("SIDD", "validation"))
    assert table["source"].iloc[0] == HERE
    found = cells(comparison_markdown(table))
    assert [found["BM3D", source] for source in ("measured here: p", "AT-BSN")] == [
        "26.00 / 0.500",
        "31.75 / 0.706",
    ]
    assert found["BM3D", "MASH"] == "25.65 / 0.475"
    assert found["BM3D", "TM-BSN note"] == ""


def test_best_and_second_are_marked_among_those_without_pairs():
    own = measured(
        row("ceiling", 40.0, 0.99, "supervised"),
        row("peeks", 39.0, 0.98, seen="noisy halves"),
        row("a", 38.0, 0.91),
        row("b", 37.0, 0.93, "self-supervised"),
        row("c", 36.0, 0.93, "zero-shot"),
        row("alone", 36.0, protocol="q"),
    )
    table = comparison(own, NOBODY)
    found = cells(comparison_markdown(table))
    assert {m: cell.split(" (")[0] for (m, h), cell in found.items() if ": p" in h} == {
        "ceiling": "40.00 / 0.990",
        "peeks †": "39.00 / 0.980",
        "a": "**38.00** / *0.910*",
        "b": "*37.00* / **0.930**",
        "c": "36.00 / **0.930**",
        "alone": "",
    }
    assert found["alone", "measured here: q"] == "36.00 / 0.900 (1 seed)"
    text = comparison_latex(table)
    assert r"\textbf{38.00} / \underline{0.910} (1 seed)" in text


def test_a_method_that_could_not_be_run_is_named():
    missing = row("BM3D", None, None, "non-learning", None)
    own = measured(missing, row("MID", 36.0))
    found = cells(comparison_markdown(comparison(own, NOBODY)))
    assert found["BM3D", "measured here: p"] == "not available"


def test_the_notes_tell_images_count_and_sources():
    own = measured(row("MID", 36.0))
    text = comparison_markdown(comparison(own, published("SIDD", "validation")))
    assert f"{WHOLE['dataset']} (validation, 1280 of 1280), n = 1280" in text
    assert "- TM-BSN note: second-hand: a note on TM-BSN" in text
    assert "TM-BSN: github" not in text


def test_the_notes_tell_what_was_seen_and_what_is_said_of_methods():
    seen = "the noise's level is estimated on each image"
    classical = {"category": "non-learning", "seed": None, "note": seen}
    own = measured(
        row("NLM", 30.0, **classical),
        row("NLM", 31.0, **classical, protocol="q"),
        row("BM3D", 31.0, **classical),
        row("theirs", 37.0, category="supervised", seed=None, note="on SIDD"),
        row("MID", 36.0, seen="noisy halves"),
        row("held out", 35.0),
        row("ceiling", 39.0, category="supervised", seen="true noise"),
    )
    text = comparison_markdown(comparison(own, NOBODY))
    for note in (
        "- measured here, †: trained on the test images, noisy halves seen: MID\n",
        "- measured here, †: trained on the test images, true noise seen: ceiling\n",
        "- NLM, BM3D: the noise's level is estimated on each image\n",
        "- theirs: on SIDD\n",
    ):
        assert text.count(note) == 1
    names = ("NLM", "BM3D", "theirs", "ceiling †", "MID †", "held out")
    assert [method for method, _ in cells(text)] == [
        name for name in names for _ in range(4)
    ]
    alone = comparison_markdown(comparison(measured(row("MID", 36.0)), NOBODY))
    assert "†: trained" not in alone
    assert "level" not in alone


def test_latex_is_escaped_and_whole():
    own = measured(row("50 % of A & B_1", 36.0))
    text = comparison_latex(comparison(own, published("SIDD", "validation")))
    assert r"50 \% of A \& B\_1" in text
    assert r"SDAP\#5" in text
    body = [line for line in text.splitlines() if not line.startswith("%")]
    rows = [line for line in body if line.endswith(r"\\")]
    assert len({len(re.findall(r"(?<!\\)&", line)) for line in rows}) == 1
    assert (body[0][:16], body[-1]) == (r"\begin{tabular}{", r"\end{tabular}")


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (row("b", 30.0, n_images=64), "differ in their n_images .1280 and 64."),
        (row("b", 30.0, content="c1"), "differ in their content .c0 and c1."),
        (row("b", 30.0, split="64 of 1280"), "differ in their split"),
        (row("b", 30.0, dataset="DND"), "differ in their dataset"),
        (row("a", 30.0), "'a' has two numbers under p: name its rounds and K apart"),
    ],
)
def test_unlike_numbers_are_refused(second, reason):
    with pytest.raises(MidError, match=reason):
        comparison(measured(row("a", 31.0), second), NOBODY)


@pytest.mark.parametrize(
    ("own", "others"),
    [
        ({"split": "validation, 64 of 1280", "n_images": 64}, ("SIDD", "validation")),
        ({}, ("SIDD", "benchmark")),
        ({}, ("DND", "benchmark")),
        ({"dataset": "my photos"}, ("SIDD", "validation")),
    ],
)
def test_other_images_do_not_stand_beside_published_numbers(own, others):
    with pytest.raises(MidError, match=f"of the whole {' '.join(others)}, those mea"):
        comparison(measured(row("MID", 36.0, **own)), published(*others))

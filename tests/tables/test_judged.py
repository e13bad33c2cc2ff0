"""Rounds are judged without truth: by the structure and the noise that they take out."""

import math

import pytest

from mid_core.tables.judged import judged_layout, judged_table, recommended


def row(variant="mid", k=0, structure=1.0, residual=9.5, level=10.0):
    return {
        "variant": variant,
        "round": k,
        "structure_taken": structure,
        "residual_std": residual,
        "noise_level": level,
        "images": 4,
        "train_seconds": 60,
    }


def test_structure_is_counted_by_the_power_of_the_noise():
    table = judged_table([row(structure=8, level=10), row(k=1, structure=8, level=2)])
    assert list(table["structure_share"]) == [0.08, 2]
    assert list(table["round"]) == [0, 1]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (row(), "fine"),
        (row(structure=70), "takes out structure"),
        (row(residual=2), "leaves noise"),
        # An image without noise: nothing is left in it.
        (row(structure=0, residual=0, level=0), "fine"),
    ],
)
def test_a_round_has_a_verdict(made, expected):
    assert judged_table([made])["verdict"].item() == expected


def test_a_round_that_is_fine_needs_no_advice():
    rows = [row(structure=70), row(k=1), row("other", structure=80)]
    assert recommended(judged_table(rows)) is None


def test_another_round_is_recommended_where_the_last_is_not_fine():
    rows = [row(), row(k=1, structure=70), row("other", structure=0.2), row("more")]
    advice = recommended(judged_table(rows))
    assert advice.startswith("'mid', round 1, takes out structure")
    assert "the model of 'other', round 0" in advice
    layout = judged_layout(judged_table(rows))
    assert advice in layout.notes


def test_a_blend_is_recommended_where_no_round_is_fine():
    advice = recommended(judged_table([row(residual=1), row("other", structure=70)]))
    assert advice.startswith("'mid', round 0, leaves noise")
    assert "--strength" in advice


def test_a_level_that_is_not_known_judges_nothing():
    table = judged_table([row(level=math.nan)])
    assert table["verdict"].item() != "takes out structure"
    cells = judged_layout(table).cells
    assert len(cells) == 1
    assert recommended(table) is None


def test_a_round_that_could_not_be_judged_is_not_recommended():
    rows = [row(structure=70), row("other", level=math.nan)]
    advice = recommended(judged_table(rows))
    assert advice.startswith("'mid', round 0, takes out structure")
    assert "'other'" not in advice

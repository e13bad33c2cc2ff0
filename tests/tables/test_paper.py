import pandas as pd
import pytest

from mid_core.errors import MidError
from mid_core.tables.layout import latex, markdown
from mid_core.tables.paper import Entry, paper_layout, paper_table
from tests.tables.test_scores import scores

COST = {
    "parameters": 2_000_000,
    "multiply_adds_per_pixel": 3000.0,
    "seconds_per_megapixel": 0.5,
    "memory_bytes": 4e8,
    "device": "cpu",
    "threads": 2,
}


def entry(label, *psnr, num_masks=None, cost=(), **how):
    """A row whose seeds score so many dB: by ``scores``, K = 10 is 1.5 dB above."""
    frames = [scores(p, **how).assign(seed=i) for i, p in enumerate(psnr)]
    return Entry(label, num_masks, frames, dict(cost))


def test_means_over_images_and_then_over_seeds():
    table = paper_table([entry("MID", 30, 31, 35), entry("one", 30, num_masks=1)])
    mid, one = (row for _, row in table.iterrows())
    assert (mid["k"], one["k"]) == (10, 1)
    assert mid["psnr_db"] == pytest.approx(33.5)
    # Of 31.5, 32.5 and 36.5: deviations -2, -1 and 3 make a variance of 7.
    assert mid["psnr_sd"] == pytest.approx(7**0.5)
    assert mid["seeds"] == 3
    assert one["psnr_db"] == pytest.approx(30.6)
    assert pd.isna(one["psnr_sd"])


def test_a_prediction_costs_as_much_as_its_passes():
    row = paper_table([entry("MID", 30, cost=COST.items())]).iloc[0]
    assert row["seconds_per_megapixel"] == pytest.approx(5)
    assert row["multiply_adds_per_pixel"] == pytest.approx(30_000)
    assert row["parameters"] == 2_000_000
    assert row["memory_bytes"] == 4e8


@pytest.mark.parametrize(
    "other",
    [{"images": ("a",)}, {"content": "c1"}, {"protocol": "q"}, {"split": "training"}],
)
def test_numbers_of_other_images_or_protocols_are_refused(other):
    with pytest.raises(MidError, match="differ in their"):
        paper_table([entry("MID", 30), entry("other", 31, **other)])


def test_a_number_carries_what_it_is_of():
    rows = [entry("MID", 30, 32, cost=COST.items()), entry("a_b", 30, 31, num_masks=1)]
    table = paper_table(rows)
    layout = paper_layout("Title", table)
    text = markdown(layout)
    for part in ("**Title**", "t: SIDD (s), n = 2, 2 seeds", "32.50 ± 1.41", "2.000"):
        assert part in text
    tex = latex(layout)
    for part in (r"32.50 $\pm$ 1.41", r"a\_b", r"\toprule", "% t: SIDD (s), n = 2"):
        assert part in tex
    assert "0000" not in tex


def told(*entries):
    return markdown(paper_layout("T", paper_table(entries)))


def test_time_and_memory_name_the_machine():
    gpu = COST | {"device": "cuda (H100)"}
    one = told(entry("MID", 30, cost=gpu.items()))
    assert (
        "- time and memory of K passes in turn, on: cuda (H100), 2 thread(s)\n" in one
    )
    assert "whole process" not in one
    both = [entry("MID", 30, cost=gpu.items()), entry("small", 30, cost=COST.items())]
    text = told(*both)
    assert "on: cuda (H100), 2 thread(s); cpu, 2 thread(s)\n" in text
    assert "- memory: where not on a GPU, the peak of the whole process\n" in text
    assert "thread" not in told(entry("MID", 30))

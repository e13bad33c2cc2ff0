import pandas as pd

from mid_core.evaluation.realism import MEASURES, MOMENTS
from mid_core.tables.layout import latex, markdown
from mid_core.tables.realism import gap_layout, realism_layout

ABOUT = {
    "pool": "noisy",
    "dataset": "my_set",
    "split": "all",
    "n_images": 3,
    "variant": "mid",
}
OF = "pool noisy: my_set (all), n = 3; banks of variant mid"


def test_realism_has_a_row_for_each_bank_and_a_column_for_each_measure():
    rows = [
        {"bank": bank, **ABOUT, **dict.fromkeys(MOMENTS | MEASURES, value)}
        for bank, value in (("true noise", 0.01), ("N_0", 1.23456))
    ]
    layout = realism_layout(pd.DataFrame(rows))
    text = markdown(layout)
    assert f"- {OF}\n" in text
    assert text.count("1.235") == len(MOMENTS | MEASURES)
    tex = latex(layout)
    assert f"% {OF}\n" in tex
    assert r"N\_0 & 1.235 &" in tex


def test_gap_has_a_row_for_each_ratio_and_a_column_for_each_bank():
    rows = [
        {"bank": bank, **ABOUT, "mask_ratio": ratio, "gap_nats": nats}
        for bank, whole in (("floor", 0.01), ("N_0", 6.0))
        for ratio, nats in ((0.0, whole), (0.15000000000000002, whole / 2))
    ]
    layout = gap_layout(pd.DataFrame(rows))
    text = markdown(layout)
    lines = [line.replace(" ", "") for line in text.splitlines()]
    assert [line for line in lines if line.startswith("|")][::2] == [
        "|maskratio|floor|N_0|",
        "|0%|0.0100|6.0000|",
    ]
    assert "|15%|0.0050|3.0000|" in lines
    assert f"- {OF}\n" in text
    assert r"15 \% & 0.0050 & 3.0000 \\" in latex(layout)

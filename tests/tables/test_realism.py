import pandas as pd

from mid_core.evaluation.realism import MEASURES
from mid_core.tables.layout import latex, markdown
from mid_core.tables.realism import gap_table, realism_table

ABOUT = {
    "pool": "noisy",
    "dataset": "my_set",
    "split": "all",
    "n_images": 3,
    "seed": 7,
    "variant": "mid",
}
OF = "pool noisy: my_set (all), n = 3, seed 7; banks of variant mid"


def test_realism_has_a_row_for_each_bank_and_a_column_for_each_measure():
    rows = [
        {
            "bank": bank,
            **ABOUT,
            **dict.fromkeys(MEASURES, value),
            "marginal_kl_nats_0": 9,
        }
        for bank, value in (("true noise", 0.01), ("N_0", 1.23456))
    ]
    told = realism_table(pd.DataFrame(rows))
    text = markdown(*told)
    assert f"- {OF}\n" in text
    assert text.count("1.235") == len(MEASURES)
    assert "9" not in text
    tex = latex(*told)
    assert f"% {OF}\n" in tex
    assert r"N\_0 & 1.235 &" in tex
    assert r"KL of 3$\times$3 patches (nats)" in tex


def test_gap_has_a_row_for_each_ratio_and_a_column_for_each_bank():
    rows = [
        {"bank": bank, **ABOUT, "mask_ratio": ratio, "gap_nats": nats}
        for bank, whole in (("floor", 0.01), ("N_0", 6.0))
        for ratio, nats in ((0.0, whole), (0.15000000000000002, whole / 2))
    ]
    told = gap_table(pd.DataFrame(rows))
    text = markdown(*told)
    lines = [line.replace(" ", "") for line in text.splitlines()]
    assert [line for line in lines if line.startswith("|")][::2] == [
        "|hidden|floor|N_0|",
        "|0%|0.010|6.000|",
    ]
    assert "|15%|0.005|3.000|" in lines
    assert f"- {OF}\n" in text
    assert r"15 \% & 0.005 & 3.000 \\" in latex(*told)

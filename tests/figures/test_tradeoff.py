import numpy as np
import pandas as pd
import pytest

from mid_core.figures.tradeoff import tradeoff_figure


def row(method, psnr_db, seconds, family="unpaired", seed=0, test="t", protocol="p"):
    return {
        "method": method,
        "psnr_db": psnr_db,
        "seconds_per_megapixel": seconds,
        "family": family,
        "seed": seed,
        "test": test,
        "protocol": protocol,
        "n_images": 5,
        "noisy_psnr_db": 20.125,
    }


@pytest.fixture
def table():
    return pd.DataFrame(
        [
            row("noisy input", 20.125, None, "noisy input", None),
            row("MID", 36.0, 2.0),
            row("MID", 37.0, 4.0, seed=1),
            row("MID", 30.0, 2.0, protocol="q"),
            row("NLM", 30.0, 12.0, "non-learning", None),
            row("not available", None, 9.0, "non-learning", None),
            row("net", 38.0, 0.5),
            row("NLM", 29.0, 11.0, "non-learning", None, "u"),
        ]
    )


def points(axes):
    """Of each family, where its methods are."""
    return {line.get_label(): line.get_xydata().tolist() for line in axes.lines}


def test_a_point_for_each_method_with_both_numbers(drawn, table):
    first, second = drawn(tradeoff_figure, table).axes
    assert points(first) == {
        "unpaired": [[3, 36.5], [0.5, 38]],
        "non-learning": [[12, 30]],
    }
    assert points(second) == {"non-learning": [[11, 29]]}
    assert {text.get_text(): text.xy for text in first.texts} == {
        "MID": (3, 36.5),
        "net": (0.5, 38),
        "NLM": (12, 30),
    }
    assert first.get_xscale() == "log"
    assert first.get_title() == "t: n = 5, p, noisy input 20.12 dB"


def test_a_family_looks_alike_in_all_panels(drawn, table):
    figure = drawn(tradeoff_figure, table)
    first, second = figure.axes
    looks = [
        {one.get_label(): (one.get_color(), one.get_marker()) for one in axes.lines}
        for axes in (first, second)
    ]
    assert looks[0]["non-learning"] == looks[1]["non-learning"]
    assert looks[0]["non-learning"] != looks[0]["unpaired"]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["unpaired", "non-learning"]


def test_a_family_of_a_later_test_only_is_in_the_legend(drawn, table):
    only = pd.DataFrame([row("theirs", 39.0, 1.0, "supervised", None, "u")])
    figure = drawn(tradeoff_figure, pd.concat([table, only], ignore_index=True))
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert set(texts) == {"unpaired", "non-learning", "supervised"}


def test_many_methods_are_legible(drawn):
    rng = np.random.default_rng(1)
    families = ["non-learning", "synthetic pairs", "supervised", "unpaired"]
    rows = [
        row(f"method {i}", p, s, families[i % 4])
        for i, (p, s) in enumerate(rng.uniform([25, 0.1], [40, 99], (16, 2)))
    ]
    (axes,) = drawn(tradeoff_figure, pd.DataFrame(rows)).axes
    assert len(axes.texts) == 16

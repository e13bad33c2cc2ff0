"""Every published number has its source, and is what the source's file says."""

import re
import tomllib

import pandas as pd
import pytest

from mid_core.errors import MidError
from mid_core.tables.published import CATEGORIES, published, references
from tests.conftest import ROOT

ALL = pd.read_csv(ROOT / "mid_core/tables/published.csv")
SETS = list(ALL[["dataset", "split"]].drop_duplicates().itertuples(index=False))


@pytest.fixture
def reference(shared):
    return shared.parent / "reference"


def number(dataset, split, source, method, trained_on_test=False):
    table = published(dataset, split).set_index(["source", "method", "trained_on_test"])
    return tuple(table.loc[(source, method, trained_on_test), ["psnr_db", "ssim"]])


def test_every_number_has_a_source_and_every_source_a_number():
    sources = pd.read_csv(ROOT / "mid_core/tables/published_sources.csv")
    assert sources["source"].is_unique
    assert set(sources["source"]) == set(ALL["source"])
    assert sources["reference"].str.len().gt(15).all()
    first = references(["TM-BSN", "AP-BSN"])
    assert list(first) == ["TM-BSN", "AP-BSN"]
    assert "at 210013c, figs/results.png" in first["AP-BSN"]


def test_a_source_gives_a_method_one_number_under_one_protocol():
    rows = ["method", "trained_on_test", "dataset", "split", "source"]
    assert not ALL.duplicated(rows).any()
    assert ALL.groupby(["dataset", "split", "source"])["protocol"].nunique().eq(1).all()


def test_numbers_are_sane():
    assert ALL["psnr_db"].between(20, 42).all()
    assert ALL["ssim"].dropna().between(0.4, 1).all()
    assert ALL.drop(columns="ssim").notna().all(axis=None)


def test_a_method_has_one_known_category():
    assert set(ALL["category"]) <= set(CATEGORIES)
    assert ALL.groupby("method")["category"].nunique().eq(1).all()


@pytest.mark.parametrize(("dataset", "split"), SETS)
def test_sets_are_read_apart(dataset, split):
    table = published(dataset, split)
    assert table["trained_on_test"].dtype == bool
    assert table["dataset"].eq(dataset).all()
    assert table["split"].eq(split).all()


def test_an_unknown_set_is_refused_with_those_known():
    with pytest.raises(
        MidError, match="SIDD test: choose from SIDD validation, SIDD b"
    ):
        published("SIDD", "test")


def test_numbers_read_off_the_sources():
    assert number("SIDD", "validation", "AT-BSN", "BM3D") == (31.75, 0.706)
    assert number("SIDD", "validation", "MASH", "BM3D") == (25.65, 0.475)
    assert number("SIDD", "benchmark", "TM-BSN", "TM-BSN (D)") == (38.31, 0.9)
    assert number("DND", "benchmark", "AT-BSN", "AT-BSN (D)", True) == (38.68, 0.942)
    assert number("SIDD", "validation", "NAFNet", "NAFNet (width 64)")[1] == 0.9614
    assert number("SIDD", "validation", "MMagic", "NAFNet (width 64)")[1] == 0.9253


def test_nothing_was_lost_or_added(reference):
    raw = pd.read_csv(reference / "published_results.csv")
    own = ALL[ALL["source"] != "MID Figure 6"]
    own = own.assign(dataset=own["dataset"] + "-" + own["split"])
    own["dataset"] = own["dataset"].replace("DND-benchmark", "DND")
    numbers = ["dataset", "psnr_db", "ssim"]
    pd.testing.assert_frame_equal(
        *(
            table.sort_values(numbers)[numbers].reset_index(drop=True)
            for table in (raw, own)
        )
    )
    on_test = raw["method"].str.contains("trained on the test images")
    assert own["trained_on_test"].sum() == on_test.sum() == 13


def test_what_survives_of_the_papers_own_numbers(reference):
    text = (reference / "paper.txt").read_text()
    for block in ("37_23", "30_13", "12_27"):
        table = published("SIDD", f"validation block {block}")
        assert list(table["method"]) == ["SDAP", "SCPGabNet", "MID"]
        pairs = zip(table["psnr_db"], table["ssim"], strict=True)
        line = " ".join(f"{psnr:.2f}/{ssim:.3f}" for psnr, ssim in pairs)
        assert re.search(rf"{block}_ours.*\n{re.escape(line)}", text)


def test_an_installed_package_has_the_files():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    files = project["tool"]["setuptools"]["package-data"]
    assert files["mid_core.tables"] == ["*.csv"]

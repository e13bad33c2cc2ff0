"""The docs' tables of compared methods say what the CSV files beside them say."""

import re

import pandas as pd
import pytest

from tests.conftest import ROOT

MEASURED = ROOT / "docs/measurements"
PAGES = {
    name: (ROOT / name).read_text()
    for name in ("README.md", "docs/measurements/README.md")
}
# Columns of the tables, by what their heads begin with.
TESTS = ("sidd12", "sidd_odd", "polyu", "fmd")


def tables(text):
    """The Markdown tables of a page: a list of rows each, lists of cells."""
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [line.strip("|\n").split("|") for line in block.splitlines()]
        yield [[cell.strip() for cell in row] for row in rows]


def scores(test):
    """PSNR in dB, as printed, of each method in a file: of each seed."""
    table = pd.read_csv(MEASURED / f"compared/{test}.csv")
    table = table[table["protocol"] == "sidd-matlab3d"]
    printed = table["psnr_db"].map("{:.2f}".format)
    return printed.groupby(table["method"]).agg(list).to_dict()


def columns():
    """The columns of PSNR in all tables of compared methods."""
    for page, text in PAGES.items():
        for head, _, *rows in tables(text):
            for i, title in enumerate(head):
                found = re.search(r"`(\w+)`|^(\w+)$", title)
                test = found and (found[1] or found[2])
                if head[0] == "method" and test in TESTS:
                    yield pytest.param(
                        test, [(row[0], row[i]) for row in rows], id=f"{page}-{test}"
                    )


@pytest.mark.parametrize(("test", "rows"), list(columns()))
def test_each_number_is_in_its_file(test, rows):
    known = scores(test)
    every = {score for own in known.values() for score in own}
    for label, cell in rows:
        name = label.strip("* †")
        # Of several seeds each has its own.
        for score in cell.strip("* †").replace("–", "").split(", "):
            assert not score or score in known.get(name, every), f"{name}: {score}"


def test_there_are_such_tables():
    tested = [param.values[0] for param in columns()]
    assert set(tested) == set(TESTS)

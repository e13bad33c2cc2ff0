"""Judge the paper's claims by the tables of this run."""

from pathlib import Path

import pandas as pd

from mid_core.jobs.rule import run_rule
from mid_core.tables.claims import claims_table
from mid_core.tables.layout import Layout, write


def main() -> None:
    tables = {Path(path).stem: pd.read_csv(path) for path in snakemake.input}
    steps = snakemake.params.steps
    found = claims_table(tables, steps)
    found.to_csv(snakemake.output.csv, index=False)
    notes = [
        f"{steps} steps a training; the paper takes 200000",
        "the rules are in mid_core/tables/claims.py; none is set by hand",
        *(f"left out, {why}" for why in snakemake.params.left_out),
    ]
    title = "Claims of the paper's text, and what was measured here"
    write([Layout(title, found, notes)], snakemake.output.md, snakemake.output.tex)


run_rule(main, snakemake.log[0])

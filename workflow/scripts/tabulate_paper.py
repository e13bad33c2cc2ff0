"""Assemble one of the paper's ablation tables."""

import json
from pathlib import Path

import pandas as pd

from mid_core.jobs.rule import run_rule
from mid_core.tables.layout import write
from mid_core.tables.paper import Entry, paper_layout, paper_table


def entry(row: dict) -> Entry:
    """Read the files of a row."""
    scores = [
        pd.concat([pd.read_csv(path) for path in tests], ignore_index=True)
        for tests in row["scores"]
    ]
    cost = json.loads(Path(row["cost"]).read_text()) if row["cost"] else {}
    return Entry(row["label"], row["num_masks"], scores, cost)


def main() -> None:
    table = paper_table(entry(row) for row in snakemake.params.rows)
    table.to_csv(snakemake.output.csv, index=False)
    layout = paper_layout(snakemake.params.title, table)
    write([layout], snakemake.output.md, snakemake.output.tex)


run_rule(main, snakemake.log[0])

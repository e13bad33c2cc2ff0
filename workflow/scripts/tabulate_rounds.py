"""Assemble the table of rounds."""

import json
from pathlib import Path

import pandas as pd

from mid_core.jobs.rule import run_rule
from mid_core.tables.layout import write
from mid_core.tables.rounds import rounds_layout, rounds_table


def main() -> None:
    rounds = []
    for row in snakemake.params.rows:
        card = json.loads(Path(row["model"]).read_text())
        scores = pd.read_csv(row["scores"])
        rounds.append((row["variant"], row["round"], scores, card))
    table = rounds_table(rounds)
    table.to_csv(snakemake.output.csv, index=False)
    layouts = rounds_layout(table, snakemake.params.absent)
    write(layouts, snakemake.output.md, snakemake.output.tex)


run_rule(main, snakemake.log[0])

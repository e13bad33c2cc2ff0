"""Lay out what was measured of the banks' realism."""

import pandas as pd

from mid_core.jobs.rule import run_rule
from mid_core.tables.layout import write
from mid_core.tables.realism import LAYOUTS


def main() -> None:
    layout = LAYOUTS[snakemake.wildcards.measured](pd.read_csv(snakemake.input[0]))
    write([layout], snakemake.output.md, snakemake.output.tex)


run_rule(main, snakemake.log[0])

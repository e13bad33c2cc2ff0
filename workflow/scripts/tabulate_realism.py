"""Lay out what was measured of the banks' realism."""

from pathlib import Path

import pandas as pd

from mid_core.runtime.progress import run_rule
from mid_core.tables.layout import latex, markdown
from mid_core.tables.realism import TABLES


def main() -> None:
    told = TABLES[snakemake.wildcards.measured](pd.read_csv(snakemake.input[0]))
    Path(snakemake.output.md).write_text(markdown(*told))
    Path(snakemake.output.tex).write_text(latex(*told))


run_rule(main, snakemake.log[0])

"""Draw quality against cost, a point for each method."""

import pandas as pd

from mid_core.figures.style import draw
from mid_core.figures.tradeoff import tradeoff_figure
from mid_core.jobs.rule import run_rule


def main() -> None:
    draw(tradeoff_figure, pd.read_csv(snakemake.input.rows), to=snakemake.output)


run_rule(main, snakemake.log[0])

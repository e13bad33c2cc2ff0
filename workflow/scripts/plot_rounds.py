"""Draw PSNR against the round."""

import pandas as pd

from mid_core.figures.rounds import rounds_figure
from mid_core.figures.style import draw
from mid_core.jobs.rule import run_rule


def main() -> None:
    draw(rounds_figure, pd.read_csv(snakemake.input.table), to=snakemake.output)


run_rule(main, snakemake.log[0])

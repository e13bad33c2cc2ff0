"""Draw the training curves."""

import pandas as pd

from mid_core.figures.style import draw
from mid_core.figures.training import training_figure
from mid_core.jobs.rule import run_rule


def main() -> None:
    files = zip(snakemake.params.rounds, snakemake.input.histories, strict=True)
    histories = {tuple(one): pd.read_csv(file) for one, file in files}
    draw(training_figure, histories, to=snakemake.output)


run_rule(main, snakemake.log[0])

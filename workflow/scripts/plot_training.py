"""Draw the training curves."""

import matplotlib as mpl
import pandas as pd

from mid_core.figures.rounds import training_figure
from mid_core.figures.style import STYLE, save
from mid_core.runtime.progress import run_rule


def main() -> None:
    files = zip(snakemake.params.rounds, snakemake.input.histories, strict=True)
    histories = {tuple(one): pd.read_csv(file) for one, file in files}
    with mpl.rc_context(STYLE):
        save(training_figure(histories), *snakemake.output)


run_rule(main, snakemake.log[0])

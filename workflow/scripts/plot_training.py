"""Draw the training curves."""

import matplotlib as mpl
import pandas as pd

from mid_core.figures import STYLE, save, training_figure
from mid_core.progress import run_rule


def main() -> None:
    files = zip(snakemake.params.labels, snakemake.input.histories, strict=True)
    histories = {label: pd.read_csv(file) for label, file in files}
    with mpl.rc_context(STYLE):
        save(training_figure(histories), *snakemake.output)


run_rule(main, snakemake.log[0])

"""Draw PSNR against the round."""

import matplotlib as mpl
import pandas as pd

from mid_core.figures.rounds import rounds_figure
from mid_core.figures.style import STYLE, save
from mid_core.runtime.progress import run_rule


def main() -> None:
    with mpl.rc_context(STYLE):
        save(rounds_figure(pd.read_csv(snakemake.input.table)), *snakemake.output)


run_rule(main, snakemake.log[0])

"""Draw how well inpainters do on held-out images, while they are trained."""

import matplotlib as mpl
import pandas as pd

from mid_core.evaluation.held_out import COLUMN
from mid_core.figures.noise import inpainter_figure
from mid_core.figures.style import STYLE, save
from mid_core.runtime.progress import run_rule


def main() -> None:
    files = zip(snakemake.params.ratios, snakemake.input.histories, strict=True)
    histories = {
        ratio: pd.read_csv(file).rename(columns={COLUMN: "psnr_db"}).dropna()
        for ratio, file in files
    }
    with mpl.rc_context(STYLE):
        save(inpainter_figure(histories, snakemake.params.images), *snakemake.output)


run_rule(main, snakemake.log[0])

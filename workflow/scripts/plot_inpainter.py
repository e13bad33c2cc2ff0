"""Draw how well inpainters do on held-out images, while they are trained."""

import pandas as pd

from mid_core.evaluation.held_out import COLUMN
from mid_core.figures.style import draw
from mid_core.figures.training import inpainter_figure
from mid_core.jobs.rule import run_rule


def main() -> None:
    files = zip(snakemake.params.ratios, snakemake.input.histories, strict=True)
    histories = {
        ratio: pd.read_csv(file).rename(columns={COLUMN: "psnr_db"}).dropna()
        for ratio, file in files
    }
    draw(inpainter_figure, histories, snakemake.params.images, to=snakemake.output)


run_rule(main, snakemake.log[0])

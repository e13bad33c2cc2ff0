"""Draw how real the banks are: distances, brightness, autocorrelation, masking gap."""

from pathlib import Path

import pandas as pd

from mid_core.figures.noise import autocorrelation_figure, brightness_figure
from mid_core.figures.realism import gap_figure, realism_figure
from mid_core.figures.style import draw
from mid_core.jobs.rule import run_rule
from mid_core.store import Store

TRUE = "true noise"


def main() -> None:
    table = pd.read_csv(snakemake.input.realism, index_col="bank")
    gaps = pd.read_csv(snakemake.input.gap)
    names = [name for name in table.index if name != TRUE]
    statistics = {
        name: Store.of(snakemake.input[name]).attributes["statistics"]
        for name in (*names, TRUE)
    }
    figures = {
        "realism": (realism_figure, table.loc[names], table.loc[TRUE]),
        "brightness": (brightness_figure, statistics),
        "autocorrelation": (autocorrelation_figure, statistics),
        "gap": (gap_figure, gaps),
    }
    for path in map(Path, snakemake.output):
        draw(*figures[path.stem], to=[path])


run_rule(main, snakemake.log[0])

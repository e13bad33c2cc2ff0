"""Draw how real the banks are: distances, brightness, autocorrelation, masking gap."""

from pathlib import Path

import matplotlib as mpl
import pandas as pd

from mid_core.figures.noise import (
    autocorrelation_figure,
    brightness_figure,
    gap_figure,
    realism_figure,
)
from mid_core.figures.style import STYLE, save
from mid_core.runtime.progress import run_rule
from mid_core.store import Store, store_path

TRUE = "true noise"


def main() -> None:
    table = pd.read_csv(snakemake.input.realism).set_index("bank")
    curves = {
        bank: {key: part[key].tolist() for key in ("mask_ratio", "gap_nats")}
        for bank, part in pd.read_csv(snakemake.input.gap).groupby("bank", sort=False)
    }
    names = [name for name in table.index if name != TRUE]
    statistics = {
        name: Store(store_path(snakemake.input[name])).attributes["statistics"]
        for name in (*names, TRUE)
    }
    rounds = table.loc[names].assign(variant=snakemake.params.variant)
    rounds["round"] = [int(name.removeprefix("N_")) for name in names]
    floor = curves.pop("floor")
    with mpl.rc_context(STYLE):
        figures = {
            "realism": realism_figure(rounds, table.loc[TRUE].to_dict()),
            "brightness": brightness_figure(
                {name: statistics[name] for name in names}, statistics[TRUE]
            ),
            "autocorrelation": autocorrelation_figure(statistics),
            "gap": gap_figure(curves, floor),
        }
        for path in map(Path, snakemake.output):
            save(figures[path.stem], path)


run_rule(main, snakemake.log[0])

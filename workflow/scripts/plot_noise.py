"""Draw the noise of each round beside the true noise."""

import matplotlib as mpl

from mid_core.evaluation.inspection import patches
from mid_core.figures.rounds import noise_figure
from mid_core.figures.style import STYLE, save
from mid_core.runtime.progress import run_rule
from mid_core.store import Store, store_path


def main() -> None:
    banks = {}
    for name, manifest in snakemake.input.items():
        store = Store(store_path(manifest))
        banks[name] = (patches(store), store.attributes["statistics"])
    with mpl.rc_context(STYLE):
        save(noise_figure(banks), *snakemake.output)


run_rule(main, snakemake.log[0])

"""Draw the noise of each round beside the true noise."""

from mid_core.evaluation.inspection import noise_patches
from mid_core.figures.noise import noise_figure
from mid_core.figures.style import draw
from mid_core.jobs.rule import run_rule
from mid_core.store import Store


def main() -> None:
    banks = {}
    for name, manifest in snakemake.input.items():
        store = Store.of(manifest)
        banks[name] = (noise_patches(store), store.attributes["statistics"])
    draw(noise_figure, banks, to=snakemake.output)


run_rule(main, snakemake.log[0])

"""Draw the bank N_0 of white Gaussian noise."""

from mid_core.evaluation.noise_statistics import Statistics
from mid_core.jobs.rule import run_rule
from mid_core.noise import white_gaussian
from mid_core.store import StoreWriter, store_path


def main() -> None:
    settings = snakemake.params.settings
    size, statistics = settings["size"], Statistics()
    path = store_path(snakemake.output.manifest)
    with StoreWriter(path, "noise", tile=size) as store:
        for name, noise in white_gaussian(
            settings["count"], size, settings["sigma"], 3, settings["seed"]
        ):
            store.append(name, noise)
            statistics.add(noise)
        store.attributes = {
            "made_by": {"stage": "awgn_bank", "version": snakemake.params.version},
            "settings": settings,
            "statistics": statistics.summary(),
        }


run_rule(main, snakemake.log[0])

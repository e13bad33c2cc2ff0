"""Draw a bank of Gaussian noise of the level and correlations that noisy images show."""

import json
from pathlib import Path

from mid_core.cameras import from_plain, uncorrelated
from mid_core.evaluation.noise_statistics import Statistics
from mid_core.jobs.rule import run_rule
from mid_core.noise import measured_gaussian
from mid_core.store import StoreWriter, store_path


def main() -> None:
    settings, seen = snakemake.params.settings, Path(snakemake.input.look).read_text()
    camera, size = from_plain(json.loads(seen)), settings["size"]
    if settings["initial_noise"] == "awgn":
        camera = uncorrelated(camera)
    statistics = Statistics(min(8, size - 1))
    with StoreWriter(
        store_path(snakemake.output.manifest), "noise", tile=size
    ) as store:
        drawn = measured_gaussian(camera, settings["count"], size, settings["seed"])
        for name, noise in drawn:
            store.append(name, noise)
            statistics.add(noise)
        made = {"stage": "measured_bank", "version": snakemake.params.version}
        store.attributes = {
            "made_by": made,
            "settings": settings,
            "statistics": statistics.summary(),
        }


run_rule(main, snakemake.log[0])

"""See that the pools fit the method, before time is spent on training."""

from pathlib import Path

from mid_core.datasets.checking import check
from mid_core.jobs.rule import run_rule
from mid_core.store import Store, store_path, write_json


def main() -> None:
    stores = [Store(store_path(manifest)) for manifest in snakemake.input]
    pools = {"image": {}, "truth": {}}
    for store in stores:
        pools[store.kind][store.path.parent.name] = store
    check(pools["image"], pools["truth"], snakemake.params.needs)
    write_json(Path(snakemake.output[0]), {"needs": snakemake.params.needs})


run_rule(main, snakemake.log[0])

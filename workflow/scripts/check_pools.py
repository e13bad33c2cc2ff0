"""See that the pools fit the method, before time is spent on training."""

from pathlib import Path

from mid_config.pool_files import hashes, record_of
from mid_core.datasets.checking import check
from mid_core.jobs.rule import run_rule
from mid_core.store import Store, write_json


def main() -> None:
    stores = [Store.of(manifest) for manifest in snakemake.input]
    pools, files = {"image": {}, "truth": {}}, {}
    for store in stores:
        pool = store.path.parent.name
        pools[store.kind][pool] = store
        listed = store.path.with_name(f"{store.kind}.files.json")
        files[pool, store.kind] = hashes(record_of(listed))
    check(pools["image"], pools["truth"], snakemake.params.needs, files)
    write_json(Path(snakemake.output[0]), {"needs": snakemake.params.needs})


run_rule(main, snakemake.log[0])

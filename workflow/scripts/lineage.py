"""List every image that each job opened."""

import json
from pathlib import Path

import pandas as pd

from mid_core.jobs.lineage import rows
from mid_core.jobs.rule import run_rule
from mid_core.store import Store


def main() -> None:
    files = {}
    for manifest in snakemake.input.pools:
        store = Store.of(manifest)
        items = json.loads(
            (store.path.parent / f"{store.kind}.files.json").read_text()
        )["items"]
        known = {item["name"]: item[store.kind] for item in items}
        names = {name: str(Path(known[name]).absolute()) for name in store.names}
        files[store.path.absolute().as_posix()] = names
    table = pd.DataFrame(rows(map(Path, snakemake.params.logs), files))
    table.to_csv(snakemake.output[0], index=False)


run_rule(main, snakemake.log[0])

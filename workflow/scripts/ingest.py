"""Decode the images of a pool, or their truth, into a pixel store."""

import json
from pathlib import Path

from mid_config.pool_files import record_files, record_of
from mid_core.datasets.ingesting import ingest
from mid_core.jobs.rule import run_rule
from mid_core.store import store_path


def main() -> None:
    listed, stack = Path(snakemake.input.files), snakemake.wildcards.stack
    items = json.loads(listed.read_text())["items"]
    # Before the store is finished: what is recorded is what it holds.
    record_files((item[stack] for item in items), record_of(listed))
    ingest(
        items,
        snakemake.params.settings,
        stack,
        store_path(snakemake.output.manifest),
        snakemake.params.version,
        snakemake.threads,
    )


run_rule(main, snakemake.log[0])

"""Decode the images of a pool, or their truth, into a pixel store."""

import json
from pathlib import Path

from mid_core.datasets.ingesting import ingest
from mid_core.jobs.rule import run_rule
from mid_core.store import store_path


def main() -> None:
    ingest(
        json.loads(Path(snakemake.input.files).read_text())["items"],
        snakemake.params.settings,
        snakemake.wildcards.stack,
        store_path(snakemake.output.manifest),
        snakemake.params.version,
        snakemake.threads,
    )


run_rule(main, snakemake.log[0])

"""Decode the images of a pool into a pixel store."""

import json
from pathlib import Path

from mid_core.datasets import ingest
from mid_core.progress import log, run_rule
from mid_core.store import store_path


def main() -> None:
    items = json.loads(Path(snakemake.input.files).read_text())["items"]
    settings = snakemake.params.settings
    ingest(items, settings, store_path(snakemake.output.seal), snakemake.params.version)
    log.info("%d images from %s", len(items), settings)


run_rule(main, snakemake.log[0])

"""List the files of a pool."""

from pathlib import Path

from mid_core.datasets import reader
from mid_core.progress import log, run_rule
from mid_core.store import write_json


def main() -> None:
    settings = snakemake.params.settings
    items = reader(settings).find(settings)
    log.info("%d images", len(items))
    write_json(Path(snakemake.output[0]), {"items": items})


run_rule(main, snakemake.log[0])

"""Split a data set in two sides, once for all pools that are a side of it."""

from pathlib import Path

from mid_core.datasets import split_pool
from mid_core.jobs.rule import run_rule
from mid_core.store import write_json


def main() -> None:
    sides = split_pool(snakemake.params.settings)
    write_json(Path(snakemake.output[0]), sides)


run_rule(main, snakemake.log[0])

"""List the files of a pool, and what is wrong with them."""

import json
from pathlib import Path

from mid_core.datasets import survey
from mid_core.progress import log, run_rule
from mid_core.store import write_json


def main() -> None:
    params, split = snakemake.params, snakemake.input.get("split")
    sides = json.loads(Path(split).read_text()) if split else None
    found = survey(params.settings, sides, params.stacks)
    log.info("%d images, %d problems", len(found.items), len(found.problems))
    listed = {"items": found.items, "problems": found.problems}
    write_json(Path(snakemake.output[0]), listed)


run_rule(main, snakemake.log[0])

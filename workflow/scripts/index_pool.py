"""List the files of a pool, or stop with everything that is wrong with them."""

import json
from pathlib import Path

from mid_config.pool_files import record_of, replaced
from mid_core.datasets import survey
from mid_core.errors import MidError
from mid_core.jobs.rule import run_rule
from mid_core.runtime.progress import log
from mid_core.store import write_json


def main() -> None:
    settings, stack = snakemake.params.settings, snakemake.wildcards.stack
    split = snakemake.input.get("split")
    sides = json.loads(Path(split).read_text()) if split else None
    found = survey(settings, sides, stack)
    if found.problems:
        raise MidError("\n".join(found.problems))
    log.info("%d images", len(found.items))
    listed = Path(snakemake.output[0])
    contents = replaced({item[stack] for item in found.items}, record_of(listed))
    for item in found.items:
        # The list changes where a file does, though its name stays.
        item["bytes"] = Path(item[stack]).stat().st_size
        if item[stack] in contents:
            item["sha256"] = contents[item[stack]]
    write_json(listed, {"items": found.items})


run_rule(main, snakemake.log[0])

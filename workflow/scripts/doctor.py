"""Say what is wrong with the files of any pool, before anything is decoded."""

import json
from pathlib import Path

from mid_core.datasets.finding import Found
from mid_core.doctor import Finding, report, wrong
from mid_core.errors import MidError
from mid_core.progress import run_rule


def main() -> None:
    params, findings = snakemake.params, []
    for pool, file in snakemake.input.items():
        found = Found(**json.loads(Path(file).read_text()))
        findings.append(Finding(pool, params.pools[pool], params.uses[pool], found))
    text = report(findings, {})
    if wrong(findings):
        raise MidError(text)
    Path(snakemake.output[0]).write_text(f"{text}\n")


run_rule(main, snakemake.log[0])

"""Judge the paper's claims by the tables of this run."""

from pathlib import Path

import pandas as pd

from mid_core.claims import claims_table
from mid_core.progress import run_rule


def main() -> None:
    tables = {Path(path).stem: pd.read_csv(path) for path in snakemake.input}
    steps = snakemake.params.steps
    found = claims_table(tables, steps)
    found.to_csv(snakemake.output.csv, index=False)
    first = next(iter(tables.values())).iloc[0]
    note = (
        f"- {first['test']}: {first['dataset']} ({first['split']}), n = "
        f"{first['n_images']}, protocol {first['protocol']}, {first['seeds']} seed(s); "
        f"{steps} steps a training, the paper takes 200000\n"
        "- the rules are in mid_core/claims.py; none is set by hand\n"
    )
    text = found.to_markdown(index=False, disable_numparse=True)
    title = "**Claims of the paper's text, and what was measured here**"
    Path(snakemake.output.md).write_text(f"{title}\n\n{text}\n\n{note}")


run_rule(main, snakemake.log[0])

"""How a damaged result is made again, and nothing else: said in one place."""

import os
import shlex
from pathlib import Path

from mid_core.runtime.shipped import snakemake_command


def rebuilt(output: Path, rule: str = "") -> str:
    """Say which command makes one output of the workflow again.

    Parameters
    ----------
    output
        What Snakemake looks at: a manifest or a card.
    rule
        The rule that makes it; empty where that is not known.
    """
    target = os.path.relpath(output)
    delete = shlex.join(["rm", "-f", target])
    make = shlex.join([*snakemake_command(), "--cores", "2", "--", target])
    return (
        f"{f'its rule {rule}' if rule else 'the workflow'} rebuilds it by `{delete} && "
        f"{make}` (before the --, give the --configfile of your run, if it has one)"
    )

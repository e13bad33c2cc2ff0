"""Clear the lock that a killed run left."""

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "--directory",
        metavar="D",
        default=".",
        type=Path,
        help="where snakemake was run (default: here)",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="even if the run was on another machine, where nobody can see whether it goes on",
    )


def run(arguments: argparse.Namespace) -> None:
    """Clear the lock, or say who still works under it."""
    from mid_core.jobs.recovery import recover

    print(recover(arguments.directory, arguments.force))

"""Check stores and models against the hashes of when they were made."""

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="stores, models, or folders of them, such as results/demo",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what is damaged; 1 if anything is."""
    from mid_core.jobs.verification import verify

    count, problems = verify([Path(path) for path in arguments.paths])
    print("\n".join([*problems, f"{count} checked, {len(problems)} problem(s)"]))
    return 1 if problems else 0

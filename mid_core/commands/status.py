"""Say how far a run is, what failed, and what to type next."""

import argparse
import time
from contextlib import suppress

from mid_core.commands.configs import config_files

CLEAR_SCREEN = "\x1b[H\x1b[2J"
EVERY_S = 30


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    config_files(parser)
    parser.add_argument(
        "--target",
        nargs="+",
        metavar="TARGET",
        default=[],
        help="rules or files to make, such as paper (default: as snakemake alone)",
    )
    parser.add_argument(
        "--watch", action="store_true", help=f"again every {EVERY_S} s, until Ctrl-C"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the state of every job; 1 if any has failed."""
    from mid_core.jobs.status import status

    text, sound = status(arguments.config, arguments.target)
    with suppress(KeyboardInterrupt):
        while arguments.watch:
            print(f"{CLEAR_SCREEN}{text}", flush=True)
            time.sleep(EVERY_S)
            text, sound = status(arguments.config, arguments.target)
    print(text)
    return 0 if sound else 1

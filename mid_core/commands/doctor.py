"""Say what is missing or broken before a run."""

import argparse

from mid_core.commands.configs import config_files


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    config_files(parser)
    parser.add_argument(
        "--quick", action="store_true", help="do not decode every image"
    )


def run(arguments: argparse.Namespace) -> int:
    """Examine the data sets of a config; 1 if a run would stop at them."""
    from mid_core.planning.consultation import consult

    text, sound = consult(arguments.config, arguments.quick)
    print(text)
    return 0 if sound else 1

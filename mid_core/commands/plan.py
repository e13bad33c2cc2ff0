"""Say what a run will take: time, GPU-hours, memory, disk, and its longest chain."""

import argparse
from contextlib import suppress

from mid_core.commands.configs import config_files


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
        "--gpus",
        metavar="N,N",
        type=_counts,
        default=[1],
        help="tell the time on so many GPUs, such as 1,8,64 (default: 1)",
    )
    parser.add_argument(
        "--tflops",
        metavar="T",
        dest="rate",
        type=_rate,
        help="compute for GPUs that are not here, which sustain so many TFLOP/s",
    )
    parser.add_argument(
        "--anew", action="store_true", help="try all here, whatever the last run took"
    )


def _counts(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.isdecimal() and int(part) for part in parts):
        raise argparse.ArgumentTypeError("give numbers above 0, such as 1,8,64")
    return [int(part) for part in parts]


def _rate(text: str) -> float:
    with suppress(ValueError):
        if float(text) > 0:
            return 1e12 * float(text)
    raise argparse.ArgumentTypeError("give a number above 0")


def run(arguments: argparse.Namespace) -> None:
    """Print the plan of a config."""
    from mid_core.planning.plan_report import describe_plan

    options = arguments.gpus, arguments.rate, arguments.anew
    print(describe_plan(arguments.config, arguments.target, *options))

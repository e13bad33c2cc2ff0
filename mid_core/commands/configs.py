"""The config files that several commands take."""

import argparse

from mid_core.runtime.shipped import found


def config_files(parser: argparse.ArgumentParser) -> None:
    """Take ``config``: files as after Snakemake's --configfile, here or shipped."""
    parser.add_argument(
        "config",
        nargs="*",
        metavar="CONFIG",
        type=found,
        default=[found("config/config.yaml")],
        help="as after --configfile (config/config.yaml)",
    )

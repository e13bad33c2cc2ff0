"""Denoise a folder of noisy photos: look, train on them, answer."""

import argparse
from pathlib import Path

from mid_core.commands.denoise import device_option, number_from


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "noisy",
        metavar="NOISY",
        type=Path,
        help="a folder of noisy images of one camera, or one image",
    )
    parser.add_argument(
        "out", metavar="OUT", type=Path, help="folder of the denoised images"
    )
    parser.add_argument(
        "--clean",
        metavar="FOLDER",
        type=Path,
        help="clean images from anywhere (default: the embedded photos)",
    )
    parser.add_argument(
        "--pairs",
        metavar=("NOISY", "CLEAN"),
        nargs=2,
        type=Path,
        help="two folders with the same names, which only measure the result: PSNR",
    )
    parser.add_argument(
        "--minutes",
        type=number_from(float, 0),
        default=15,
        help="how long the whole run may take, about (default: 15)",
    )
    parser.add_argument(
        "--cores",
        type=number_from(int, 1),
        help="CPU cores to use (default: all; of a cluster's jobs one)",
    )
    device_option(parser)
    parser.add_argument(
        "--profile", help="of Snakemake, such as slurm; see docs/slurm.md"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="look, and say what would be done"
    )
    parser.add_argument(
        "--force", action="store_true", help="train even where there is little noise"
    )


def run(arguments: argparse.Namespace) -> None:
    """Look at the images, train, denoise; or go on where an earlier call was cut."""
    from mid_core.commands.run_folder import run_folder
    from mid_core.commands.run_request import Request

    run_folder(Request(**{k: v for k, v in vars(arguments).items() if k != "run"}))

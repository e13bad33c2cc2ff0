"""Denoise images: files, folders, patterns."""

import argparse
from collections.abc import Callable
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    _files(parser)
    by = parser.add_mutually_exclusive_group()
    by.add_argument(
        "--model",
        help="a model.safetensors (default: that of the last run in this folder)",
    )
    by.add_argument(
        "--method",
        type=_without_training,
        metavar="NAME",
        help="nlm, twsc or another method that needs no training, instead of a model",
    )
    _method(parser)
    _computing(parser)


def _method(parser: argparse.ArgumentParser) -> None:
    """Say what the numbers depend on."""
    parser.add_argument(
        "--num-masks",
        type=number_from(int, 1),
        default=10,
        metavar="K",
        help="predictions averaged, where the model hides pixels (default: 10)",
    )
    parser.add_argument(
        "--mask-ratio",
        type=number_from(float, 0, 0.99),
        help="share of the pixels to hide (default: the model's own)",
    )
    parser.add_argument(
        "--strength",
        type=number_from(float, 0, 1),
        default=1,
        metavar="S",
        help="1: denoised, 0: as it was, between: a blend of both (default: 1)",
    )
    parser.add_argument(
        "--seed",
        type=number_from(int, 0),
        default=0,
        help="of the random masks (default: 0)",
    )


def _computing(parser: argparse.ArgumentParser) -> None:
    """Say where it is computed, and how much at a time."""
    device_option(parser)
    parser.add_argument(
        "--tile",
        type=number_from(int, 256),
        metavar="PX",
        help="side of the squares that pass; smaller: less memory, but slower "
        "(default: 1024 on a CPU; 4096 on a GPU, halved where that does not fit)",
    )
    parser.add_argument(
        "--jobs",
        type=number_from(int, 1),
        default=1,
        metavar="N",
        help="images at a time: while one is computed, others are read and written; "
        "on few cores that gains a few percent, and memory is needed N times (default: 1)",
    )


def _files(parser: argparse.ArgumentParser) -> None:
    """Say what is read and what is written."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="IN",
        help="images, folders of images, patterns in quotes such as 'more/*.tif'",
    )
    parser.add_argument(
        "output", metavar="OUT", help="a folder; for one image that, or a file"
    )
    parser.add_argument(
        "--suffix",
        type=_part_of_a_name,
        default="",
        metavar="TEXT",
        help="put after each name: with _denoised, a.jpg becomes a_denoised.jpg",
    )
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument(
        "--overwrite", action="store_true", help="replace output files that are there"
    )
    existing.add_argument(
        "--skip-existing",
        action="store_true",
        help="leave out images whose output file is there (without both: refuse)",
    )
    parser.add_argument(
        "--no-metadata",
        dest="metadata",
        action="store_false",
        help="leave EXIF out, such as date and place; the colour space stays",
    )


def run(arguments: argparse.Namespace) -> None:
    """Denoise; what could not be is named at the end."""
    from mid_core.commands.denoise_files import denoise_files
    from mid_core.commands.last_model import last_model

    model = Path(arguments.model) if arguments.model else None
    denoise_files(
        [Path(source) for source in arguments.inputs],
        Path(arguments.output),
        model or (None if arguments.method else last_model(Path())),
        method=arguments.method,
        num_masks=arguments.num_masks,
        ratio=arguments.mask_ratio,
        device=arguments.device,
        tile=arguments.tile,
        seed=arguments.seed,
        metadata=arguments.metadata,
        strength=arguments.strength,
        skip_existing=arguments.skip_existing,
        overwrite=arguments.overwrite,
        suffix=arguments.suffix,
        jobs=arguments.jobs,
    )


def _without_training(name: str) -> str:
    """Take the name of a compared method that needs no training."""
    from mid_config.registry import needs_no_training

    if not needs_no_training(name):
        raise argparse.ArgumentTypeError(
            f"{name} is no method without training: nlm, twsc, ksvd, wnnm, lpg_pca, "
            "orthogonal_dictionary and bm3d are"
        )
    return name


def _part_of_a_name(text: str) -> str:
    """Take what can stand in a file's name."""
    if set(text) & set("/\\"):
        raise argparse.ArgumentTypeError(f"{text} has a slash: give a part of a name")
    return text


def device_option(parser: argparse.ArgumentParser) -> None:
    """Let a person choose where networks run."""
    parser.add_argument(
        "--device",
        default="auto",
        choices=["auto", "cpu", "cuda", "mps"],
        help="where networks run (default: a GPU if there is one)",
    )


def number_from(kind: type, low: float, high: float = float("inf")) -> Callable:
    """Make an argument's type: a number from ``low`` to ``high``."""

    def number(text: str) -> float:
        value = kind(text)
        if not low <= value <= high:
            upper = "" if high == float("inf") else f" and at most {high}"
            raise argparse.ArgumentTypeError(f"{text} must be at least {low}{upper}")
        return value

    return number

"""Denoise images; check data sets before a run; look into noise stores."""

import argparse
import logging
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from mid_core.errors import MidError


def _denoise(arguments: argparse.Namespace) -> None:
    """Denoise a file or a folder."""
    from mid_core.application import denoise_files

    denoise_files(
        Path(arguments.input),
        Path(arguments.output),
        Path(arguments.model),
        masks=arguments.masks,
        ratio=arguments.mask_ratio,
        device=arguments.device,
        tile=arguments.tile,
        seed=arguments.seed,
    )


def _inspect(arguments: argparse.Namespace) -> None:
    """Print what a store holds; draw it if asked."""
    from mid_core.inspection import describe, noise_of, patches
    from mid_core.store import Store

    store = Store(arguments.store)
    print(describe(store))
    if arguments.figure:
        import matplotlib as mpl

        from mid_core.figures import STYLE, noise_figure, save

        noise_of(store)
        bank = {
            store.path.parent.name: (patches(store), store.attributes["statistics"])
        }
        with mpl.rc_context(STYLE):
            save(noise_figure(bank), arguments.figure)
        print(f"drawn in {arguments.figure}")


def _doctor(arguments: argparse.Namespace) -> int:
    """Say what is missing or broken of the data sets of a config."""
    from mid_core.consultation import consult

    text, sound = consult([Path(file) for file in arguments.config], arguments.quick)
    print(text)
    return 0 if sound else 1


def _number(kind: type, low: float, high: float = float("inf")) -> Callable:
    """Make an argument's type: a number from ``low`` to ``high``."""

    def number(text: str) -> float:
        value = kind(text)
        if not low <= value <= high:
            upper = "" if high == float("inf") else f" and at most {high}"
            raise argparse.ArgumentTypeError(f"{text} must be at least {low}{upper}")
        return value

    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mid", description=__doc__)
    version = f"%(prog)s {metadata.version('mid-denoise')}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    denoise = commands.add_parser(
        "denoise", help="denoise a file or a folder of images"
    )
    denoise.add_argument("input", metavar="IN", help="an image, or a folder of images")
    denoise.add_argument("output", metavar="OUT", help="a file, or a folder")
    denoise.add_argument("--model", required=True, help="a round's model.safetensors")
    denoise.add_argument(
        "--masks",
        type=_number(int, 1),
        default=10,
        metavar="K",
        help="predictions averaged (10)",
    )
    denoise.add_argument(
        "--mask-ratio",
        type=_number(float, 0, 0.99),
        help="share of hidden pixels (the model's own)",
    )
    denoise.add_argument(
        "--device", default="auto", choices=["auto", "cpu", "cuda", "mps"]
    )
    denoise.add_argument(
        "--tile",
        type=_number(int, 256),
        default=512,
        metavar="PX",
        help="bounds the memory (512)",
    )
    denoise.add_argument(
        "--seed", type=_number(int, 0), default=0, help="of the masks (0)"
    )
    denoise.set_defaults(run=_denoise)
    doctor = commands.add_parser(
        "doctor", help="say what is missing or broken before a run"
    )
    doctor.add_argument(
        "config",
        nargs="*",
        metavar="CONFIG",
        default=["config/config.yaml"],
        help="as after --configfile (config/config.yaml)",
    )
    doctor.add_argument(
        "--quick", action="store_true", help="do not decode every image"
    )
    doctor.set_defaults(run=_doctor)
    inspect = commands.add_parser("inspect", help="show a noise store")
    inspect.add_argument("store", metavar="STORE", help="a noise.zarr")
    inspect.add_argument("--figure", metavar="F.png", help="draw it into this file")
    inspect.set_defaults(run=_inspect)
    return parser


def main() -> int | None:
    """Run the command line; a mistake ends with a sentence and status 1."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        return arguments.run(arguments)
    except MidError as error:
        sys.exit(f"Error: {error}")

"""Show a noise store."""

import argparse
from pathlib import Path

from mid_core.errors import MidError
from mid_core.runtime.files import check_folder, replacing


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("store", metavar="STORE", help="a noise.zarr")
    parser.add_argument(
        "--figure", metavar="F.png", type=Path, help="draw it into this file"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print what a store holds; draw it if asked."""
    if arguments.figure:
        _check(arguments.figure)
    from mid_core.evaluation.inspection import describe, noise_of, noise_patches
    from mid_core.store import Store

    store = Store(arguments.store)
    print(describe(store))
    if arguments.figure:
        from mid_core.figures.noise import noise_figure
        from mid_core.figures.style import draw

        statistics = noise_of(store).attributes["statistics"]
        bank = {store.path.parent.name: (noise_patches(store), statistics)}
        with replacing(arguments.figure, arguments.figure.suffix.lower()) as part:
            draw(noise_figure, bank, to=[part])
        print(f"drawn in {arguments.figure}")


def _check(figure: Path) -> None:
    """Refuse a figure that could not be written, before the work."""
    from matplotlib.backend_bases import FigureCanvasBase

    if figure.suffix.lower()[1:] not in FigureCanvasBase.filetypes or figure.is_dir():
        raise MidError(
            f"{figure} cannot be written: give a file whose name ends in .png, .pdf or "
            ".svg"
        )
    check_folder(figure.parent)

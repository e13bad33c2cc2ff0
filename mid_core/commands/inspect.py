"""Show a noise store."""

import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("store", metavar="STORE", help="a noise.zarr")
    parser.add_argument("--figure", metavar="F.png", help="draw it into this file")


def run(arguments: argparse.Namespace) -> None:
    """Print what a store holds; draw it if asked."""
    from mid_core.evaluation.inspection import describe, noise_of, noise_patches
    from mid_core.store import Store

    store = Store(arguments.store)
    print(describe(store))
    if arguments.figure:
        from mid_core.figures.noise import noise_figure
        from mid_core.figures.style import draw

        statistics = noise_of(store).attributes["statistics"]
        bank = {store.path.parent.name: (noise_patches(store), statistics)}
        draw(noise_figure, bank, to=[arguments.figure])
        print(f"drawn in {arguments.figure}")

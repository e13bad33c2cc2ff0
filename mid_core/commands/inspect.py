"""Show a noise store, or the noise of images."""

import argparse
from pathlib import Path

from mid_core.errors import MidError
from mid_core.runtime.files import (
    check_folder,
    refuse_overwriting,
    replacing,
    written_whole,
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a noise.zarr; or an image or a folder of images, for their noise",
    )
    parser.add_argument(
        "--figure", metavar="F.png", type=Path, help="draw it into this file"
    )
    parser.add_argument(
        "--csv", metavar="F.csv", type=Path, help="write a row for each image"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print what a store holds or what images show; draw and write it if asked."""
    if arguments.figure:
        _check(arguments.figure)
    source = Path(arguments.source)
    is_store = source.suffix == ".zarr"
    if arguments.csv:
        _check_csv(arguments.csv, is_store)
    if is_store:
        _show_store(source, arguments.figure)
    else:
        _show_images(source, arguments.figure, arguments.csv)


def _show_store(path: Path, target: Path | None) -> None:
    from mid_core.evaluation.inspection import describe, noise_of, noise_patches
    from mid_core.store import Store

    store = Store(path)
    print(describe(store))
    if target:
        from mid_core.figures.noise import noise_figure
        from mid_core.figures.style import draw

        statistics = noise_of(store).attributes["statistics"]
        bank = {store.path.parent.name: (noise_patches(store), statistics)}
        with replacing(target, target.suffix.lower()) as part:
            draw(noise_figure, bank, to=[part])
        print(f"drawn in {target}")


def _show_images(source: Path, target: Path | None, table: Path | None) -> None:
    from mid_core.evaluation.look_report import in_words
    from mid_core.evaluation.sights import look_at, rows

    files = _images(source)
    refuse_overwriting(files, filter(None, (target, table)))
    sights, refused = look_at(files)
    print(in_words(sights))
    for sentence in refused:
        print(f"left out: {sentence}")
    if table:
        import pandas as pd

        with written_whole(table) as file:
            file.write(pd.DataFrame(rows(sights)).to_csv(index=False).encode())
        print(f"written to {table}")
    if target:
        from mid_core.figures.look import look_figure
        from mid_core.figures.style import draw

        with replacing(target, target.suffix.lower()) as part:
            draw(look_figure, sights, to=[part])
        print(f"drawn in {target}")


def _images(source: Path) -> list[Path]:
    from mid_core.evaluation.sights import image_files

    if not source.exists():
        raise MidError(
            f"there is no store at {source}: nor is there an image; correct the path "
            "to a NAME.zarr, an image, or a folder of images"
        )
    try:
        return image_files(source)
    except MidError as error:
        raise MidError(
            f"there is no store at {source}: its name would end in .zarr. As a folder "
            f"of images: {error}"
        ) from error


def _check(figure: Path) -> None:
    """Refuse a figure that could not be written, before the work."""
    from matplotlib.backend_bases import FigureCanvasBase

    if figure.suffix.lower()[1:] not in FigureCanvasBase.filetypes or figure.is_dir():
        raise MidError(
            f"{figure} cannot be written: give a file whose name ends in .png, .pdf or "
            ".svg"
        )
    check_folder(figure.parent)


def _check_csv(table: Path, is_store: bool) -> None:
    """Refuse a table that could not be written, before the work."""
    if is_store:
        raise MidError("--csv has a row for each image: give images, not a store")
    if table.suffix.lower() != ".csv" or table.is_dir():
        raise MidError(
            f"{table} cannot be written: give a file whose name ends in .csv"
        )
    check_folder(table.parent)

"""Which file becomes the answer to which image; what cannot be so is refused here."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from mid_core.errors import MidError
from mid_core.images.formats import SUFFIXES
from mid_core.images.listing import list_images
from mid_core.runtime.files import refuse_overwriting
from mid_core.runtime.progress import log

# An image, and the file of its answer.
Pair = tuple[Path, Path]


def pair(sources: Sequence[Path], target: Path, suffix: str = "") -> list[Pair]:
    """Pair images with the files of their answers.

    Parameters
    ----------
    sources
        Images, folders of images, and patterns such as ``more/*.tif``.
    target
        A file, if there is one image that is named itself; else a folder.
    suffix
        Put after the stem of each name in the folder. Answers that an earlier call
        left among the images are left out.

    Raises
    ------
    MidError
        If there is no image, two have the same answer, or the target is of the other
        kind.
    """
    files = [file for source in sources for file in _images(source)]
    names_image = len(sources) == 1 and sources[0].is_file()
    if names_image and target.suffix and not target.is_dir():
        if suffix:
            raise MidError(
                f"--suffix makes names in a folder, but {target} names a file: name a "
                "folder, or leave --suffix out"
            )
        return [(files[0], target)]
    _check_folder(target)
    found: dict[Path, Pair] = {}
    for file in files:
        result = target / f"{file.stem}{suffix}{file.suffix}"
        other, _ = found.setdefault(_spot(result), (file, result))
        if _spot(other) != _spot(file):
            raise MidError(
                f"{other} and {file} would both be {result}: rename one of them, or "
                "denoise them into two folders"
            )
    if not suffix:
        return list(found.values())
    return _without_answers(found)


def _images(source: Path) -> list[Path]:
    """List what one argument stands for."""
    if source.is_file():
        return [source]
    if source.is_dir():
        images = list_images(source)
        others = sum(1 for entry in source.iterdir() if entry.name not in images)
        if others:
            types = ", ".join(SUFFIXES)
            log.info("%d other entries are left out; types read: %s", others, types)
        return [source / name for name in images]
    is_wild = [bool(set(part) & set("*?[")) for part in source.parts]
    if not any(is_wild):
        raise MidError(f"there is no image or folder at {source}: {_hint(source)}")
    first = is_wild.index(True)
    folder, pattern = Path(*source.parts[:first]), "/".join(source.parts[first:])
    return [folder / name for name in list_images(folder, pattern)]


def _hint(source: Path) -> str:
    """Say what to do about a path that is not there."""
    plain = unicodedata.normalize("NFC", source.name)
    for entry in source.parent.glob("*"):
        if unicodedata.normalize("NFC", entry.name) == plain:
            return (
                f"{entry.name!a} only looks the same, its accents are other "
                "characters (NFC and NFD); let the shell complete the name"
            )
    return "correct the path"


def _check_folder(target: Path) -> None:
    """Refuse a target that is no folder, or would be one by mistake."""
    if target.is_dir():
        return
    if target.exists() or target.suffix.lower() in SUFFIXES:
        raise MidError(
            f"{target} is called like an image or is a file, and the answers need a "
            "folder: name one as the last argument"
        )


def _spot(path: Path) -> Path:
    """Where a name stands, whatever leads there; a link is not followed."""
    return path.parent.resolve() / path.name


def _without_answers(found: dict[Path, Pair]) -> list[Pair]:
    """Leave out images that are themselves the answers to others."""
    images = [pair for pair in found.values() if _spot(pair[0]) not in found]
    if len(images) < len(found):
        count = len(found) - len(images)
        log.info("%d of the images are answers to others: left out", count)
    return images


def to_do(
    pairs: list[Pair], model: Path | None, skip_existing: bool, overwrite: bool
) -> list[Pair]:
    """Take the pairs to be worked on.

    Raises
    ------
    MidError
        If an answer is a folder, or a file that is read; or is there already and is
        neither to be skipped nor to be replaced.
    """
    files, results = zip(*pairs, strict=True)
    for result in results:
        if result.is_dir():
            raise MidError(f"{result} is a folder: name another place")
    refuse_overwriting((*files, *([model] if model else [])), results)
    new = [pair for pair in pairs if not pair[1].is_file()]
    there = len(results) - len(new)
    if there and skip_existing:
        log.info("%d answer(s) are there already and stay", there)
        return new
    if there and not overwrite:
        first = next(result for result in results if result.is_file())
        more = f", and {there - 1} more of {len(results)} answers" if there > 1 else ""
        raise MidError(
            f"{first} is there already{more}: --overwrite replaces what is there, "
            "--skip-existing leaves it alone; or name another place"
        )
    return pairs

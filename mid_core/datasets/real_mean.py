"""Pairs of one folder, told apart by the endings of their names.

``<name>_real`` is a noisy photograph, ``<name>_mean`` the mean of many, its truth.
"""

import re
from pathlib import Path

from mid_core.datasets import pairs
from mid_core.datasets.finding import Found

_ENDINGS = {"clean": "mean", "noisy": "real"}
_NAME = re.compile(r"(.+)_(mean|real)\.[^.]+", re.IGNORECASE)


def find(
    settings: dict, groups: frozenset[str] | None, pattern: str, prefer: str = ""
) -> Found:
    """List the pictures of a part, clean or noisy, each noisy one with its truth.

    Parameters
    ----------
    settings
        With ``path`` and ``part``; with ``split`` if there are groups.
    groups
        The scenes or names that are taken, None for all.
    pattern
        The files' names, such as ``*.png``.
    prefer
        The folder that is taken where several hold pairs.
    """
    found, own = Found(), _ENDINGS[settings["part"]]
    files = _files(settings["path"], pattern, prefer, found)
    for name, kinds in files.items():
        if groups is not None and _group(name, settings) not in groups:
            continue
        if own in kinds:
            truth = kinds.get("mean") if own == "real" else None
            pairs.add(found, name, kinds[own], truth)
        else:
            (partner,) = kinds.values()
            missing = partner.with_name(f"{name}_{own}{partner.suffix}")
            found.problems.append(f"{missing} is missing: restore it from its source")
    return found


def groups(settings: dict, pattern: str, prefer: str = "") -> list[str]:
    """List the scenes or names that ``split`` divides, of truths and noisy alike."""
    files = _files(settings["path"], pattern, prefer, Found())
    return sorted({_group(name, settings) for name in files})


def _group(name: str, settings: dict) -> str:
    """Give a picture's scene, which is its name without the crop's number."""
    by_scene = settings["split"]["by"] == "scene"
    return re.sub(r"_+\d+$", "", name) if by_scene else name


def _files(
    path: str, pattern: str, prefer: str, found: Found
) -> dict[str, dict[str, Path]]:
    """Find the one folder that has such pairs, at or below a path.

    Returns
    -------
    Its files by name and by ``real`` or ``mean``.
    """
    names = found.images(path, f"**/{pattern}")
    if not names:
        return {}
    listed = [
        (file, match)
        for file in map(Path(path).joinpath, names)
        if (match := _NAME.fullmatch(file.name))
    ]
    folders = {file.parent for file, _ in listed}
    folders = {f for f in folders if f.name.lower() == prefer.lower()} or folders
    if len(folders) != 1:
        found.problems.append(_places(path, pattern, sorted(folders)))
        return {}
    files: dict[str, dict[str, Path]] = {}
    for file, match in listed:
        if file.parent in folders:
            name, kind = match[1], match[2].lower()
            twin = files.setdefault(name, {}).setdefault(kind, file)
            if twin != file:
                found.problems.append(
                    f"{file} is there twice, as {twin.name}: remove one"
                )
    return files


def _places(path: str, pattern: str, folders: list[Path]) -> str:
    if not folders:
        return (
            f"{path} has no images {pattern} whose names end in _real or _mean, at any "
            "depth: correct the path, or put the data set there"
        )
    return (
        f"{path} has such images in several folders, {', '.join(map(str, folders))}: "
        "make the path that of one of them"
    )

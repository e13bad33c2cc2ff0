"""The manifest of a finished store: size and hash of each of its files."""

import hashlib
import json
from pathlib import Path

from mid_core.errors import MidError
from mid_core.runtime.advice import rebuilt
from mid_core.runtime.files import sha256, write_json


def manifest_path(path: Path | str) -> Path:
    """Where the manifest of the store at ``path`` lies."""
    path = Path(path)
    return path.with_name(path.name.removesuffix(".zarr") + ".manifest.json")


def store_path(manifest: Path | str) -> Path:
    """Where the store lies that this manifest belongs to."""
    manifest = Path(manifest)
    return manifest.with_name(manifest.name.removesuffix(".manifest.json") + ".zarr")


def write_manifest(path: Path, made_by: dict) -> None:
    """Finish the store at ``path``: from now on it may be read.

    Parameters
    ----------
    path
        ``NAME.zarr``.
    made_by
        The stage that made it, and its version; empty where no stage did.
    """
    files = {}
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        name = file.relative_to(path).as_posix()
        files[name] = {"bytes": file.stat().st_size, "sha256": sha256(file)}
    content = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
    facts = {"format": 2, "content": content, "files": files, "made_by": made_by}
    write_json(manifest_path(path), facts)


def damage(path: Path, every: bool) -> list[str]:
    """Compare a store's files with its manifest.

    Parameters
    ----------
    path
        ``NAME.zarr``.
    every
        Whether to hash every file; else only the small ones, as the shards' checksums
        are looked at whenever they are read.

    Returns
    -------
    A sentence for each file that differs from the manifest, with what rebuilds it.

    Raises
    ------
    MidError
        If the store or its manifest is missing, or the manifest is damaged.
    """
    manifest = read_manifest(path)
    advice = rebuild_advice(path, manifest)
    problems = []
    for name, facts in manifest["files"].items():
        file = path / name
        if problem := wrong_size(file, facts["bytes"]):
            problems.append(f"{problem}: {advice}")
        elif (every or not _is_shard(name)) and sha256(file) != facts["sha256"]:
            problems.append(f"{file} is damaged, its hash is another: {advice}")
    if every:
        found = {p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()}
        strangers = sorted(found - set(manifest["files"]))
        problems += [f"{path / name} is not in the manifest" for name in strangers]
    return problems


def wrong_size(file: Path, size: int) -> str:
    """Say that a file is missing or has not so many bytes; empty where it has."""
    try:
        found = file.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return f"{file} is missing"
    if found == size:
        return ""
    return f"{file} has {found} bytes, but {size} by the manifest"


def _is_shard(name: str) -> bool:
    return "/c/" in name and not name.startswith("index/")


def read_manifest(path: Path) -> dict:
    """Read the manifest of a store.

    Raises
    ------
    MidError
        If the store or its manifest is missing, or the manifest is damaged.
    """
    file, advice = manifest_path(path), rebuilt(manifest_path(path))
    # A command that deletes is no advice for a path that was mistyped.
    if path.suffix != ".zarr" or not (path.is_dir() or file.is_file()):
        raise MidError(f"there is no store at {path}: correct the path to a NAME.zarr")
    if not path.is_dir():
        raise MidError(f"there is no store at {path}: {advice}")
    if not file.is_file():
        raise MidError(f"{path} is unfinished, {file.name} is not there: {advice}")
    try:
        manifest = json.loads(file.read_text())
        listed = json.dumps(manifest["files"], sort_keys=True)
        whole = hashlib.sha256(listed.encode()).hexdigest() == manifest["content"]
    except (ValueError, KeyError, TypeError) as error:
        raise MidError(f"{file} is damaged ({error}): {advice}") from error
    if not whole:
        raise MidError(f"{file} is damaged, its hash is another: {advice}")
    return manifest


def rebuild_advice(path: Path, manifest: dict) -> str:
    """Say what rebuilds the store of this manifest."""
    if stage := manifest.get("made_by", {}).get("stage"):
        return rebuilt(manifest_path(path), stage)
    return "write it again: its manifest does not say what made it"

"""Which images a job opened: seen by Python itself, not told by the code."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from mid_core.images import SUFFIXES

IMAGE_FILES = (*SUFFIXES, ".mat")


class Opened:
    """Notes every image file and every store that this process opens to read.

    It hangs on Python's audit event ``open`` (PEP 578), which no library that opens
    files through Python can avoid, and which cannot be taken off again.

    Attributes
    ----------
    paths
        Absolute paths of image files and of ``.zarr`` folders.
    """

    def __init__(self) -> None:
        self.paths: set[str] = set()
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple) -> None:
        if event != "open":
            return
        path, _, flags = arguments
        if not isinstance(path, str | os.PathLike) or flags & os.O_ACCMODE:
            return
        path = os.fspath(path)
        inside, zarr, _ = path.partition(".zarr/")
        if zarr:
            self.paths.add(Path(f"{inside}.zarr").absolute().as_posix())
        elif path.lower().endswith(IMAGE_FILES):
            self.paths.add(Path(path).absolute().as_posix())

    def write(self, path: Path) -> None:
        """Write the paths, sorted, as a JSON list."""
        path.write_text(json.dumps(sorted(self.paths), indent=0))


def opened_path(log: Path | str) -> Path:
    """Where a job with this log file notes what it opened."""
    return Path(log).with_suffix(".opened.json")


def rows(logs: Path, files: dict[str, dict[str, str]]) -> Iterator[dict[str, str]]:
    """Lay out what every job of a run opened.

    Parameters
    ----------
    logs
        Folder of the logs, a folder for each rule.
    files
        For each pixel store, by its absolute path: the file of each of its images.

    Yields
    ------
    ``rule``, ``job``, ``image`` (a file, or a noise store) and ``through``: the store
    in which the job found the image, empty where it opened the file itself.
    """
    for record in sorted(logs.glob("*/*.opened.json")):
        job = record.name.removesuffix(".opened.json")
        for path in json.loads(record.read_text()):
            for image in _images(path, files):
                through = path if path in files else ""
                yield {
                    "rule": record.parent.name,
                    "job": job,
                    "image": image,
                    "through": through,
                }


def _images(path: str, files: dict[str, dict[str, str]]) -> Iterable[str]:
    return dict.fromkeys(files[path].values()) if path in files else (path,)

"""Which images a job opened: seen by Python itself, not told by the code."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mid_config.pool_files import IMAGE_FILES
from mid_core.runtime.files import write_json


class Opened:
    """Notes every image file and every store that this process opens to read.

    It hangs on Python's audit event ``open`` (PEP 578), which no code that opens files
    through Python can avoid, and which cannot be taken off again. A library that opens
    files in C is not seen: the readers hand h5py an opened file for that reason.
    Stores that the process writes itself are left out.
    """

    def __init__(self) -> None:
        self._read: set[str] = set()
        self._written: set[str] = set()
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple) -> None:
        if event != "open":
            return
        path, _, flags = arguments
        if not isinstance(path, str | os.PathLike):
            return
        path = os.fspath(path)
        inside, zarr, _ = path.partition(".zarr/")
        if zarr or path.lower().endswith(IMAGE_FILES):
            whole = Path(f"{inside}.zarr" if zarr else path).absolute().as_posix()
            (self._written if flags & os.O_ACCMODE else self._read).add(whole)

    def write(self, path: Path) -> None:
        """Write the paths, absolute and sorted, as a JSON list that appears whole."""
        write_json(path, sorted(self._read - self._written))


def opened_path(log: Path | str) -> Path:
    """Where a job with this log file notes what it opened."""
    return Path(log).with_suffix(".opened.json")


def rows(
    logs: Iterable[Path], files: Mapping[str, Mapping[str, str]]
) -> Iterator[dict[str, str]]:
    """Lay out what jobs opened.

    Parameters
    ----------
    logs
        Of the jobs: ``<rule>/<job>.log``, or ``<rule>.log``.
    files
        For each pixel store, by its absolute path: the file of each of its images.

    Yields
    ------
    ``rule``, ``job``, ``image`` (a file, or a noise store) and ``through``: the store
    in which the job found the image, empty where it opened the file itself.
    """
    for log in logs:
        rule, job = (
            (log.stem, "") if log.parent.name == "logs" else (log.parent.name, log.stem)
        )
        record = opened_path(log)
        # A variant outside the tables may never have run.
        for path in json.loads(record.read_text()) if record.is_file() else ():
            known = files.get(path)
            for image in dict.fromkeys(known.values()) if known else (path,):
                through = path if known else ""
                yield {"rule": rule, "job": job, "image": image, "through": through}

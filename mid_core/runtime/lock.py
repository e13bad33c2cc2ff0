"""One process at a time works in a folder; the next is told who does."""

import logging
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Self

from filelock import SoftFileLease, Timeout

from mid_core.errors import MidError
from mid_core.runtime.files import written_whole
from mid_core.runtime.liveness import Process

BEAT, LAPSE = 10.0, 180.0
log = logging.getLogger("mid")


class Lock:
    """Holds a folder for this process; use as a context manager.

    The lock is a file that a thread touches every ``beat`` seconds, so it also works
    where a file system has no locks. An owner that died on this host loses it at once;
    one on another host when nothing has touched it for ``lapse`` seconds, by the clock
    of the one who waits: clocks may differ. One that died before it had written its name
    loses it after ``beat``.

    Parameters
    ----------
    folder
        What is held; made if it is not there, removed in the end if it is empty.
    beat, lapse
        Seconds; the same for all who may want the folder.

    Raises
    ------
    MidError
        On entering, if a living process holds the folder.
    """

    def __init__(self, folder: Path, beat: float = BEAT, lapse: float = LAPSE) -> None:
        self._folder, self._owner, self._beat = folder, folder / "owner.txt", beat
        self._file = folder / "lock"
        self._lock = SoftFileLease(
            self._file, lease_duration=lapse, heartbeat_interval=beat
        )

    def __enter__(self) -> Self:
        first, began, asked = self._touched(), time.monotonic(), False
        while not self._acquired():
            if self._touched() != first:
                raise MidError(self._refusal())
            if not asked:
                log.info("%s has an owner: does it live?", self._folder)
                asked = True
            if time.monotonic() - began > self._beat:
                self._clear_nameless()
        since = datetime.now().astimezone().isoformat(" ", "seconds")
        with written_whole(self._owner) as file:
            file.write(f"{Process.this()}, since {since}".encode())
        return self

    def __exit__(self, *error: object) -> None:
        if self._ours():
            self._owner.unlink(missing_ok=True)
        self._lock.release()
        with suppress(OSError):
            self._folder.rmdir()

    def check(self) -> None:
        """Make sure, before a write, that nobody took the folder over.

        Raises
        ------
        MidError
            If this process was silent for so long that another took it for dead.
        """
        if not self._ours():
            raise MidError(f"nothing more is written, for {self._refusal()}")

    def _acquired(self) -> bool:
        # An owner that has just finished takes the folder away.
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            # Time for two tries: one may only clear away what a dead owner left.
            self._lock.acquire(timeout=0.3, poll_interval=0.1)
        except (Timeout, FileNotFoundError):
            return False
        return True

    def _clear_nameless(self) -> None:
        """Take away a lock into which its owner did not come to write its name.

        `filelock` would wait for ever. Should that owner go on, `check` stops it.
        """
        with suppress(FileNotFoundError):
            if self._file.stat().st_size == 0:
                self._file.unlink()

    def _ours(self) -> bool:
        owner = self._lock.owner
        return owner is not None and owner.token == self._lock.token

    def _touched(self) -> int | None:
        try:
            return self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def _refusal(self) -> str:
        try:
            owner = self._owner.read_text()
        except FileNotFoundError:
            owner = "a process that has just come or gone"
        return f"{self._folder} is held by {owner}: let it finish, or end it first"

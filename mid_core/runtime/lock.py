"""One process at a time works on something; the next one is told who does."""

from contextlib import suppress
from pathlib import Path
from typing import Self

from filelock import SoftFileLease, Timeout

from mid_core.errors import MidError
from mid_core.runtime.files import disk_space_needed

HEARTBEAT_S, EXPIRY_S = 10.0, 180.0


class Lock:
    """A lock between processes, also of several hosts; use as a context manager.

    It is a file that ``filelock`` touches every ``heartbeat`` seconds, so it works
    where a file system has no locks of its own. An owner that died on this host loses
    it at once; any other when nothing has touched it for ``expiry`` seconds, by the
    clock of the one who waits: clocks may differ.

    Parameters
    ----------
    path
        The lock file; it is there while the lock is held.
    heartbeat, expiry
        Seconds; the same for all who may want the lock.

    Raises
    ------
    MidError
        On entering, if a living process holds the lock.
    """

    def __init__(
        self, path: Path, heartbeat: float = HEARTBEAT_S, expiry: float = EXPIRY_S
    ) -> None:
        self._path, self._patience = path, expiry + heartbeat
        self._lease = SoftFileLease(
            path, lease_duration=expiry, heartbeat_interval=heartbeat
        )

    def __enter__(self) -> Self:
        first = self._touched()
        with disk_space_needed(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            for _ in range(2):
                with suppress(Timeout):
                    self._lease.acquire(
                        timeout=self._patience,
                        poll_interval=0.1,
                        cancel_check=lambda: self._touched() not in (first, None),
                    )
                    return self
                if self._touched() != first:
                    break
                # Expired, but NFS cannot swap two files, as filelock would do it.
                self._lease.force_break()
        raise MidError(self._refusal())

    def __exit__(self, *error: object) -> None:
        self._lease.release()

    def check(self) -> None:
        """Make sure, before a write, that nobody took the lock over.

        Raises
        ------
        MidError
            If this process was silent for so long that another took it for dead.
        """
        if not self._lease.is_lock_held_by_us:
            raise MidError(f"nothing more is written, for {self._refusal()}")

    def _touched(self) -> int | None:
        with suppress(FileNotFoundError):
            return self._path.stat().st_mtime_ns
        return None

    def _refusal(self) -> str:
        owner = self._lease.owner
        who = f"{owner.hostname}, process {owner.pid}" if owner else "another process"
        return f"{self._path} is held by {who}: let it finish, or end it first"

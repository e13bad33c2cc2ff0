"""Work that stops at a safe point: told by a signal, or because its time is up."""

import signal
import time
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Self, TypeVar

from mid_core.errors import Interrupted

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
Item = TypeVar("Item")


class Stop:
    """Whether the work should stop; as a context manager it takes the signals in.

    A handler only notes the signal: work looks at ``reason`` where it can be cut.

    Parameters
    ----------
    max_seconds
        Time after which to stop, counted from here; None: no limit.
    """

    def __init__(self, max_seconds: float | None = None) -> None:
        self._start, self._limit = time.monotonic(), max_seconds
        self._signal: str | None = None

    def __enter__(self) -> Self:
        self._handlers = {sign: signal.signal(sign, self._note) for sign in SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        for sign, handler in self._handlers.items():
            signal.signal(sign, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._signal = signal.Signals(number).name

    @property
    def reason(self) -> str | None:
        """Why to stop, in a few words; None: go on."""
        if self._signal:
            return self._signal
        if self._limit is not None and time.monotonic() - self._start >= self._limit:
            return f"max_seconds ({self._limit:g}) are over"
        return None


def until_stopped(
    items: Iterable[Item],
    kept: str = "the shards that are whole are kept, and the same command goes on",
) -> Iterator[Item]:
    """Yield the items, and stop between two of them when a signal says so.

    Parameters
    ----------
    items
        Of any kind.
    kept
        What is not lost, and what to do next.

    Raises
    ------
    Interrupted
        Where the next item would be taken up.
    """
    with Stop() as stop:
        for item in items:
            if stop.reason:
                raise Interrupted(f"{stop.reason}: {kept}")
            yield item

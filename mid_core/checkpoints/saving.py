"""When a training's state is saved: by the clock, and before it is made to stop."""

import logging
import time

from mid_core.checkpoints.checkpoint import Checkpoints
from mid_core.checkpoints.trainer_state import restore, state_of
from mid_core.errors import Interrupted
from mid_core.runtime.distributed import SINGLE_PROCESS, ProcessGroup
from mid_core.runtime.interruption import Stop
from mid_core.runtime.lock import Lock
from mid_core.trainer import Trainer

log = logging.getLogger("mid")


class Checkpointer:
    """Saves a training such that the same command goes on with it.

    Parameters
    ----------
    states
        Where its states lie.
    lock
        Makes sure that nobody else writes there; None: nor does this process.
    stop
        Whether it is to stop.
    minutes
        Between two saves.
    group
        The processes that train; rank 0 alone reads and writes.
    """

    def __init__(
        self,
        states: Checkpoints,
        lock: Lock | None,
        stop: Stop,
        minutes: float,
        group: ProcessGroup = SINGLE_PROCESS,
    ) -> None:
        self._states, self._lock, self._stop = states, lock, stop
        self._interval, self._saved = 60 * minutes, time.monotonic()
        self._group, self._ends = group, False

    def restore(self, trainer: Trainer) -> None:
        """Set a fresh trainer to where the training was cut, if it was."""
        if state := self._group.broadcast(self._states.load() if self._lock else None):
            restore(trainer, state)
            log.info("resumed at step %d, from %s", trainer.steps, self._states.folder)

    def due(self) -> bool:
        """Whether this step must be saved: the processes agree on it."""
        late = time.monotonic() - self._saved >= self._interval
        late, self._ends = self._group.any(late, self._stop.reason is not None)
        return late or self._ends

    def save(self, trainer: Trainer) -> None:
        """Save what ``due`` asked for; the trainer must be finite.

        Raises
        ------
        Interrupted
            If it is to stop; the state is then saved.
        """
        state = state_of(trainer)
        if self._lock:
            self._lock.check()
            self._states.save(state)
        self._saved = time.monotonic()
        if self._ends:
            reason = self._stop.reason or "told by another process"
            raise Interrupted(
                f"{reason}, after step {trainer.steps} of "
                f"{trainer.settings.iterations}: the state is in {self._states.folder}; "
                "the same command goes on from there"
            )

"""When a training's state is saved: by the clock, and before it is made to stop."""

import logging
import time

from mid_core.runtime.distributed import ALONE, Team
from mid_core.errors import Interrupted
from mid_core.runtime.interruption import Stop
from mid_core.learner import Learner
from mid_core.runtime.lock import Lease
from mid_core.checkpoints.state import States

log = logging.getLogger("mid")


class Keeper:
    """Keeps a training such that the same command goes on with it.

    Parameters
    ----------
    states
        Where its states lie.
    lease
        Makes sure that nobody else writes there; None: nor does this process.
    stop
        Whether it is to stop.
    minutes
        Between two saves.
    team
        The processes that train; rank 0 alone reads and writes.
    """

    def __init__(
        self,
        states: States,
        lease: Lease | None,
        stop: Stop,
        minutes: float,
        team: Team = ALONE,
    ) -> None:
        self._states, self._lease, self._stop = states, lease, stop
        self._interval, self._saved = 60 * minutes, time.monotonic()
        self._team, self._ends = team, False

    def restore(self, learner: Learner) -> None:
        """Set a fresh learner to where the training was cut, if it was."""
        if state := self._team.told(self._states.load() if self._lease else None):
            learner.load_state_dict(state)
            log.info("resumed at step %d, from %s", learner.step, self._states.folder)

    def due(self) -> bool:
        """Whether this step must be saved: the processes agree on it."""
        late = time.monotonic() - self._saved >= self._interval
        late, self._ends = self._team.any(late, self._stop.reason is not None)
        return late or self._ends

    def keep(self, learner: Learner) -> None:
        """Save what ``due`` asked for; the learner must be finite.

        Raises
        ------
        Interrupted
            If it is to stop; the state is then saved.
        """
        state = learner.state_dict()
        if self._lease:
            self._lease.check()
            self._states.save(state)
        self._saved = time.monotonic()
        if self._ends:
            reason = self._stop.reason or "told by another process"
            raise Interrupted(
                f"{reason}, after step {learner.step} of "
                f"{learner.settings.iterations}: the state is in {self._states.folder}; "
                "the same command goes on from there"
            )

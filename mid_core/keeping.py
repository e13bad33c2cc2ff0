"""When a training's state is saved: by the clock, and before it is made to stop."""

import logging
import time

from mid_core.errors import Interrupted
from mid_core.interruption import Stop
from mid_core.learner import Learner
from mid_core.lease import Lease
from mid_core.state import States

log = logging.getLogger("mid")


class Keeper:
    """Keeps a training such that the same command goes on with it.

    Parameters
    ----------
    states
        Where its states lie.
    lease
        Makes sure that nobody else writes there.
    stop
        Whether it is to stop.
    minutes
        Between two saves.
    """

    def __init__(
        self, states: States, lease: Lease, stop: Stop, minutes: float
    ) -> None:
        self._states, self._lease, self._stop = states, lease, stop
        self._interval, self._saved = 60 * minutes, time.monotonic()

    def restore(self, learner: Learner) -> None:
        """Set a fresh learner to where the training was cut, if it was."""
        if state := self._states.load():
            learner.load_state_dict(state)
            log.info("resumed at step %d, from %s", learner.step, self._states.folder)

    def due(self) -> bool:
        """Whether this step must be saved."""
        late = time.monotonic() - self._saved >= self._interval
        return late or self._stop.reason is not None

    def keep(self, learner: Learner) -> None:
        """Save; the learner must be finite.

        Raises
        ------
        Interrupted
            If it is to stop; the state is then saved.
        """
        reason = self._stop.reason
        self._lease.check()
        self._states.save(learner.state_dict())
        self._saved = time.monotonic()
        if reason:
            raise Interrupted(
                f"{reason}, after step {learner.step} of "
                f"{learner.settings.iterations}: the state is in {self._states.folder}; "
                "the same command goes on from there"
            )

"""What a person sees of long work: a bar on a terminal, plain lines in a log."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from mid_core.errors import MidError

LINE_SECONDS = 10
log = logging.getLogger("mid")
Item = TypeVar("Item")


def show(items: Iterable[Item], title: str, total: int, unit: str) -> Iterator[Item]:
    """Yield the items, with a bar on a terminal and a line in the log now and then."""
    bar = tqdm(items, title, total, leave=False, unit=unit, disable=None)
    start = last = time.monotonic()
    for count, item in enumerate(bar, start=1):
        yield item
        now = time.monotonic()
        if now - last > LINE_SECONDS or count == total:
            left = (now - start) / count * (total - count)
            log.info("%s: %d of %d %ss, %.0f s left", title, count, total, unit, left)
            last = now


class TrainingReport:
    """Receives a training's progress: draws it, logs it, keeps it as ``rows``."""

    def __init__(self, title: str, iterations: int) -> None:
        self.rows: list[dict] = []
        self._bar = tqdm(
            desc=title, total=iterations, leave=False, unit="step", disable=None
        )
        self._start = self._last = time.monotonic()

    def __call__(self, step: int, loss: float, learning_rate: float) -> None:
        """Take in the mean loss of the steps since the last call."""
        self.rows.append({"step": step, "loss": loss, "learning_rate": learning_rate})
        self._bar.set_postfix(loss=f"{loss:.5f}", refresh=False)
        self._bar.update(step - self._bar.n if not self._bar.disable else 0)
        now, total = time.monotonic(), self._bar.total
        if now - self._last > LINE_SECONDS or step == total:
            rate = step / (now - self._start)
            log.info(
                "step %d of %d, loss %.5f, %.2f steps/s, %.0f s left",
                *(step, total, loss, rate, (total - step) / rate),
            )
            self._last = now
        if step == total:
            self._bar.close()


def run_rule(job: Callable[[], None], log_file: str) -> None:
    """Run a workflow rule's work: log it, and end a user's mistake with a sentence.

    Parameters
    ----------
    job
        The work.
    log_file
        Where log lines and tracebacks go; mistakes also go to the terminal.
    """
    Path(log_file).parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=log_file,
        filemode="w",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        force=True,
    )
    logging.captureWarnings(True)
    try:
        job()
    except MidError as error:
        log.error(error)
        sys.exit(f"Error: {error}\n(log: {log_file})")
    except Exception:
        log.exception("the rule failed")
        raise

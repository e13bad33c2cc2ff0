"""What a person sees of long work: a bar on a terminal, plain lines in a log."""

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from mid_core.errors import MidError
from mid_core.lineage import Opened, opened_path

LINE_SECONDS = 10
log = logging.getLogger("mid")


class Progress:
    """Shows how far a piece of work is, with rate and time left.

    Parameters
    ----------
    title
        What is being done.
    total
        How much there is to do, in units.
    unit
        Of what: ``"step"``, ``"image"``.
    """

    def __init__(self, title: str, total: int, unit: str) -> None:
        layout = "{desc}: {percentage:3.0f}%|{bar}| {n:.4g}/{total} [{elapsed}<"
        layout += "{remaining}, {rate_fmt}{postfix}]"
        self._bar = tqdm(
            *(None, title, total),
            unit=unit,
            leave=False,
            disable=None,
            bar_format=layout,
        )
        self._title, self._total, self._unit, self.done = title, total, unit, 0.0
        self._start = self._last = time.monotonic()

    def __call__(self, amount: float = 1, note: str = "") -> None:
        """Take in that ``amount`` more is done; ``note`` is shown beside it."""
        self.done += amount
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(amount)
        now, finished = time.monotonic(), self.done > self._total - 1e-6
        if now - self._last > LINE_SECONDS or finished:
            rate = self.done / max(now - self._start, 1e-9)
            left = max(0, self._total - self.done) / rate
            text = f"{self._title}: {self._unit} {self.done:.4g} of {self._total}, "
            text += f"{note}, " if note else ""
            log.info("%s%.3g %ss/s, %.0f s left", text, rate, self._unit, left)
            self._last = now
        if finished:
            self._bar.close()


class TrainingReport:
    """Receives a training's progress: shows it, and keeps it as ``rows``."""

    def __init__(self, title: str, iterations: int) -> None:
        self.rows: list[dict] = []
        self._progress = Progress(title, iterations, "step")

    def __call__(self, step: int, loss: float, learning_rate: float) -> None:
        """Take in the mean loss of the steps since the last call."""
        before = self.rows[-1]["step"] if self.rows else 0
        self.rows.append({"step": step, "loss": loss, "learning_rate": learning_rate})
        self._progress(step - before, f"loss {loss:.5f}")


def run_rule(job: Callable[[], None], log_file: str) -> None:
    """Run a workflow rule's work: log it, and end a user's mistake with a sentence.

    The images that it opened are noted beside the log, for the table of lineage.

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
    opened = Opened()
    try:
        job()
        opened.write(opened_path(log_file))
    except MidError as error:
        log.error(error)
        sys.exit(f"Error: {error}\n(log: {log_file})")
    except Exception:
        log.exception("the rule failed")
        raise

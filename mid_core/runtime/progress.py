"""What a person sees of long work: a bar on a terminal, plain lines in a log."""

import logging
import time

from tqdm import tqdm

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
    done
        How much an earlier attempt has done of it.
    """

    def __init__(self, title: str, total: int, unit: str, done: float = 0) -> None:
        layout = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total} [{elapsed}<"
        layout += "{remaining}, {rate_fmt}{postfix}]"
        self._bar = tqdm(
            *(None, title, total),
            unit=unit,
            initial=done,
            leave=False,
            disable=None,
            bar_format=layout,
        )
        self._title, self._total, self._unit = title, total, unit
        self.done = self._first = done
        self._start = self._last = time.monotonic()
        self._under_way = False

    def __call__(self, amount: float = 1, note: str = "") -> None:
        """Take in that ``amount`` more is done; ``note`` is shown beside it."""
        self.done += amount
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(amount)
        now, finished = time.monotonic(), self.done > self._total - 1e-6
        if not (self._under_way or finished):
            # What comes before the first report is not the pace of the work.
            self._start, self._last, self._first = now, now, self.done
        elif finished or now - self._last > LINE_SECONDS:
            self._tell(now, note)
        self._under_way = True
        if finished:
            self._bar.close()

    def _tell(self, now: float, note: str) -> None:
        rate = (self.done - self._first) / max(now - self._start, 1e-9)
        left = max(0, self._total - self.done) / max(rate, 1e-9)
        text = (
            f"{self._title}: {self._unit} {round(self.done, 1):.12g} of {self._total}, "
        )
        text += f"{note}, " if note else ""
        log.info("%s%.3g %ss/s, %.0f s left", text, rate, self._unit, left)
        self._last = now


class TrainingReport:
    """Shows how far a training is; ``done`` steps of it are from earlier attempts."""

    def __init__(self, title: str, iterations: int, done: int = 0) -> None:
        self._progress = Progress(title, iterations, "step", done)

    def __call__(self, step: int, loss: float, learning_rate: float) -> None:
        """Take in the mean loss of the steps since the last call."""
        self._progress(step - self._progress.done, f"loss {loss:.5f}")

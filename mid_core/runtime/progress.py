"""What a person sees of long work: a bar on a terminal, plain lines in a log."""

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from mid_core.errors import Interrupted, MidError

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
        layout = "{desc}: {percentage:3.0f}%|{bar}| {n:.4g}/{total} [{elapsed}<"
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

    def __call__(self, amount: float = 1, note: str = "") -> None:
        """Take in that ``amount`` more is done; ``note`` is shown beside it."""
        self.done += amount
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(amount)
        now, finished = time.monotonic(), self.done > self._total - 1e-6
        if now - self._last > LINE_SECONDS or finished:
            rate = (self.done - self._first) / max(now - self._start, 1e-9)
            left = max(0, self._total - self.done) / max(rate, 1e-9)
            text = f"{self._title}: {self._unit} {self.done:.4g} of {self._total}, "
            text += f"{note}, " if note else ""
            log.info("%s%.3g %ss/s, %.0f s left", text, rate, self._unit, left)
            self._last = now
        if finished:
            self._bar.close()


class TrainingReport:
    """Shows how far a training is; ``done`` steps of it are from earlier attempts."""

    def __init__(self, title: str, iterations: int, done: int = 0) -> None:
        self._progress = Progress(title, iterations, "step", done)

    def __call__(self, step: int, loss: float, learning_rate: float) -> None:
        """Take in the mean loss of the steps since the last call."""
        self._progress(step - self._progress.done, f"loss {loss:.5f}")


def run_rule(job: Callable[[], None], log_file: str) -> None:
    """Run a workflow rule's work, and keep a log of who did it and how it ended.

    The process exits with the status of a ``MidError`` or an ``Interrupted``, and with 1
    after any other failure. It says nothing itself: Snakemake prints the log of a job that
    failed. The images that were opened are noted beside the log, for the table of
    lineage.

    Parameters
    ----------
    job
        The work.
    log_file
        Where log lines, mistakes and tracebacks go.
    """
    # Not at the top: who denoises a photo sees progress, too, and needs no psutil.
    from mid_core.jobs import log as joblog
    from mid_core.jobs.lineage import Opened, opened_path

    path, opened = Path(log_file), Opened()
    path.parent.mkdir(parents=True, exist_ok=True)
    opened_path(path).unlink(missing_ok=True)
    attempts = joblog.attempts_path(path)
    once = not attempts.exists()
    path.unlink(missing_ok=True)
    kept = logging.FileHandler(attempts)
    logging.basicConfig(
        # They append, as other processes of the job may write there too.
        handlers=[logging.FileHandler(path), kept],
        level=logging.INFO,
        format=joblog.LINE,
        force=True,
    )
    logging.captureWarnings(True)
    log.info(joblog.first_line(path))
    try:
        job()
        opened.write(opened_path(path))
    except MidError as error:
        log.error(error)
        _exit(error.status, joblog.FAILED)
    except Interrupted as error:
        _exit(error.status, joblog.INTERRUPTED, error)
    except KeyboardInterrupt:
        _exit(Interrupted.status, joblog.INTERRUPTED, "from the keyboard")
    except Exception:
        log.exception("A mistake of the program, or of what it stands on:")
        _exit(1, joblog.FAILED)
    log.info(joblog.FINISHED)
    if once:
        logging.getLogger().removeHandler(kept)
        kept.close()
        attempts.unlink()


def _exit(status: int, last_word: str, *why: object) -> None:
    log.info(last_word, *(" ".join(str(part).split()) for part in why))
    sys.exit(status)

"""How a workflow script runs: its log, its exit status, and what it opened."""

import errno
import fcntl
import logging
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mid_core.errors import Interrupted, MidError
from mid_core.jobs.lineage import Opened, opened_path
from mid_core.jobs.log import LINE, attempts_path, job_name
from mid_core.runtime import slurm
from mid_core.runtime.files import refusal

# What the system says where there is no room.
FULL = (errno.ENOSPC, errno.EDQUOT)
log = logging.getLogger("mid")


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
        Where log lines, mistakes and tracebacks go. The process holds it by ``flock``
        while it lives, for ``mid status``.
    """
    path, opened = Path(log_file), Opened()
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in (path, opened_path(path)):
        old.unlink(missing_ok=True)
    attempts = attempts_path(path)
    once = not attempts.exists()
    # They append, as other processes of the job may write there too.
    # In names of files, what is not UTF-8 is escaped.
    own, kept = (
        logging.FileHandler(file, encoding="utf-8", errors="backslashreplace")
        for file in (path, attempts)
    )
    logging.basicConfig(
        handlers=[own, kept], level=logging.INFO, format=LINE, force=True
    )
    logging.captureWarnings(True)
    # Some file systems have no locks.
    with suppress(OSError):
        fcntl.flock(own.stream, fcntl.LOCK_EX)
    log.info(
        "started: %s on %s, process %d%s",
        *(job_name(path), socket.gethostname(), os.getpid()),
        f", SLURM job {slurm.job_id()}" if slurm.job_id() else "",
    )
    status, end = 0, "finished"
    try:
        job()
        opened.write(opened_path(path))
    except MidError as error:
        log.error(error)
        status, end = error.status, "failed"
    except (Interrupted, KeyboardInterrupt) as error:
        why = " ".join(str(error).split()) or "from the keyboard"
        status, end = Interrupted.status, f"interrupted: {why}"
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            written = Path(error.filename or path.parent)
            log.error("%s; then give the same command", refusal(written, error))
        else:
            log.exception("A mistake of the program, or of what it stands on:")
        status, end = 1, "failed"
    log.info(end)
    if status:
        sys.exit(status)
    if once:
        logging.getLogger().removeHandler(kept)
        kept.close()
        attempts.unlink()

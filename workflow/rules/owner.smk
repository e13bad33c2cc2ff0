"""Who runs in this folder: a log like a job's, for `mid recover`. No rules."""

import fcntl
import socket
import time
from contextlib import suppress

# As in mid_core/jobs/recovery.py, which reads it.
RUN_LOG = Path(".snakemake/mid_run.log")


def note_run(text):
    now = time.strftime("%Y-%m-%d %H:%M:%S,000")
    print(f"{now} INFO {text}", file=run_log, flush=True)


def note_start():
    global run_log
    run_log = RUN_LOG.open("w")
    # The run holds its log while it lives; some file systems have no locks.
    with suppress(OSError):
        fcntl.flock(run_log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    command = shlex.join(["snakemake", *sys.argv[1:]])
    note_run(f"started: {command} on {socket.gethostname()}, process {os.getpid()}")


# Snakemake refuses a locked folder, but knows neither by whom nor `mid`.
if workflow.is_main_process and any(Path(".snakemake/locks").glob("*.lock")):
    first = RUN_LOG.read_text().partition("\n")[0] if RUN_LOG.is_file() else "a run"
    print(
        f"This folder is locked by\n  {first}\n"
        f"If it was killed, `{to_type('mid', 'recover')}` clears the lock.",
        file=sys.stderr,
    )

"""Who runs in this folder: noted for `mid recover`, should it be killed. No rules."""

import json
import shlex
import socket
import time

import psutil

HOST = socket.gethostname()
OWNERS = Path(".snakemake/mid_owners")
OWNER = OWNERS / f"{HOST}_{os.getpid()}.json"


def note_owner():
    forget_the_dead()
    own = psutil.Process()
    process = {
        "host": HOST,
        "pid": own.pid,
        # Since the machine's boot: no clock can shift it.
        "born": round(own.create_time() - psutil.boot_time(), 2),
        "slurm": os.environ.get("SLURM_JOB_ID", ""),
    }
    command = shlex.join(["snakemake", *sys.argv[1:]])
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    note = {"process": process, "since": since, "command": command}
    OWNERS.mkdir(parents=True, exist_ok=True)
    partial = OWNER.with_suffix(".partial")
    partial.write_text(json.dumps(note))
    partial.replace(OWNER)


def forget_owner():
    OWNER.unlink(missing_ok=True)


def forget_the_dead():
    """Their lock was cleared by hand, or this run would not have come so far."""
    for path in OWNERS.glob(f"{HOST}_*.json"):
        if not psutil.pid_exists(int(path.stem.removeprefix(f"{HOST}_"))):
            path.unlink(missing_ok=True)


def say_whose_the_lock_is():
    """Snakemake refuses a locked folder, but knows neither by whom nor `mid`."""
    if not any(Path(".snakemake/locks").glob("*.lock")):
        return
    notes = [json.loads(path.read_text()) for path in OWNERS.glob("*.json")]
    runs = [
        f"`{one['command']}` on {one['process']['host']} since {one['since']}"
        for one in notes
    ]
    print(
        f"This folder is locked by {', '.join(runs) or 'a run'}. If it was killed, "
        "`mid recover` clears the lock.",
        file=sys.stderr,
    )


if workflow.is_main_process:
    say_whose_the_lock_is()

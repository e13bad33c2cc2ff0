"""What a process knows of the SLURM job in which it runs."""

import os
import subprocess

# What it asks of SLURM may not hold a job up.
PATIENCE_S = 15


def job_id() -> str:
    """Id of the SLURM job; empty outside of SLURM."""
    return os.environ.get("SLURM_JOB_ID", "")


def node_count() -> int:
    """How many nodes the SLURM job has; 1 outside of SLURM, or where it does not say.

    SLURM is asked, as a job step on one of them does not see it.
    """
    if not job_id():
        return 1
    count = _answer("squeue", "--noheader", "--format", "%D", "--jobs", job_id())
    return int(count) if count.isdecimal() else 1


def step_variables() -> list[str]:
    """What SLURM tells a process of its job step, beside which job it is."""
    own = ("SLURM_JOB_ID", "SLURM_CONF")
    return sorted(n for n in os.environ if n.startswith("SLURM_") and n not in own)


def visible_gpus() -> str:
    """The GPUs that the job may use, as ``CUDA_VISIBLE_DEVICES`` has them.

    SLURM sets it for a job that holds a GPU. Without it a process may still see the
    GPUs of others, where the site does not hide them.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return "" if visible == "NoDevFiles" else visible


def slice_seconds(max_seconds: float | None, runtime_min: float) -> float | None:
    """Time after which a training should end by itself, saved.

    Parameters
    ----------
    max_seconds
        What the config says; None: no limit.
    runtime_min
        What the job asks of SLURM, in minutes. Outside of SLURM nobody enforces it.

    Returns
    -------
    In SLURM at most 9/10 of the job's time, or that time less 10 minutes: what is left
    is for the start and for the last save.
    """
    if not job_id():
        return max_seconds
    limit = 60 * runtime_min
    own = limit - min(600, limit / 10)
    return own if max_seconds is None else min(own, max_seconds)


def is_queued(job: str) -> bool | None:
    """Whether SLURM has a job waiting or running; None where SLURM does not say."""
    done = _run("squeue", "--noheader", "--jobs", job)
    if done is None or (done.returncode and "Invalid job id" not in done.stderr):
        return None
    return bool(done.stdout.strip())


def describe() -> str:
    """What there is to know of a job that did not get its GPU, a fact a line."""
    job = job_id()
    facts = [f"node: {os.uname().nodename}"]
    facts += [
        f"{name}={value}"
        for name, value in sorted(os.environ.items())
        if name.startswith(("CUDA_VISIBLE", "SLURM_JOB_", "SLURM_GPUS", "SLURM_STEP_"))
    ]
    asked = "sacct --noheader --parsable2 --allocations --format SubmitLine --jobs"
    line = _answer(*asked.split(), job)
    facts.append(f"submitted by: {line or _answer('scontrol', 'show', 'job', job)}")
    facts.append(f"nvidia-smi: {_answer('nvidia-smi', '-L')}")
    return "\n".join(facts)


def _answer(*command: str) -> str:
    """What a command says; empty where there is no such command, or no answer."""
    done = _run(*command)
    return done.stdout.strip() if done else ""


def _run(*command: str) -> subprocess.CompletedProcess | None:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None

"""What this machine has, asked without torch: a dry run stays light."""

import os
import shutil
import subprocess
from pathlib import Path

# One folder for each GPU that the driver knows.
DRIVER = Path("/proc/driver/nvidia/gpus")


def gpu_count() -> int:
    """Count the NVIDIA GPUs that jobs on this machine may use.

    ``CUDA_VISIBLE_DEVICES`` decides where it is set. In a SLURM job that does not set it
    there are none: those that the driver knows are other jobs'.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None or "SLURM_JOB_ID" in os.environ:
        names = [name.strip() for name in (visible or "").split(",")]
        # CUDA stops at the first that means none.
        none = (i for i, name in enumerate(names) if name in ("", "-1", "NoDevFiles"))
        return next(none, len(names))
    if DRIVER.is_dir():
        return len(list(DRIVER.iterdir()))
    if not (command := shutil.which("nvidia-smi")):
        return 0
    try:
        listed = subprocess.run(
            [command, "-L"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())

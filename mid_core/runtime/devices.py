"""Where to compute: never on a CPU in silence where a GPU was asked for."""

from collections.abc import Callable

import torch
from torch import Tensor

from mid_core.errors import MidError
from mid_core.runtime import slurm
from mid_core.runtime.gpus import hold_gpus, too_few


def pick_device(
    name: str, needed: bool = True, wait: bool = True, gpu: int | None = None
) -> torch.device:
    """Return the named device, or for ``"auto"`` the best there is.

    Of several GPUs it is one that no other job of the machine has (``hold_gpus``); it
    becomes torch's current one. In a SLURM job, a GPU counts only if the job holds it.

    Parameters
    ----------
    name
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    needed
        Whether to insist on it: a training does, scores and pictures do with what is
        there. In SLURM, ``auto`` then stands for a GPU.
    wait
        Whether to wait for a GPU of its own where all are taken; else it is shared.
    gpu
        The GPU that the process was given; None: it takes one.

    Raises
    ------
    MidError
        If it is needed and not there, or does not work: a GPU job must not silently
        become a CPU job.
    """
    name = device_kind(name, needed)
    try:
        device = _gpu(gpu, wait) if name == "cuda" else torch.device(name)
        torch.ones(1, device=device).add_(1)
    except RuntimeError as error:
        raise MidError(_refusal(name, f"it does not work: {error}")) from error
    return device


def device_kind(name: str, needed: bool = True) -> str:
    """Return ``cpu``, ``cuda`` or ``mps``, as ``pick_device`` would choose.

    Raises
    ------
    MidError
        If it is needed and not there.
    """
    ours = not slurm.job_id() or slurm.visible_gpus()
    available = {
        "cuda": bool(ours) and torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto" or not (needed or available[name]):
        best = next(kind for kind, there in available.items() if there)
        insists = name == "auto" and needed and slurm.job_id()
        name = "cuda" if insists and best == "cpu" else best
    if not available[name]:
        raise MidError(_refusal(name, f"torch {torch.__version__} sees none"))
    return name


def _gpu(given: int | None, wait: bool) -> torch.device:
    if given is None:
        (given,) = hold_gpus(1, wait)
    if given >= torch.cuda.device_count():
        raise too_few("cuda")
    torch.cuda.set_device(given)
    return torch.device("cuda", given)


def sender(device: torch.device) -> Callable[[Tensor], Tensor]:
    """Return what brings a tensor to the device ahead of its use, from any thread.

    It copies from page-locked memory and beside the computing, so that neither waits
    for the other; when it returns, the tensor is there. To devices that are not CUDA's
    nothing is sent ahead: Metal must be used by one thread alone.
    """
    if device.type != "cuda":
        return lambda tensor: tensor
    beside, main = torch.cuda.Stream(device), torch.cuda.current_stream(device)

    def send(tensor: Tensor) -> Tensor:
        # A thread begins on GPU 0, whichever is this process's.
        with torch.cuda.device(beside.device), torch.cuda.stream(beside):
            sent = tensor.pin_memory().to(device, non_blocking=True)
        beside.synchronize()
        # Its memory is not used again before the computing is done with it.
        sent.record_stream(main)
        return sent

    return send


def _refusal(name: str, why: str) -> str:
    if not slurm.job_id():
        return (
            f"device '{name}' cannot be used ({why}): correct runtime.device, or set it "
            "to cpu to do without"
        )
    return (
        f"SLURM job {slurm.job_id()} has no device '{name}' ({why}). See that the job "
        "asks for a GPU (slurm/profile.yaml, docs/slurm.md), or set runtime.device to "
        f"cpu to do without.\n{slurm.describe()}"
    )

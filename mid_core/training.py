"""One training: a network from scratch, on one noise bank (paper, Eq. 2 and 3)."""

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mid_core.errors import MidError
from mid_core.sampling import Batches


def charbonnier(prediction: Tensor, target: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Smooth absolute error (Charbonnier et al., ICIP 1994)."""
    return torch.sqrt((prediction - target) ** 2 + epsilon**2).mean()


LOSSES = {"mse": F.mse_loss, "charbonnier": charbonnier}


@dataclass(frozen=True)
class Training:
    """Settings of one training.

    Attributes
    ----------
    iterations, batch, patch
        Steps, crops a step, side of a crop in pixels.
    learning_rate, final_learning_rate
        Start and end of the cosine schedule, one step at a time.
    gradient_clip
        Largest norm of the gradient; 0 switches clipping off.
    ema
        Decay of the running mean of the weights that becomes the model; 0: none.
    precision
        ``"fp32"``, or ``"bf16"`` for autocast (weights stay float32).
    loss
        ``"mse"`` (the paper) or ``"charbonnier"``; over all pixels.
    """

    iterations: int
    batch: int
    patch: int
    learning_rate: float = 4e-4
    final_learning_rate: float = 1e-6
    gradient_clip: float = 1.0
    ema: float = 0.999
    precision: str = "fp32"
    loss: str = "mse"


def pick_device(name: str, needed: bool = True) -> torch.device:
    """Return the named device, or for ``"auto"`` the best there is.

    Parameters
    ----------
    name
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    needed
        Whether to insist on it. Scores and pictures do with what is there: on a
        cluster their jobs ask for no GPU.

    Raises
    ------
    MidError
        If a device is asked for that this machine does not have: a GPU job must
        not silently become a CPU job.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto" or not (needed or available[name]):
        name = next(kind for kind, there in available.items() if there)
    if not available[name]:
        raise MidError(
            f"device '{name}' is not there: torch {torch.__version__} sees no such "
            "device; check the job's GPU request, or set runtime.device to auto"
        )
    return torch.device(name)


def autocast(device: torch.device, precision: str):
    """Return the context in which the network runs."""
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


def train(
    network: nn.Module,
    batches: Batches,
    settings: Training,
    device: torch.device,
    report: Callable[[int, float, float], None] = lambda step, loss, rate: None,
    every: int = 50,
) -> nn.Module:
    """Train ``network`` and return the model: its weights, or their running mean.

    Parameters
    ----------
    network
        Freshly initialised; changed in place.
    batches
        Step t trains on ``batches.draw(t)``.
    settings
        What is minimised, and how.
    device
        Where to train.
    report
        Called every ``every`` steps and at the end, with the step, the mean loss
        since the last call, and the learning rate.

    Raises
    ------
    MidError
        When the loss is not finite; the weights are then worthless.
    """
    network.to(device).train()
    loss_of = LOSSES[settings.loss]
    optimizer = torch.optim.Adam(
        network.parameters(), lr=settings.learning_rate, fused=True
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, settings.iterations, eta_min=settings.final_learning_rate
    )
    average = None
    if settings.ema:
        mean_of = get_ema_multi_avg_fn(settings.ema)
        average = AveragedModel(network, multi_avg_fn=mean_of)
    total, counted = torch.zeros((), device=device), 0
    for step, (y, x) in enumerate(batches.stream(0, settings.iterations), start=1):
        y, x = (t.to(device, non_blocking=True) for t in (y, x))
        with autocast(device, settings.precision):
            loss = loss_of(network(y).float(), x)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if settings.gradient_clip:
            nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_clip)
        optimizer.step()
        rate = schedule.get_last_lr()[0]
        schedule.step()
        if average:
            average.update_parameters(network)
        total, counted = total + loss.detach(), counted + 1
        if step % every == 0 or step == settings.iterations:
            mean = total.item() / counted
            _stop_unless(math.isfinite(mean), f"the loss became {mean}", step)
            report(step, mean, rate)
            total, counted = torch.zeros_like(total), 0
    model = average.module if average else network
    finite = all(torch.isfinite(p).all() for p in model.parameters())
    _stop_unless(finite, "the weights are not finite", step)
    return model.eval()


def _stop_unless(good: bool, what: str, step: int) -> None:
    """Refuse to go on with weights that a bad step has destroyed."""
    if not good:
        raise MidError(
            f"{what}, at or shortly before step {step}: no model is written; lower "
            "training.learning_rate, or set training.precision to fp32"
        )

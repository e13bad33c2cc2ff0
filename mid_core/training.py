"""Training a network from scratch on one noise bank (paper, Eq. 2 and 3).

Settings, loss, one step, and the loop. Saving and scoring are callables of the caller.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.errors import NotFinite
from mid_core.networks.acceleration import accelerate
from mid_core.networks.averaging import RunningMean
from mid_core.networks.denoiser import Denoiser
from mid_core.patches import Crop, PatchSampler
from mid_core.runtime.distributed import SINGLE_PROCESS, ProcessGroup, no_sync
from mid_core.runtime.precision import autocast

COLUMNS = ("step", "loss", "learning_rate")
log = logging.getLogger("mid")


def charbonnier(prediction: Tensor, target: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Smooth absolute error (Charbonnier et al., ICIP 1994).

    Examples
    --------
    >>> round(charbonnier(torch.ones(2), torch.zeros(2)).item(), 3)
    1.0
    """
    return torch.sqrt((prediction - target) ** 2 + epsilon**2).mean()


Loss = Callable[[Tensor, Tensor], Tensor]
LOSSES: dict[str, Loss] = {"mse": F.mse_loss, "charbonnier": charbonnier}


@dataclass(frozen=True)
class Training:
    """Settings of one training.

    Attributes
    ----------
    iterations, batch_size, patch_size
        Steps, crops a step, side of a crop in pixels.
    learning_rate, min_learning_rate
        Start and end of the cosine schedule, one step at a time.
    max_grad_norm
        Largest norm of the gradient; 0 switches clipping off.
    ema_decay
        Decay of the running mean of the weights that becomes the model; 0: none.
    precision
        ``"fp32"``, or ``"bf16"`` for autocast (weights stay float32); a GPU without
        that arithmetic computes in fp32.
    loss
        ``"mse"`` (the paper) or ``"charbonnier"``; over all pixels.
    """

    iterations: int
    batch_size: int
    patch_size: int
    learning_rate: float = 4e-4
    min_learning_rate: float = 1e-6
    max_grad_norm: float = 1.0
    ema_decay: float = 0.999
    precision: str = "fp32"
    loss: str = "mse"


class Trainer:
    """A network in training, and all that changes from step to step.

    Parameters
    ----------
    network
        Freshly initialised; changed in place.
    settings
        What is minimised, and how.
    device
        Where to train.
    group
        The processes among which a batch is shared out.
    gradient_accumulation
        How many parts of a process's shard pass the network one after another: for
        small memories. Neither changes the numbers beyond rounding.
    skip_steps
        How many steps may be left out because their gradient is not finite. Checking
        the gradient makes a GPU wait at every step; 0 switches the check off.
    compiled
        ``"auto"``, ``"always"`` or ``"never"``: see ``networks.acceleration``.

    Attributes
    ----------
    steps, skipped
        Steps done, and how many of them were left out.
    history
        A row for each report: ``step``, mean ``loss`` since the last one,
        ``learning_rate``, and what else was measured then.
    losses
        Of the steps since the last report, on the device.
    """

    def __init__(
        self,
        network: Denoiser,
        settings: Training,
        device: torch.device,
        group: ProcessGroup = SINGLE_PROCESS,
        gradient_accumulation: int = 1,
        skip_steps: int = 0,
        compiled: str = "never",
    ) -> None:
        self.settings, self.device, self.group = settings, device, group
        self._parts, self._skip_steps = gradient_accumulation, skip_steps
        self.network = network.to(device).train()
        self.optimizer = torch.optim.Adam(
            network.parameters(), lr=settings.learning_rate, fused=True
        )
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            self.optimizer, settings.iterations, eta_min=settings.min_learning_rate
        )
        self.average: RunningMean | None = None
        if settings.ema_decay:
            self.average = RunningMean(network, settings.ema_decay)
        parts = group.size * gradient_accumulation
        crops, side = settings.batch_size // parts, settings.patch_size
        work = crops, side, settings.precision, settings.iterations
        accelerate(self.network, *work, compiled, is_whole=parts == 1)
        self._wrapped = group.wrap(self.network)
        self.steps, self.skipped = 0, 0
        self.history: list[dict[str, float]] = []
        self.losses: list[Tensor] = []
        self.begin(0.0)

    @property
    def model(self) -> nn.Module:
        """The weights, or their running mean if the settings ask for it."""
        return self.average.module if self.average else self.network

    def begin(self, seconds: float) -> None:
        """Let the clock run, on from what earlier attempts at this training took."""
        self._start = time.monotonic() - seconds

    @property
    def seconds(self) -> float:
        """Time spent in training, that of earlier attempts included."""
        return time.monotonic() - self._start

    def step(self, y: Tensor, x: Tensor) -> bool:
        """Do one step with this process's shard, towards ``x`` from ``y``.

        Both are (N, C, H, W). Returns False if the weights were left as they are, as
        the gradient is not finite and a step may still be skipped.
        """
        self.optimizer.zero_grad(set_to_none=True)
        parts = list(zip(y.chunk(self._parts), x.chunk(self._parts), strict=True))
        with no_sync(self._wrapped):
            losses = [self._pass(*part) for part in parts[:-1]]
        losses.append(self._pass(*parts[-1]))
        usable = self._bound_gradient()
        # Where the gradient was dropped, this changes nothing.
        self.optimizer.step()
        self._rate = float(self.schedule.get_last_lr()[0])
        self.schedule.step()
        if usable:
            if self.average:
                self.average.update_parameters(self.network)
            # Looking at the loss here would make a GPU wait, every step.
            self.losses.append(sum(losses[1:], start=losses[0]))
        self.steps += 1
        return usable

    def _pass(self, y: Tensor, x: Tensor) -> Tensor:
        """Add the gradient of a part of the batch; return what it adds to the loss."""
        y, x = y.to(self.device), x.to(self.device)
        with autocast(self.device, self.settings.precision):
            loss = LOSSES[self.settings.loss](self._wrapped(y).float(), x) / self._parts
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _bound_gradient(self) -> bool:
        """Clip the gradient; drop and count one to skip, and return False."""
        limit, may_skip = self.settings.max_grad_norm, self.skipped < self._skip_steps
        if not (limit or may_skip):
            return True
        parameters = self.network.parameters()
        norm = nn.utils.clip_grad_norm_(parameters, limit or math.inf)
        # All processes have the same gradient, and so decide alike.
        usable = not may_skip or bool(norm.isfinite())
        if not usable:
            self.skipped += 1
            self.optimizer.zero_grad(set_to_none=True)
        return usable

    def sum_up(self, **more: float) -> tuple[int, float, float]:
        """Add a row to the history, with ``more`` columns, and return it without."""
        # Without one, where all steps since the last row were skipped.
        losses = self.recent_losses() or [math.nan]
        row = self.steps, math.fsum(losses) / len(losses), self._rate
        self.history.append(dict(zip(COLUMNS, row, strict=True)) | more)
        self.losses.clear()
        return row

    def first_bad_step(self) -> int | None:
        """Return the first step that was not finite; None: all is well.

        It is a step since the last row whose loss is not finite, or else the last
        step, if it left weights, means, moments or statistics that are not.
        """
        losses = self.recent_losses()
        bad = [i for i, loss in enumerate(losses, 1) if not math.isfinite(loss)]
        if bad:
            return self.steps - len(losses) + bad[0]
        tensors = [*self.network.state_dict().values()]
        tensors += self.model.state_dict().values()
        for moments in self.optimizer.state.values():
            tensors += moments.values()
        numbers = [tensor for tensor in tensors if tensor.is_floating_point()]
        finite = nn.utils.get_total_norm(numbers).isfinite()
        return None if finite else self.steps

    def recent_losses(self) -> list[float]:
        """Return the loss of each step since the last report, mean of the processes."""
        own = torch.stack(self.losses).tolist() if self.losses else []
        return self.group.mean(own)


Score = Callable[[Trainer], dict[str, float]]


def train(
    trainer: Trainer,
    batches: PatchSampler,
    report: Callable[[int, float, float], None] = lambda step, loss, rate: None,
    every: int = 50,
    save_due: Callable[[], bool] = lambda: False,
    save: Callable[[Trainer], None] = lambda trainer: None,
    score: Score = lambda trainer: {},
) -> None:
    """Train to the end of the settings' iterations, from where the trainer is.

    Parameters
    ----------
    trainer
        What is trained; its ``model`` is then ready for use.
    batches
        Step t, from 1, trains on ``batches.draw(t - 1)``, or on this process's shard
        of it.
    report
        Called every ``every`` steps and at the end, with the step, the mean loss
        since the last call, and the learning rate.
    save_due, save
        Asked after each step whether the state is to be saved, and what saves it.
        ``save`` may raise ``Interrupted``.
    score
        Called after each step; where it returns numbers, they become a row of the
        history.

    Raises
    ------
    NotFinite
        When a loss or a weight is not finite, and the trainer may not skip the step.
        That is looked for where the training reports or saves: later steps are lost
        with the bad one, but no state and no model comes of them.

    Examples
    --------
    >>> import numpy as np
    >>> from mid_core.batches import Batches
    >>> from mid_core.masking import Masking
    >>> from mid_core.networks import build
    >>> from mid_core.patches import InMemory
    >>> pool = InMemory([("x", np.full((16, 16, 3), 128, np.uint8))])
    >>> noise = InMemory([("n", np.zeros((16, 16, 3), np.float16))])
    >>> batches = Batches(pool, noise, 2, 16, Masking(0.5), False, seed=[0])
    >>> network = build({"name": "dncnn", "width": 4, "depth": 3})
    >>> settings = Training(iterations=3, batch_size=2, patch_size=16)
    >>> trainer = Trainer(network, settings, torch.device("cpu"))
    >>> train(trainer, batches)
    >>> trainer.steps, [row["step"] for row in trainer.history]
    (3, [3])
    """
    iterations = trainer.settings.iterations
    crops = trainer.group.shard(batches.batch_size)
    for y, x in batches.stream(trainer.steps, iterations, crops, trainer.device):
        if not trainer.step(y, x):
            log.warning("step %d is not finite and is skipped", trainer.steps)
            _name_crops(trainer.steps, batches, logging.WARNING)
        has_ended, scores = trainer.steps == iterations, score(trainer)
        reports = has_ended or bool(scores) or trainer.steps % every == 0
        saves = not has_ended and save_due()
        if reports or saves:
            _stop_unless_finite(trainer, batches)
        if reports:
            report(*trainer.sum_up(**scores))
        if saves:
            save(trainer)
    trainer.model.eval()


def _stop_unless_finite(trainer: Trainer, batches: PatchSampler) -> None:
    """Refuse to go on from a step that destroyed the weights; say what it saw."""
    step = trainer.first_bad_step()
    if step is None:
        return
    crops = _name_crops(step, batches, logging.ERROR)
    why = "its images are, so the training diverged: lower training.learning_rate, or "
    why += "set training.precision to fp32"
    if bad := [crop for crop in crops if not crop.finite]:
        why = f"nor is {bad[0]}: mend that image, or leave it out"
    raise NotFinite(
        f"step {step} is not finite (seed {list(batches.seed)}, its crops are in the "
        f"log); {why}. No model is written, and no state later than the last good one"
    )


def _name_crops(step: int, batches: PatchSampler, level: int) -> list[Crop]:
    crops = batches.origins(step - 1)
    for crop in crops:
        log.log(level, "step %d saw %s", step, crop)
    return crops

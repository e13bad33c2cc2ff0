"""A network in training: its settings, and one step (paper, Eq. 2 and 3)."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mid_core.errors import MidError
from mid_core.losses import Batch, Turn, regression
from mid_core.networks.acceleration import accelerate
from mid_core.networks.averaging import RunningMean
from mid_core.networks.denoiser import Denoiser
from mid_core.runtime.distributed import SINGLE_PROCESS, ProcessGroup, no_sync
from mid_core.runtime.precision import autocast

COLUMNS = ("step", "loss", "learning_rate")


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
        that arithmetic computes in fp32. NVIDIA GPUs since Ampere round the factors of
        fp32 convolutions to TF32, as is torch's default.
    loss
        ``"mse"`` (the paper), ``"l1"`` or ``"charbonnier"``; over all pixels.
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
    turns
        What learns in a step, one after another, and what it lowers; None: the whole
        network, towards the target.

    Attributes
    ----------
    optimizers, schedules
        Of each part that learns.
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
        turns: Sequence[Turn] | None = None,
    ) -> None:
        self.settings, self.device, self.group = settings, device, group
        self._parts, self._skip_steps = gradient_accumulation, skip_steps
        self.turns = turns or [regression(settings.loss)]
        self.network = network.to(device).train()
        self.optimizers = {
            turn.part: torch.optim.Adam(
                network.get_submodule(turn.part).parameters(),
                lr=settings.learning_rate,
                betas=turn.betas,
                fused=True,
            )
            for turn in self.turns
        }
        self.schedules = {
            part: torch.optim.lr_scheduler.CosineAnnealingLR(
                optimizer, settings.iterations, eta_min=settings.min_learning_rate
            )
            for part, optimizer in self.optimizers.items()
        }
        self.average: RunningMean | None = None
        if settings.ema_decay:
            self.average = RunningMean(network, settings.ema_decay)
        parts = group.size * gradient_accumulation
        self._crops = settings.batch_size // parts
        work = self._crops, settings.patch_size, settings.precision, settings.iterations
        with self._fitting():
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

    def step(self, *batch: Tensor) -> bool:
        """Do one step with this process's shard of a batch, (N, C, H, W) each.

        Returns False if the weights, or those of a part that learns in turn, were left
        as they are, as their gradient is not finite and a step may still be skipped.

        Raises
        ------
        MidError
            If the GPU's memory is too small.
        """
        with self._fitting():
            turns = [self._learn(turn, batch) for turn in self.turns]
        self._rate = float(next(iter(self.schedules.values())).get_last_lr()[0])
        for schedule in self.schedules.values():
            schedule.step()
        if usable := all(usable for usable, _ in turns):
            if self.average:
                self.average.update_parameters(self.network)
            # Looking at the loss here would make a GPU wait, every step.
            losses = [loss for _, loss in turns]
            self.losses.append(sum(losses[1:], start=losses[0]))
        self.steps += 1
        return usable

    @contextmanager
    def _fitting(self) -> Iterator[None]:
        """Say what to do where a batch does not fit into the GPU's memory."""
        try:
            yield
        except torch.OutOfMemoryError as error:
            side = self.settings.patch_size
            raise MidError(
                f"{self._crops} crops of {side}x{side} pixels do not fit into the GPU's "
                "memory at once: raise training.gradient_accumulation, which leaves the "
                "result as it is, or lower training.batch_size or training.patch_size. "
                f"Torch says: {' '.join(str(error).split())}"
            ) from error

    def _learn(self, turn: Turn, batch: Batch) -> tuple[bool, Tensor]:
        """Let a part learn; return whether its gradient was of use, and its loss."""
        optimizer = self.optimizers[turn.part]
        optimizer.zero_grad(set_to_none=True)
        pieces = (tensor.chunk(self._parts) for tensor in batch)
        parts = list(zip(*pieces, strict=True))
        with no_sync(self._wrapped):
            losses = [self._pass(turn, part) for part in parts[:-1]]
        losses.append(self._pass(turn, parts[-1]))
        usable = self._bound_gradient(optimizer)
        # Where the gradient was dropped, this changes nothing.
        optimizer.step()
        return usable, sum(losses[1:], start=losses[0])

    def _pass(self, turn: Turn, batch: Batch) -> Tensor:
        """Add the gradient of a part of the batch; return what it adds to the loss."""
        batch = tuple(tensor.to(self.device) for tensor in batch)
        with autocast(self.device, self.settings.precision):
            loss = turn.loss(self._wrapped, batch) / self._parts
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _bound_gradient(self, optimizer: torch.optim.Optimizer) -> bool:
        """Clip the gradient; drop and count one to skip, and return False."""
        limit, may_skip = self.settings.max_grad_norm, self.skipped < self._skip_steps
        if not (limit or may_skip):
            return True
        parameters = optimizer.param_groups[0]["params"]
        norm = nn.utils.clip_grad_norm_(parameters, limit or math.inf)
        # All processes have the same gradient, and so decide alike.
        usable = not may_skip or bool(norm.isfinite())
        if not usable:
            self.skipped += 1
            optimizer.zero_grad(set_to_none=True)
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
        for optimizer in self.optimizers.values():
            tensors += (t for own in optimizer.state.values() for t in own.values())
        numbers = [tensor for tensor in tensors if tensor.is_floating_point()]
        finite = nn.utils.get_total_norm(numbers).isfinite()
        return None if finite else self.steps

    def recent_losses(self) -> list[float]:
        """Return the loss of each step since the last report, mean of the processes."""
        own = torch.stack(self.losses).tolist() if self.losses else []
        return self.group.mean(own)

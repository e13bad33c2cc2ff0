"""A network in training (paper, Eq. 2 and 3): one step, and all that it changes."""

import math
import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mid_core.acceleration import accelerate
from mid_core.distributed import ALONE, Team, unsynchronised
from mid_core.precision import autocast


def charbonnier(prediction: Tensor, target: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Smooth absolute error (Charbonnier et al., ICIP 1994)."""
    return torch.sqrt((prediction - target) ** 2 + epsilon**2).mean()


LOSSES = {"mse": F.mse_loss, "charbonnier": charbonnier}
COLUMNS = ("step", "loss", "learning_rate")


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
        ``"fp32"``, or ``"bf16"`` for autocast (weights stay float32); a GPU without
        that arithmetic computes in fp32.
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


class Learner:
    """A network in training: all that changes from step to step.

    Parameters
    ----------
    network
        Freshly initialised; changed in place.
    settings
        What is minimised, and how.
    device
        Where to train.
    team
        The processes among which a batch is shared out.
    parts
        How many parts of its share pass the network one after another: for small
        memories. Neither changes the numbers beyond rounding.
    skip_steps
        How many steps may be left out because their gradient is not finite. To look at
        it makes a GPU wait, every step; at 0 nobody looks.
    compiled
        ``"auto"``, ``"always"`` or ``"never"``: see ``acceleration``.

    Attributes
    ----------
    step, skipped
        Steps done, and how many of them were left out.
    history
        A row for each report: ``step``, mean ``loss`` since the last one,
        ``learning_rate``, and what else was measured then.
    """

    def __init__(
        self,
        network: nn.Module,
        settings: Training,
        device: torch.device,
        team: Team = ALONE,
        parts: int = 1,
        skip_steps: int = 0,
        compiled: str = "never",
    ) -> None:
        self.settings, self.device = settings, device
        self.team, self.parts, self.skip_steps = team, parts, skip_steps
        self.network = network.to(device).train()
        self.optimizer = torch.optim.Adam(
            network.parameters(), lr=settings.learning_rate, fused=True
        )
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            self.optimizer, settings.iterations, eta_min=settings.final_learning_rate
        )
        self.average = None
        if settings.ema:
            mean_of = get_ema_multi_avg_fn(settings.ema)
            self.average = AveragedModel(network, multi_avg_fn=mean_of)
        accelerate(self.network, settings, compiled, team.size, parts)
        self._spread = team.spread(self.network)
        self.step, self.skipped, self.history = 0, 0, []
        self._losses: list[Tensor] = []
        self._before, self._start = 0.0, time.monotonic()

    @property
    def model(self) -> nn.Module:
        """The weights, or their running mean if the settings ask for it."""
        return self.average.module if self.average else self.network

    @property
    def seconds(self) -> float:
        """Time spent in training, that of earlier attempts included."""
        return self._before + time.monotonic() - self._start

    def learn(self, y: Tensor, x: Tensor) -> bool:
        """Do one step with this process's share, towards ``x`` from ``y``.

        Both are (N, C, H, W). Returns False if the weights were left as they are, as
        the gradient is not finite and a step may still be skipped.
        """
        self.optimizer.zero_grad(set_to_none=True)
        parts = list(zip(y.chunk(self.parts), x.chunk(self.parts), strict=True))
        with unsynchronised(self._spread):
            losses = [self._pass(*part) for part in parts[:-1]]
        losses.append(self._pass(*parts[-1]))
        usable = self._bound_gradient()
        # Without a gradient it changes nothing.
        self.optimizer.step()
        self._rate = self.schedule.get_last_lr()[0]
        self.schedule.step()
        if usable:
            if self.average:
                self.average.update_parameters(self.network)
            # Looking at the loss here would make a GPU wait, every step.
            self._losses.append(sum(losses))
        self.step += 1
        return usable

    def _bound_gradient(self) -> bool:
        """Clip the gradient; drop and count one to skip, and return False."""
        clip, may_skip = self.settings.gradient_clip, self.skipped < self.skip_steps
        if not (clip or may_skip):
            return True
        parameters = self.network.parameters()
        norm = nn.utils.clip_grad_norm_(parameters, clip or math.inf)
        # All processes have the same gradient, and so decide alike.
        usable = not may_skip or bool(norm.isfinite())
        if not usable:
            self.skipped += 1
            self.optimizer.zero_grad(set_to_none=True)
        return usable

    def _pass(self, y: Tensor, x: Tensor) -> Tensor:
        """Add the gradient of a part of the batch; return what it adds to the loss."""
        y, x = y.to(self.device), x.to(self.device)
        with autocast(self.device, self.settings.precision):
            loss = LOSSES[self.settings.loss](self._spread(y).float(), x) / self.parts
        loss.backward()
        return loss.detach()

    def sum_up(self, **more: float) -> tuple[int, float, float]:
        """Add a row to the history, with ``more`` columns, and return it without."""
        # Without one, where all steps since the last row were skipped.
        losses = self._recent_losses() or [math.nan]
        row = self.step, math.fsum(losses) / len(losses), self._rate
        self.history.append(dict(zip(COLUMNS, row, strict=True)) | more)
        self._losses.clear()
        return row

    def first_bad_step(self) -> int | None:
        """Return the first step that was not finite; None: all is well.

        It is a step since the last row whose loss is not finite, or else the last
        step, if it left weights, means, moments or statistics that are not.
        """
        losses = self._recent_losses()
        bad = [i for i, loss in enumerate(losses, 1) if not math.isfinite(loss)]
        if bad:
            return self.step - len(losses) + bad[0]
        tensors = [*self.network.state_dict().values()]
        tensors += self.model.state_dict().values()
        for moments in self.optimizer.state.values():
            tensors += moments.values()
        numbers = [tensor for tensor in tensors if tensor.is_floating_point()]
        finite = nn.utils.get_total_norm(numbers).isfinite()
        return None if finite else self.step

    def _stateful(self) -> dict:
        names = ("network", "optimizer", "schedule", "average")
        parts = {name: getattr(self, name) for name in names}
        return {name: part for name, part in parts.items() if part}

    def _recent_losses(self) -> list[float]:
        own = torch.stack(self._losses).tolist() if self._losses else []
        return self.team.mean(own)

    def state_dict(self) -> dict:
        """Return everything from which the training goes on as if never cut."""
        parts = {name: part.state_dict() for name, part in self._stateful().items()}
        return parts | {
            "step": self.step,
            "skipped": self.skipped,
            "losses": self._recent_losses(),
            "history": self.history,
            "seconds": self.seconds,
            "random": {
                name: generator.get_rng_state()
                for name, generator in _generators(self.device).items()
            },
        }

    def load_state_dict(self, state: dict) -> None:
        """Go on from a state that ``state_dict`` gave, here or on another device."""
        for name, part in self._stateful().items():
            part.load_state_dict(state[name])
        self.step, self.history = state["step"], state["history"]
        # Not in the states of earlier releases.
        self.skipped = state.get("skipped", 0)
        self._losses = list(torch.tensor(state["losses"], device=self.device))
        self._before, self._start = state["seconds"], time.monotonic()
        for name, generator in _generators(self.device).items():
            if name in state["random"]:
                generator.set_rng_state(state["random"][name])


def _generators(device: torch.device) -> dict:
    """Torch's generators; batches do not need them, a network with dropout would."""
    if device.type == "cpu":
        return {"cpu": torch.random}
    return {"cpu": torch.random, device.type: torch.get_device_module(device)}

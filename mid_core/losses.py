"""What a training lowers: a loss of the whole network, or of its parts in turn."""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# What a step is shown: the input, the target, and what else a loss looks at.
Batch = tuple[Tensor, ...]
Loss = Callable[[nn.Module, Batch], Tensor]


class Turn(NamedTuple):
    """A part of a network that learns, and the loss that it lowers.

    Attributes
    ----------
    part
        Name of the submodule whose weights change; ``""`` is the network itself.
    loss
        Takes the whole network and a batch, and returns one number.
    betas
        What Adam keeps at each step of its means, of the gradient and of its square.
        Where two parts work against each other, little of the first.
    """

    part: str
    loss: Loss
    betas: tuple[float, float] = (0.9, 0.999)


def charbonnier(prediction: Tensor, target: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Smooth absolute error (Charbonnier et al., ICIP 1994).

    Examples
    --------
    >>> round(charbonnier(torch.ones(2), torch.zeros(2)).item(), 3)
    1.0
    """
    return torch.sqrt((prediction - target) ** 2 + epsilon**2).mean()


ERRORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": F.mse_loss,
    "l1": F.l1_loss,
    "charbonnier": charbonnier,
}


def regression(error: str) -> Turn:
    """Return the loss of MID: how far the prediction is from the target (Eq. 2, 3).

    Parameters
    ----------
    error
        Its name in ``ERRORS``; over all pixels.

    Examples
    --------
    >>> batch = torch.zeros(1, 3, 5, 7), torch.ones(1, 3, 5, 7)
    >>> regression("mse").loss(nn.Identity(), batch).item()
    1.0
    """

    def loss(network: nn.Module, batch: Batch) -> Tensor:
        y, x = batch
        return ERRORS[error](network(y).float(), x)

    return Turn("", loss)

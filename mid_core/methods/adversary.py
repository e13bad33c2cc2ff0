"""What trainings against a critic share: one that cannot learn, and its penalty."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call

from mid_core.methods.unpaired import Draws

# What Adam keeps of its means, as is usual with this penalty: with 0.9, generator and
# critic run round each other in ever wider circles.
BETAS = (0.5, 0.9)


class Adversaries(nn.Module):
    """Networks that learn together, and the critic that they learn to deceive.

    Only what later stages get of it becomes a model file; see ``Stage.trained``.

    Parameters
    ----------
    makers
        By name, such as ``generator``.
    critic
        Maps (N, C, H, W) to a map of any size, larger where an image looks real.
    """

    def __init__(self, makers: dict[str, nn.Module], critic: nn.Module) -> None:
        super().__init__()
        self.makers, self.critic = nn.ModuleDict(makers), critic


def unlearning(network: nn.Module, x: Tensor) -> Tensor:
    """Apply a network so that gradients reach the input, and not the weights."""
    weights = {name: one.detach() for name, one in network.named_parameters()}
    return functional_call(network, weights, (x,))  # type: ignore[no-any-return]


def critic_loss(
    critic: nn.Module, real: Tensor, fake: Tensor, draws: Draws, penalty: float
) -> Tensor:
    """Return what the critic of a Wasserstein GAN lowers, with gradient penalty.

    E[D(fake)] - E[D(real)] + penalty * E[(||grad D(mix)|| - 1)^2], mix being anywhere
    between a real and a fake image (Gulrajani et al., "Improved Training of
    Wasserstein GANs", NeurIPS 2017). D is ``score``.

    Parameters
    ----------
    real, fake
        (N, C, H, W); no gradient goes further than these.
    draws
        For how much of each is in the mix.
    penalty
        Weight of the penalty; the paper's is 10.
    """
    real, fake = real.detach(), fake.detach()
    share = draws.uniform(1, 1, 1)
    mix = (share * real + (1 - share) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(score(critic, mix).sum(), mix, create_graph=True)
    # The derivative of a norm at 0 is not a number.
    norm = (slope.flatten(1).square().sum(dim=1) + 1e-12).sqrt()
    distance = score(critic, fake).mean() - score(critic, real).mean()
    return distance + penalty * ((norm - 1) ** 2).mean()


def score(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return one number for each image: the sum of the critic's map, over its root size.

    The slope of a mean would fall with the size of the crops, and it takes a critic
    long to make up for that.
    """
    seen = critic(x).float().flatten(1)
    return seen.sum(dim=1) / seen.shape[1] ** 0.5

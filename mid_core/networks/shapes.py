"""Whether weights are those of a network, by the shapes of both."""

from collections.abc import Mapping

from torch import Tensor, nn


def unlike(weights: Mapping[str, Tensor], network: nn.Module) -> list[str]:
    """Say which weights a network has in another shape, or not at all.

    Parameters
    ----------
    weights
        By name.
    network
        On any device, the meta device too.

    Returns
    -------
    A phrase for each, sorted by name; none if the weights fit.
    """
    found = {name: list(one.shape) for name, one in weights.items()}
    wanted = {name: list(one.shape) for name, one in network.state_dict().items()}
    return [
        f"{name} is {found.get(name, 'absent')}, expected {wanted.get(name, 'absent')}"
        for name in sorted(found.keys() | wanted.keys())
        if found.get(name) != wanted.get(name)
    ]

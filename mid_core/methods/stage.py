"""What a method brings to a training: what it is shown, and what it lowers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor, nn

from mid_core.errors import MidError
from mid_core.losses import Batch, Turn
from mid_core.methods.crops import NoisyCrops
from mid_core.networks import build
from mid_core.networks.denoiser import Denoiser
from mid_core.patches import PatchSampler, Pool


class Drawing(NamedTuple):
    """How a training draws its crops: those a step, their side in pixels, entropy."""

    batch_size: int
    patch_size: int
    seed: Sequence[int]


@dataclass(frozen=True)
class Stage:
    """One training of a method; the fields of a subclass are its options in a config.

    Most methods say in ``loss`` what they lower, and are done.

    Attributes
    ----------
    before
        The network of the stage before, which stays as it is; None: there is none.
    iterations
        Steps of the training: for a loss that changes on its way. No option; it is what
        ``training`` says.
    """

    before: nn.Module | None
    iterations: int = field(default=1, kw_only=True)

    def batches(
        self,
        pools: Mapping[str, Pool],
        batch_size: int,
        patch_size: int,
        seed: Sequence[int],
    ) -> PatchSampler:
        """Return what the training is shown: by default crops of the noisy images.

        Parameters
        ----------
        pools
            What the stage ``sees``, by name; of pairs ``noisy`` and ``truth``.
        batch_size, patch_size
            Crops a step, and their side in pixels.
        seed
            Entropy.
        """
        return self.crops(pools, Drawing(batch_size, patch_size, seed))

    def crops(self, pools: Mapping[str, Pool], how: Drawing) -> PatchSampler:
        """Return what ``batches`` does; this is what a subclass says otherwise."""
        return NoisyCrops(pools["noisy"], *how)

    def build(
        self, network: dict[str, Any], channels: int, seed: Sequence[int]
    ) -> nn.Module:
        """Return the network that is trained, freshly initialised."""
        return build(network, channels, seed=seed)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return what is lowered, one number; the batch is as ``batches`` draws it."""
        raise NotImplementedError

    def turns(self) -> list[Turn]:
        """Return what learns in a step: one network, or several in turn."""
        return [Turn("", self.loss)]

    def trained(self, network: nn.Module) -> Denoiser:
        """Return the part of what was trained that later stages and users get."""
        return network  # type: ignore[return-value]


def begin_with(network: nn.Module, before: nn.Module, same: str = "network") -> None:
    """Give a network the weights of the one of the stage before.

    Raises
    ------
    MidError
        If it has another shape: both need the same setting ``same``.
    """
    try:
        network.load_state_dict(before.state_dict())
    except RuntimeError as error:
        raise MidError(
            "what the stage before has trained does not fit into this network: give "
            f"both the same {same}"
        ) from error

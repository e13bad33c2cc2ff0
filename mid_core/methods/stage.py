"""What a method brings to a training: what it is shown, what it lowers, how it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from mid_core.losses import Batch, Turn
from mid_core.methods.crops import NoisyCrops
from mid_core.networks import build
from mid_core.networks.denoiser import Denoiser
from mid_core.patches import PatchSampler, Pool


@dataclass(frozen=True)
class Stage:
    """One training of a method; the fields of a subclass are its options in a config.

    Most methods say in ``loss`` what they lower, and are done.

    Attributes
    ----------
    before
        The network of the stage before, which stays as it is; None: there is none.
    """

    before: nn.Module | None

    def batches(
        self,
        pools: Mapping[str, Pool],
        batch_size: int,
        patch_size: int,
        seed: Sequence[int],
    ) -> PatchSampler:
        """Return what the training is shown: random crops of the noisy images.

        Parameters
        ----------
        pools
            What the stage ``sees``, by name; of pairs ``noisy`` and ``truth``.
        batch_size, patch_size
            Crops a step, and their side in pixels.
        seed
            Entropy.
        """
        return NoisyCrops(pools["noisy"], batch_size, patch_size, seed)

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


class Answer(Denoiser):
    """A trained network, and how it is used: an image in, its clean estimate out.

    Parameters
    ----------
    network
        In evaluation mode.
    """

    def __init__(self, network: Denoiser) -> None:
        nn.Module.__init__(self)
        self.network, self.channels = network, network.channels
        self.cell_px, self.pixel_unshuffle, self.inputs = None, 1, network.channels

    def set_patch_size(self, patch: int | None) -> None:
        """Tell the network how large the crops of its training were."""
        self.network.set_patch_size(patch)

    @property
    def margin(self) -> int:
        """Pixels around an output pixel that its value mostly depends on."""
        return self.network.margin

    @property
    def alignment(self) -> int:
        """Tiles that start at multiples of this see the grid of the whole image."""
        return self.network.alignment

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) in [0, 1] to the clean estimate (N, C, H, W)."""
        raise NotImplementedError

"""How a method uses its trained network, where that is more than one pass of it."""

from torch import Tensor

from mid_core.networks.denoiser import Denoiser


class Answer(Denoiser):
    """A trained network, and how it is used: an image in, its clean estimate out.

    Parameters
    ----------
    network
        In evaluation mode.
    """

    def __init__(self, network: Denoiser) -> None:
        super().__init__(network.channels, 0, 1, levels=0, residual=False)
        self.network = network

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

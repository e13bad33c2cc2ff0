"""DnCNN (Zhang et al., "Beyond a Gaussian Denoiser", IEEE TIP 2017)."""

from torch import Tensor, nn

from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import he_normal

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 1, maximum: 1000, default: 64, examples: [6], description: Features of each layer.}
depth: {type: integer, minimum: 2, maximum: 1000, default: 17, examples: [4], description: Layers.}
norm: {enum: [none, batch], default: none, description: "batch is the paper's; then training.gpus and gradient_accumulation change numbers."}
pixel_unshuffle: {$ref: "#/$defs/pixel_unshuffle"}
residual: {$ref: "#/$defs/residual"}
centred: {$ref: "#/$defs/centred"}
"""


class DnCNN(Denoiser):
    """A row of 3x3 convolutions.

    Parameters
    ----------
    channels, extra_channels, pixel_unshuffle, residual, centred
        See ``Denoiser``.
    width
        Features of each layer.
    depth
        Convolutions: 17 in the paper's DnCNN-S, 20 in its blind DnCNN-B.
    norm
        ``"batch"``: batch normalisation in all layers but the first and the last, as
        in the paper; fixed once trained, so that tiles do not matter. ``"none"``:
        biases instead; masked crops make poor statistics, and a batch shared by
        GPUs makes others.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 64,
        depth: int = 17,
        norm: str = "none",
        pixel_unshuffle: int = 1,
        residual: bool = True,
        centred: bool = False,
    ) -> None:
        super().__init__(
            channels, extra_channels, pixel_unshuffle, 0, residual, centred
        )
        if norm not in ("none", "batch"):
            raise ValueError(f"norm '{norm}' is unknown; there are: none, batch")
        self.depth = depth
        layers = [nn.Conv2d(self.inputs, width, 3, padding=1), nn.ReLU()]
        for _ in range(depth - 2):
            layers.append(nn.Conv2d(width, width, 3, padding=1, bias=norm == "none"))
            if norm == "batch":
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU())
        ending = nn.Conv2d(width, self.outputs, 3, padding=1)
        self.layers = nn.Sequential(*map(he_normal, layers), ending)

    @property
    def receptive_field_radius(self) -> int:
        """Unshuffled pixels around one that the convolutions look at."""
        return self.depth

    def body(self, x: Tensor) -> Tensor:
        """Map the unshuffled input to the unshuffled output."""
        return self.layers(x)

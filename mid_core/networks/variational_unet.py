"""VDN's two networks (Yue et al., "Variational Denoising Network", NeurIPS 2019).

Both give two numbers for each colour of a pixel, the parameters of what is believed of
it: of the clean value a U-Net, of the noise's variance a few layers. To denoise takes
the first alone. Pairs of convolutions are those of ``unet``, with a larger slope.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.networks.layers import he_normal
from mid_core.networks.unet import UNet

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 1, maximum: 1000, default: 64, examples: [4], description: "Features at the finest level, doubled by each."}
depth: {type: integer, minimum: 1, maximum: 10, default: 3, examples: [2], description: Halvings of the resolution.}
"""

SLOPE = 0.2
LAYERS = 5


class VariationalUNet(UNet):
    """A U-Net that gives the clean image, and how sure it is.

    It halves the resolution by means of four pixels.

    Parameters
    ----------
    channels, extra_channels
        See ``Denoiser``.
    width
        Features at full resolution; doubled by each level. The paper's is 64, with
        ``depth`` 3: 7,700,742 parameters for three colours.
    depth
        Halvings of the resolution.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 64,
        depth: int = 3,
    ) -> None:
        super().__init__(channels, extra_channels, width, depth, residual=True)
        for layer in self.modules():
            if isinstance(layer, nn.LeakyReLU):
                layer.negative_slope = SLOPE
        he_normal(self.encoders, SLOPE)
        he_normal(self.decoders, SLOPE)
        self.ending = nn.Conv2d(width, 2 * self.outputs, 3, padding=1)

    @property
    def receptive_field_radius(self) -> int:
        """Pixels around one that the convolutions look at."""
        return max(row - self._highest(row) for row in range(2**self.depth))

    def _highest(self, row: int) -> int:
        """Return the uppermost row of the image that a row of the output sees."""
        # Three layers at full resolution, then two a level, down and up again.
        row -= 3
        for _ in range(self.depth):
            row = row // 2 - 2
        for _ in range(self.depth):
            row = 2 * row - 2
        return row

    def halved(self, x: Tensor) -> Tensor:
        """Halve the resolution, by means."""
        return F.avg_pool2d(x, 2)

    def posterior(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, C + extra, H, W) in [0, 1] to what is believed of the clean values.

        Returns
        -------
        Their means, and the logarithms of their variances; (N, C, H, W) each.
        """
        height, width = y.shape[-2:]
        x = F.pad(y, (0, -width % self.stride, 0, -height % self.stride))
        correction, log_variance = self.body(x)[..., :height, :width].chunk(2, dim=1)
        return y[:, : self.channels] + correction, log_variance

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C + extra, H, W) in [0, 1] to the clean estimate (N, C, H, W)."""
        return self.posterior(x)[0]


def variance_network(channels: int, width: int = 64) -> nn.Sequential:
    """Return five layers that say what is believed of the noise's variance.

    They map (N, C, H, W) in [0, 1] to (N, 2 C, H, W): the logarithms of alpha, and then
    of beta, of an inverse gamma distribution.

    Parameters
    ----------
    channels
        Colours of the image.
    width
        Features of each layer. The paper's is 64: 116,038 parameters for three colours.
    """
    layers: list[nn.Module] = []
    for inputs in (channels, *[width] * (LAYERS - 2)):
        layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.LeakyReLU(SLOPE)]
    ending = nn.Conv2d(width, 2 * channels, 3, padding=1)
    return nn.Sequential(he_normal(nn.Sequential(*layers), SLOPE), ending)

"""The conditional blind-spot network of C-BSN (Jang et al., ICCV 2023).

That of AP-BSN, whose kernels may have their centre or not: one set of weights is a blind
network and one that sees all.
"""

from torch import Tensor, nn

from mid_core.networks.dbsn import DBSN, CentreMasked, Dilated
from mid_core.networks.layers import on_reflected

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 2, maximum: 1000, default: 128, examples: [16], description: Features of each layer.}
modules: {type: integer, minimum: 0, maximum: 1000, default: 9, examples: [2], description: "Residual units of each branch; they reach 2 + 3 x modules pixels far."}
"""


class CBSN(DBSN):
    """A ``DBSN`` that is blind or not, as each call says.

    Its residual units end with a ReLU. In evaluation mode an image goes on around its
    border by reflection, unless the network is blind.

    Parameters
    ----------
    channels, extra_channels, width, modules
        See ``DBSN``; 3,656,131 parameters in the paper's size.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 128,
        modules: int = 9,
    ) -> None:
        super().__init__(channels, extra_channels, width, modules)
        for unit in self.modules():
            if isinstance(unit, Dilated):
                unit.layers.append(nn.ReLU())

    def forward(self, x: Tensor, blind: bool = False) -> Tensor:
        """Map (N, C + extra, H, W) in [0, 1] to the clean estimate (N, C, H, W)."""
        for layer in self.modules():
            if isinstance(layer, CentreMasked):
                layer.is_blind = blind
        # A reflected pixel could tell what a blind one does not see.
        around = 0 if self.training or blind else self.receptive_field_radius
        return on_reflected(super().forward, x, around)

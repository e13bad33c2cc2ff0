"""The shifted blind-spot U-Net, with a hole whose size is chosen at each call.

Laine et al., "High-Quality Self-Supervised Deep Image Denoising", NeurIPS 2019, with
the larger holes of SASL (CVPR 2023) and AT-BSN (CVPR 2024).
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mid_core.errors import MidError
from mid_core.networks.blind_spot import BlindSpotNetwork
from mid_core.networks.layers import he_normal
from mid_core.networks.skip_unet import LEVELS, SLOPE, SkipFeatures

# In the config: JSON schema, as YAML.
KEYS = """
width: {type: integer, minimum: 1, maximum: 1000, default: 48, examples: [4], description: "Features on the way down; twice as many on the way up."}
hole: {type: integer, minimum: 0, maximum: 31, default: 3, examples: [3], description: "Side of the square around a pixel that its estimate does not see, in an answer; odd, or 0: sees all."}
"""

# The published weights expect images in 0..255.
PUBLISHED_RANGE = 255


class ShiftedUNet(BlindSpotNetwork):
    """One U-Net that sees only rows above, turned to four sides.

    A hole of h pixels a side shifts the features of each side by floor((h + 1) / 2);
    the estimate then sees nothing in the h x h square around its pixel. 0 is no hole.

    Parameters
    ----------
    channels
        Colours of the image.
    extra_channels
        0: a mask has no place in it.
    width
        Features on the way down. The papers' is 48: 1,268,547 parameters for three
        colours.
    hole
        Its size where a call gives none.
    """

    def __init__(
        self,
        channels: int = 3,
        extra_channels: int = 0,
        width: int = 48,
        hole: int = 3,
    ) -> None:
        if extra_channels:
            raise ValueError("it takes no mask as input")
        super().__init__(channels, LEVELS, hole)
        self.features = SkipFeatures(channels, width, above=True)
        self.ending = nn.Sequential(
            nn.Conv2d(8 * width, 8 * width, 1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(8 * width, 2 * width, 1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(2 * width, channels, 1),
        )
        he_normal(self.ending, SLOPE)
        # Nothing follows the last: a slope of 1.
        he_normal(self.ending[-1], 1.0)

    @property
    def receptive_field_radius(self) -> int:
        """Pixels around one that it looks at, with the hole of an answer."""
        return self.features.reach + shift_of(self.hole)

    def trunk(self, x: Tensor) -> list[Tensor]:  # type: ignore[override]
        """Return what the U-Net makes of the image, turned to each side.

        Parameters
        ----------
        x
            (N, C, H, W), multiples of 32.

        Returns
        -------
        Four features, unshifted and still turned: the i-th by i quarters, clockwise;
        so every other is (N, 2 width, W, H).
        """
        sides = [x.rot90(-turns, (-2, -1)) for turns in range(4)]
        # The crops of a training are square and small: at once is sooner.
        if self.training and x.shape[-2] == x.shape[-1]:
            return list(self.features(torch.cat(sides)).chunk(4))
        return [self.features(side) for side in sides]

    def head(self, features: list[Tensor], hole: int) -> Tensor:  # type: ignore[override]
        """Shift, turn back, and combine; see ``trunk`` and the class."""
        rows = shift_of(hole)
        sides = [
            F.pad(side, (0, 0, rows, -rows)).rot90(turns, (-2, -1))
            for turns, side in enumerate(features)
        ]
        return self.ending(torch.cat(sides, dim=1))


def shift_of(hole: int) -> int:
    """Return by how many rows features are shifted for a hole of this size.

    Examples
    --------
    >>> [shift_of(hole) for hole in (0, 1, 3, 5, 7, 9, 11)]
    [0, 1, 2, 3, 4, 5, 6]
    """
    return (hole + 1) // 2


def from_published(
    weights: Mapping[str, Tensor], net: str = "bsn"
) -> dict[str, Tensor]:
    """Rename the weights that AT-BSN's authors publish.

    Theirs expect images in 0..255. Every layer is homogeneous, so biases that are
    divided by 255 give the same estimate in [0, 1].

    Parameters
    ----------
    weights
        A state of theirs: of the teacher, or of both networks of the distillation.
    net
        Which to take of both: ``"bsn"``, the teacher, for a ``ShiftedUNet``; or
        ``"nbsn"``, student C, for a ``SkipUNet`` with the ending ``"at_bsn"``.

    Returns
    -------
    A state for ``load_state_dict``.

    Raises
    ------
    MidError
        For a name that is none of theirs, or one that is missing.
    """
    own = {name.removeprefix("module."): value for name, value in weights.items()}
    if any(name.startswith(f"{net}.") for name in own):
        own = {
            name.removeprefix(f"{net}."): value
            for name, value in own.items()
            if name.startswith(f"{net}.")
        }
    names = _published_names(with_head="nin_A.weight" in own)
    wanted = {f"{name}.{kind}" for name in names for kind in ("weight", "bias")}
    if odd := sorted(wanted ^ own.keys()):
        raise MidError(
            f"these are no weights of AT-BSN ('{odd[0]}'): give one of its files"
        )
    state = {}
    for theirs, ours in names.items():
        state[f"{ours}.weight"] = own[f"{theirs}.weight"]
        state[f"{ours}.bias"] = own[f"{theirs}.bias"] / PUBLISHED_RANGE
    return state


def _published_names(with_head: bool) -> dict[str, str]:
    """Return our name of each of their convolutions."""
    names = {"unet.intro.conv": "features.encoders.0.0"}
    for level in range(LEVELS + 1):
        # The first level has two.
        place = f"{level}.{0 if level else 2}"
        names[f"unet.enc{level + 1}.conv1.conv"] = f"features.encoders.{place}"
    for i in range(LEVELS):
        for k in (1, 2):
            theirs = f"unet.dec{LEVELS - i}.conv{k}.conv"
            names[theirs] = f"features.decoders.{i}.{2 * (k - 1)}"
    if with_head:
        return names | {
            "nin_A": "ending.0",
            "nin_B": "ending.2",
            "nin_C": "ending.4",
        }
    return names | {"unet.dec1.conv2.conv": "ending"}

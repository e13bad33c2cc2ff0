"""What several images of a camera show of its noise together.

In an image full of structure, white noise looks correlated. The camera's other images
tell the two apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from mid_core.look import CORNER, Look, look

# White noise has 1 here, a camera's demosaicked noise 0.3, and a JPEG's 0.04.
WHITE_RATIO = 0.6
# Below this, an image's noise is correlated whatever that of the others is.
CORRELATED = 0.15
# A fortieth of a grey level of 8 bits.
NOISE = 1e-4
# Images of a pool that are looked at: they are spread over it.
MOST_IMAGES = 64


@dataclass(frozen=True)
class Camera:
    """What several images of a camera show together.

    Attributes
    ----------
    looks
        Of each image. Where the noise is white, their levels are those of the finest
        frequencies, which structure hardly reaches.
    is_white
        Whether the noise of neighbouring pixels is independent.
    """

    looks: tuple[Look, ...]
    is_white: bool

    @property
    def is_developed(self) -> bool:
        """Whether a camera demosaicked the images, and so put a curve on them, too."""
        return not self.is_white and len(self.looks[0].level) > 1


def together(looks: Sequence[Look]) -> Camera:
    """Look at a camera as a whole: of some of its images, little but noise is seen.

    Parameters
    ----------
    looks
        Of images of one camera, at least one.
    """
    # What has no noise, as a black picture, has no say in what it is like.
    noisy = [one for one in looks if one.level.max() > NOISE] or looks
    white = np.quantile([one.finest for one in noisy], 0.75) > WHITE_RATIO
    if not white:
        return Camera(tuple(looks), is_white=False)
    # One microscope among others may see noise that is not.
    own = [one if one.finest < CORRELATED else _as_white(one) for one in looks]
    return Camera(tuple(own), is_white=True)


def look_alone(y: np.ndarray) -> Look:
    """Look at an image of which no others of its camera are at hand; see ``look``."""
    (one,) = together([look(y)]).looks
    return one


def _as_white(one: Look) -> Look:
    power = np.einsum("ccij->ij", one.spectrum)[CORNER]
    share = float(power.mean() / len(one.level))
    factor = np.sqrt(share)
    added = (1 - share) * (one.level**2).mean()
    detail = float(np.sqrt(max(0.0, one.detail**2 + added)))
    return replace(
        _white_spectrum(one),
        level=one.level * factor,
        curve=one.curve * factor,
        places=one.places * factor,
        detail=detail,
    )


def uncorrelated(camera: Camera) -> Camera:
    """The same levels, as those of white noise."""
    return Camera(tuple(map(_white_spectrum, camera.looks)), is_white=True)


def _white_spectrum(one: Look) -> Look:
    colours = np.eye(len(one.level), dtype=np.float32)[..., None, None]
    return replace(one, spectrum=np.broadcast_to(colours, one.spectrum.shape))


def to_plain(camera: Camera) -> dict:
    """Return a camera's look as plain numbers, for a file."""
    plain = {field.name: [] for field in fields(Look)}
    for one in camera.looks:
        for name, own in plain.items():
            own.append(np.asarray(getattr(one, name)).round(6).tolist())
    return {"is_white": camera.is_white, **plain}


def from_plain(plain: Mapping) -> Camera:
    """Return the camera that ``to_plain`` was given."""
    names = [field.name for field in fields(Look)]
    rows = zip(*(plain[name] for name in names), strict=True)
    looks = []
    for row in rows:
        own = dict(zip(names, row, strict=True))
        arrays = {n: np.asarray(v, np.float32) for n, v in own.items() if np.ndim(v)}
        looks.append(Look(**own | arrays))
    return Camera(tuple(looks), plain["is_white"])

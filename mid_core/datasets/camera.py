"""The embedded data set: photos from installed wheels, seen by a simulated phone.

No download: the photos ship inside scikit-image and matplotlib. Each is taken back to
what a sensor would have recorded, photographed again with sensor noise, and developed.
That gives unpaired clean and noisy photos, and for every noisy one its truth. The
parameters were chosen by comparing noisy minus truth with 12 real pairs of SIDD
(``benchmarks/camera_noise.py``; results in ``docs/measurements/camera_noise.csv``).

Sources: Brooks et al. 2019, "Unprocessing Images for Learned Raw Denoising";
Abdelhamed et al. 2018, "A High-Quality Denoising Dataset for Smartphone Cameras" (SIDD).
"""

import importlib.util
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import imageio.v3 as iio
import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

from mid_core.datasets.bayer import demosaic, mosaic
from mid_core.datasets.finding import About, Found
from mid_core.errors import MidError

# In the config: JSON schema, as YAML.
KEYS = """
part: {enum: [clean, noisy, test], description: Which of the embedded photos.}
seed: {$ref: "#/$defs/seed"}
shots:
  type: integer
  minimum: 1
  default: 1
  description: Pictures of each photo, each in its own light and noise.
crop: {$ref: "#/$defs/crop"}
"""

ABOUT = About(
    title="simulated camera",
    published="inside the installed packages scikit-image and matplotlib",
    terms="free to use; see scikit-image's data/README.txt and matplotlib's licence",
    expected="the photos that ship with scikit-image and matplotlib; no download",
)
# The clean photos have all colours between them: a network that has not seen a blue sky
# turns one grey, and takes the blue for noise. motorcycle_right is left out on purpose:
# it is the same scene as motorcycle_left.
PARTS: dict[str, tuple[str, ...]] = {
    "clean": ("astronaut", "grace_hopper", "rocket", "ihc"),
    "noisy": ("coffee", "coins", "camera"),
    "test": ("chelsea", "motorcycle_left"),
}

_FILES: dict[str, tuple[str, str]] = {
    name: ("skimage", f"data/{name}.png") for part in PARTS.values() for name in part
} | {
    "grace_hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    "rocket": ("skimage", "data/rocket.jpg"),
}

# White balance of red, green, blue, fixed, near the ranges that Brooks et al. draw from:
# 1.9-2.4 for red, 1.5-1.9 for blue. Blue is higher as it is SIDD's noisiest colour.
GAINS = np.array([1.8, 1.0, 2.0], np.float32)
# White-balanced sensor colours to sRGB, weaker than most phones'. What it subtracts sets
# how the noise of two colours goes together: green taken from red and from blue makes
# those two alike, red and blue taken from green make it unlike both. Rows sum to 1, so
# that grey stays grey.
MATRIX = np.array([[1.4, -0.4, 0.0], [-0.15, 1.35, -0.2], [0.0, -0.4, 1.4]], np.float32)
# Pixels of the sensor for one of the photo, and the blur of the lens in sensor pixels.
# The truths are then nearly as sharp as SIDD's (statistic `detail`). Sharper scenes,
# whose detail is as fine as the noise, leave it in the residuals, and refinement harms.
ENLARGED = 3
BLUR = 0.9
# Noise variance in the raw is shot * signal + READ_RATIO * shot, white level 1: read
# noise equals shot noise at 3 % of white. After the gamma, shot noise alone would spread
# alike in shadows and lights; SIDD's spreads a third to a half less in the lights. The
# range is wide as ISO's is: a photo's noise spreads 10-35 grey levels (SIDD's 8-38).
SHOT_RANGE = (0.001, 0.018)
READ_RATIO = 0.03
# Mean linear light of the exposed photo: SIDD's are dim, with a mean of 32-111 of 255.
LIGHT_RANGE = (0.025, 0.12)


class Shot(NamedTuple):
    """How one photo is taken: linear light in [0, 1], and the raw noise's parameters."""

    light: float
    shot: float
    read: float


def find(settings: Mapping[str, Any], groups: None = None) -> Found:
    """List the pictures of a part: ``shots`` of each photo.

    A picture's name decides its light and noise. The data set is not split: ``groups``
    is of no effect.
    """
    found, part = Found(), settings["part"]
    for photo in PARTS[part]:
        try:
            path = str(photo_path(photo))
        except MidError as error:
            found.problems.append(str(error))
            continue
        for shot in range(1, settings["shots"] + 1):
            name = photo if shot == 1 else f"{photo}_{shot}"
            item = {"name": name, "photo": photo, "image": path}
            found.items.append(item | ({} if part == "clean" else {"truth": path}))
    return found


def read(
    item: Mapping[str, str], stack: str, settings: Mapping[str, Any]
) -> np.ndarray:
    """Photograph and develop one picture of a part.

    Parameters
    ----------
    item : one of ``find(settings)``.
    stack : "image", or "truth" but in the part 'clean'.
    settings : ``part`` ('clean', 'noisy' or 'test') and ``seed``.

    Returns
    -------
    uint8 (3 H, 3 W, 3), for a photo of H by W.

    Raises
    ------
    MidError
        If its package is not installed.
    """
    rng = generator(item["name"], settings["seed"])
    taken = draw(rng)
    scene = mosaic(enlarge(unprocess(photo(item["photo"]), taken.light)))
    if settings["part"] == "clean":
        return develop(scene)
    if stack == "truth":
        return develop(mean_exposure(scene, taken.shot, taken.read))
    return develop(expose(scene, taken.shot, taken.read, rng))


def photo_path(name: str) -> Path:
    """Find the file of a photo in its installed package.

    Raises
    ------
    MidError
        If its package is not installed.
    """
    package, inside = _FILES[name]
    # The file is opened by its path, as the package's own loader might download.
    spec = importlib.util.find_spec(package)
    path = Path(spec.origin).parent / inside if spec and spec.origin else None
    if path is None or not path.is_file():
        raise MidError(
            f"The photo {name!r} is missing: it is {inside} of the Python package "
            f"{package}. Install that package from its wheel (see pyproject.toml)."
        )
    return path


def photo(name: str) -> np.ndarray:
    """Open a photo as it ships in its wheel: float32 (H, W, 3) in [0, 1], sRGB."""
    pixels = iio.imread(photo_path(name)).astype(np.float32) / 255
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    return pixels[..., :3]


def generator(name: str, seed: int) -> np.random.Generator:
    """Make a generator for this photo alone, so that the order of reading does not count."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def draw(rng: np.random.Generator) -> Shot:
    """Draw light and noise level of one photo, log-uniform as exposure stops are."""
    light = float(np.exp(rng.uniform(*np.log(LIGHT_RANGE))))
    shot = float(np.exp(rng.uniform(*np.log(SHOT_RANGE))))
    return Shot(light, shot, READ_RATIO * shot)


def unprocess(image: np.ndarray, light: float | None = None) -> np.ndarray:
    """Go back to what a sensor would have seen (Brooks et al. 2019).

    Parameters
    ----------
    image : float32 (H, W, 3) in [0, 1], sRGB.
    light : mean linear light to expose for, in (0, 1]; None leaves it as it was.

    Returns
    -------
    float32 (H, W, 3), sensor colours before white balance, linear, at least 0.
    """
    curved = ((image + 0.055) / 1.055) ** 2.4
    linear = np.where(image > 0.04045, curved, image / 12.92)
    if light is not None:
        # Clipped here, where white is (1, 1, 1): highlights stay white as in a phone.
        linear = np.minimum(linear * (light / max(float(linear.mean()), 1e-6)), 1)
    sensor = linear @ np.linalg.inv(MATRIX).T / GAINS
    return np.maximum(sensor, 0).astype(np.float32)


def enlarge(scene: np.ndarray) -> np.ndarray:
    """Enlarge threefold and blur as a lens does: (H, W, 3) to (3 H, 3 W, 3).

    A sensor has more pixels than its lens has detail; a photo from the web has not.
    """
    large = scene.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
    return gaussian_filter(large, (BLUR, BLUR, 0), mode="nearest")


def expose(
    raw: np.ndarray, shot: float, read: float, rng: np.random.Generator
) -> np.ndarray:
    """Take one noisy exposure of a mosaic: variance ``shot * raw + read``, cut at black.

    Parameters and result: float32 (H, W), white level 1. Phones write unsigned raw
    files, so what falls below black is lost.
    """
    noise = rng.standard_normal(raw.shape, dtype=np.float32)
    return np.maximum(raw + np.sqrt(shot * raw + read) * noise, 0).astype(np.float32)


def mean_exposure(raw: np.ndarray, shot: float, read: float) -> np.ndarray:
    """Average infinitely many ``expose``: what SIDD develops as its ground truth.

    The cut at black lifts dark pixels in the noisy photos and in this truth alike. So
    noisy minus truth has no mean in the raw, and the negative mean that SIDD shows
    after development is the gamma's: the mean of a concave function lies below the
    function of the mean (Jensen). Measured: -3.7 grey levels (SIDD -3.5); against a
    truth without noise 0.0, and -1.0 where the raw may also be negative.
    """
    spread = np.sqrt(shot * raw + read)
    ratio = raw / np.maximum(spread, 1e-12)
    density = np.exp(-0.5 * ratio**2) / np.sqrt(2 * np.pi)
    return (raw * ndtr(ratio) + spread * density).astype(np.float32)


def develop(raw: np.ndarray) -> np.ndarray:
    """Turn a mosaic into a picture: float32 (H, W), white level 1, to uint8 (H, W, 3).

    White balance comes before demosaicking, whose gradient correction takes the
    colours' gradients for equal. The curve is sRGB's: a plain power of 1/2.2, without
    its straight toe, made the noise's mean more negative than SIDD's.
    """
    gains = mosaic(np.broadcast_to(GAINS, (*raw.shape, 3)))
    linear = np.clip(demosaic(raw * gains) @ MATRIX.T, 0, 1)
    curved = 1.055 * linear ** (1 / 2.4) - 0.055
    display = np.where(linear > 0.0031308, curved, 12.92 * linear)
    return np.round(display * 255).astype(np.uint8)

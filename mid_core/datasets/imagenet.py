"""ImageNet's validation set: 50,000 clean pictures of the web, in one folder or many.

Settings: ``path``; ``part``, train or held_out; optionally ``split``, by image;
``sides: [256, 512]`` for pictures with no side below the first number nor above the
second, as Laine et al. 2019 and NVlabs take (44,328 of them). This opens every file.
"""

from pathlib import Path

import numpy as np

from mid_core.datasets import pairs
from mid_core.datasets.finding import About, Found
from mid_core.errors import MidError
from mid_core.images import files as images

# In the config: JSON schema, as YAML.
KEYS = """
path: {$ref: "#/$defs/path"}
part: {enum: [train, held_out]}
split:
  type: object
  additionalProperties: false
  default: {}
  properties:
    seed: {$ref: "#/$defs/seed"}
    by: {const: image, default: image}
    share: {type: number, exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.9}
sides:
  type: array
  items: {type: integer, minimum: 1}
  minItems: 2
  maxItems: 2
  description: "Take images with no side outside [smallest, largest] only; opens every file."
crop: {$ref: "#/$defs/crop"}
broken: {$ref: "#/$defs/broken"}
"""

ABOUT = About(
    title="ImageNet, validation",
    published=(
        "image-net.org, ILSVRC2012; Russakovsky et al. 2015, ImageNet Large Scale "
        "Visual Recognition Challenge"
    ),
    terms="research and education, not commercial, after registration: see its terms",
    expected="""\
{path}/ILSVRC2012_val_00000001.JPEG               50,000 files: .JPEG .jpg .png
{path}/n01440764/ILSVRC2012_val_00000293.JPEG     or in a folder for each class
Grey pictures are read as colour, red = green = blue.
""",
)
SIDES = ("train", "held_out")


def groups(settings: dict) -> list[str]:
    """List the pictures that ``split`` divides, by their paths below ``path``."""
    return sorted(Found().images(settings["path"], "**/*"))


def find(settings: dict, groups: frozenset[str] | None = None) -> Found:
    """List the pictures of a part, named by their paths; ``groups`` are such names."""
    found, folder = Found(), Path(settings["path"])
    for name in found.images(folder, "**/*"):
        path = folder / name
        if (groups is None or name in groups) and _fits(path, settings.get("sides")):
            pairs.add(found, name, path)
    return found


def _fits(path: Path, sides: list[int] | None) -> bool:
    if sides is None:
        return True
    try:
        size = images.header(path).size
    except MidError:
        return True  # `read` refuses it, or leaves it out where that is allowed
    return sides[0] <= min(size) and max(size) <= sides[1]


def read(item: dict, stack: str, settings: dict) -> np.ndarray:
    """Read a picture, (H, W, 3) uint8; grey is repeated, as all users of the set do.

    Raises
    ------
    MidError
        If the file cannot be read whole, or is of another kind, such as CMYK.
    """
    pixels = pairs.read(item, stack, settings)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels

"""PolyU: real photographs by five cameras, and means of many shots of each scene.

Settings: ``path``; ``part``, clean or noisy; optionally ``split``, by scene or by
image. Names are those of the files without ``_real.JPG`` or ``_mean.JPG``. The 100
crops of 512x512 are taken where they are, as papers score them (MASH, for one), and
else the original images.
"""

from mid_core.datasets import pairs, real_mean
from mid_core.datasets.finding import About, Found

# In the config: JSON schema, as YAML.
KEYS = """
path: {$ref: "#/$defs/path"}
part: {enum: [clean, noisy], description: "The mean images, or the noisy ones with their truth."}
split: {$ref: "#/$defs/split"}
crop: {$ref: "#/$defs/crop"}
broken: {$ref: "#/$defs/broken"}
"""

ABOUT = About(
    title="PolyU",
    published=(
        "github.com/csjunxu/PolyU-Real-World-Noisy-Images-Dataset; Xu, Li, Liang, "
        "Zhang and Zhang 2018, Real-world Noisy Image Denoising: A New Benchmark"
    ),
    terms="research and non-commercial use only: see its License.txt",
    expected="""\
{path}/                 or a folder below it, of which CroppedImages comes first
    Canon5D2_5_160_3200_chair_11_real.JPG    noisy; _Real.JPG in OriginalImages
    Canon5D2_5_160_3200_chair_11_mean.JPG    its truth
    ...                                      100 pairs of crops, of 29 scenes
""",
    complete={"clean": 100, "noisy": 100},
)
SIDES = ("clean", "noisy")
_FILES = ("*.jp*g", "CroppedImages")

read = pairs.read


def find(settings: dict, groups: frozenset[str] | None = None) -> Found:
    """List the pictures of a part; ``groups`` are its scenes or names, None for all."""
    return real_mean.find(settings, groups, *_FILES)


def groups(settings: dict) -> list[str]:
    """List the scenes or names that ``split`` divides.

    A scene is a name without the number of the crop.
    """
    return real_mean.groups(settings, *_FILES)

"""CC: the 15 crops of Nam's photographs on which papers report.

Settings: ``path``; ``part``, clean or noisy; optionally ``split``, by scene or by
image. Names are those of the files without ``_real.png`` or ``_mean.png``.
``_ours.png`` is what CC's authors made of the noisy one, no truth, and is left out; so
is the full set, which is published as .mat files.
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
    title="CC",
    published=(
        "crops in github.com/csjunxu/MCWNNM-ICCV2017; Nam, Hwang, Matsushita and Kim "
        "2016, A Holistic Approach to Cross-Channel Image Noise Modeling and its "
        "Application to Image Denoising"
    ),
    terms="see its authors' pages",
    expected="""\
{path}/                 or a folder below it, such as Real_ccnoise_denoised_part
    <name>_real.png     noisy
    <name>_mean.png     its truth
    ...                 15 pairs; the full set's .mat files are not read
""",
    complete={"clean": 15, "noisy": 15},
)

SIDES = ("clean", "noisy")
_FILES = "*.png"

read = pairs.read


def find(settings: dict, groups: frozenset[str] | None = None) -> Found:
    """List the pictures of a part; ``groups`` are its scenes or names, None for all."""
    return real_mean.find(settings, groups, _FILES)


def groups(settings: dict) -> list[str]:
    """List the scenes or names that ``split`` divides.

    A scene is a camera and its ISO: names do not tell which crops are of one photo.
    """
    return real_mean.groups(settings, _FILES)

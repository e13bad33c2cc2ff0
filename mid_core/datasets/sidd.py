"""SIDD Medium and SIDD Small: photos of smartphones with their truth, in sRGB.

Abdelhamed, Lin and Brown 2018, "A High-Quality Denoising Dataset for Smartphone
Cameras". A folder for each instance, named as the data's ``ReadMe_sRGB.txt`` says.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from mid_config.walking import walk
from mid_core.datasets import pairs
from mid_core.datasets.finding import About, Found

# In the config: JSON schema, as YAML.
KEYS = """
path: {$ref: "#/$defs/path"}
part: {enum: [clean, noisy], description: Which side of the unpaired split.}
split:
  type: object
  additionalProperties: false
  default: {}
  properties:
    seed: {$ref: "#/$defs/seed"}
    by:
      enum: [instance, scene, image]
      default: instance
      description: What is never on both sides; image is how the paper words it.
    share: {$ref: "#/$defs/split/properties/share"}
crop: {$ref: "#/$defs/crop"}
broken: {$ref: "#/$defs/broken"}
"""

ABOUT = About(
    title="SIDD Medium or Small (sRGB)",
    published=(
        "Abdelhamed, Lin and Brown, A High-Quality Denoising Dataset for Smartphone "
        "Cameras, CVPR 2018; https://www.eecs.yorku.ca/~kamel/sidd/dataset.php"
    ),
    terms="as its site says",
    expected="""\
{path}/.../0001_001_S6_00100_00060_3200_L/   one of 160 such folders, at any depth, with
    0001_NOISY_SRGB_010.PNG  0001_GT_SRGB_010.PNG     SIDD Medium: 320 pairs
    0001_NOISY_SRGB_011.PNG  0001_GT_SRGB_011.PNG
  or
    NOISY_SRGB_010.PNG       GT_SRGB_010.PNG          SIDD Small: 160 pairs
Only one of the two may lie below {path}.
""",
    # SIDD Medium before it is split; the photos of its five phones are no larger.
    extent=(320, 3000, 5328),
)
SIDES = ("clean", "noisy")

_KINDS = {"clean": "GT", "noisy": "NOISY"}
# Instance, scene, phone, ISO, shutter speed, colour temperature, brightness.
_INSTANCE = re.compile(r"\d{4}_\d{3}_\w\w_\d{5}_\d{5}_\d{4}_\w")
_INSTANCES = 160
_EXAMPLE = "0001_001_S6_00100_00060_3200_L"

# The files of an instance by kind and number, such as ("GT", "010").
Files = dict[tuple[str, str], list[Path]]

read = pairs.read


def find(settings: dict, groups: frozenset[str] | None = None) -> Found:
    """List the clean or noisy photos, the noisy with their truth where it exists.

    Each is named as ``<instance>/NOISY_SRGB_010``, however its file is.

    Parameters
    ----------
    settings
        ``path``, ``part`` ("clean" or "noisy"), and ``split`` if ``groups`` are given.
    groups
        Those of `groups` whose photos are listed; None takes all.
    """
    places = _places(Path(settings["path"]))
    files = {name: _files(folders[0]) for name, folders in places.items()}
    found = Found(problems=_misplaced(Path(settings["path"]), places, files))
    if len(places) != _INSTANCES:
        found.notes.append(f"{len(places)} of {_INSTANCES} scene instances are there")
    kind = _KINDS[settings["part"]]
    for name, number in _pictures(files):
        if groups is not None and _group(settings, name, number) not in groups:
            continue
        own, truth = (files[name].get((wanted, number)) for wanted in (kind, "GT"))
        if not own:
            short = f"{kind}_SRGB_{number}.PNG"
            file = places[name][0] / f"{name[:4]}_{short}"
            found.problems.append(
                f"{file} is missing, and so is {short} beside it: copy the folder again"
            )
            continue
        item = {"name": f"{name}/{kind}_SRGB_{number}", "image": str(own[0])}
        if kind == "NOISY" and truth:
            item["truth"] = str(truth[0])
        found.items.append(item)
    return found


def groups(settings: dict) -> list[str]:
    """List what a split divides: instances, scenes ("001") or images, sorted.

    An image is named as ``<instance>/010``, and is there if any instance has a photo of
    that number, so that files missing on one side do not change the split.
    """
    places = _places(Path(settings["path"]))
    files = {name: _files(folders[0]) for name, folders in places.items()}
    return sorted({_group(settings, *picture) for picture in _pictures(files)})


def _places(path: Path) -> dict[str, list[Path]]:
    """Map each instance to its folders; there should be one."""
    places = defaultdict(list)
    for folder, below, _ in walk(path):
        # macOS packs a shadow of each folder into __MACOSX.
        below[:] = [name for name in below if name != "__MACOSX"]
        if _INSTANCE.fullmatch(folder.name):
            places[folder.name].append(folder)
    return {name: sorted(places[name]) for name in sorted(places)}


def _files(folder: Path) -> Files:
    prefix = f"{folder.name[:4]}_|{folder.name}_"
    pattern = re.compile(rf"(?:{prefix})?(GT|NOISY)_SRGB_(\d+)\.png", re.IGNORECASE)
    files = defaultdict(list)
    for path in sorted(folder.iterdir()):
        if match := pattern.fullmatch(path.name):
            files[match[1].upper(), match[2]].append(path)
    return dict(files)


def _pictures(files: dict[str, Files]) -> Iterator[tuple[str, str]]:
    """List instance and number of what a whole data set of these instances has."""
    numbers = {number for table in files.values() for _, number in table}
    return product(files, sorted(numbers))


def _group(settings: dict, name: str, number: str) -> str:
    names = {"instance": name, "scene": name[5:8], "image": f"{name}/{number}"}
    return names[settings["split"]["by"]]


def _misplaced(
    path: Path, places: dict[str, list[Path]], files: dict[str, Files]
) -> list[str]:
    """Say what is wrong with the tree, rather than with single photos."""
    if not path.is_dir():
        return [f"{path} is no folder: correct the path, and unpack the archive there"]
    if [path] in places.values():
        return [f"{path} is the folder of one instance: give a folder above it"]
    if not any(files.values()):
        photo = f"{_EXAMPLE}/0001_NOISY_SRGB_010.PNG"
        return [f"{path} has no photo like {photo} at any depth: unpack SIDD there"]
    named_alike = [*places.values()]
    for table in files.values():
        named_alike += table.values()
    return [
        f"{' and '.join(map(str, copies))} are copies: keep one of them only"
        for copies in named_alike
        if len(copies) > 1
    ]

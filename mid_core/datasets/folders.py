"""Anyone's images in a folder, with or without their truth in another.

Settings of such a pool: ``path`` and ``pattern`` of the images; optionally
``truth`` with a ``path`` and ``pattern`` of its own, whose wildcards stand for the
same text in both names (``NOISY_*.png`` and ``GT_*.png``).
"""

from pathlib import Path

from mid_core.datasets import pairs
from mid_core.datasets.finding import About, Found

# In the config: JSON schema, as YAML.
KEYS = """
path: {type: string, description: The folder of the images.}
pattern: {$ref: "#/$defs/pattern"}
crop: {$ref: "#/$defs/crop"}
broken: {$ref: "#/$defs/broken"}
truth:
  type: object
  description: The clean partners, paired by what the wildcards stand for.
  additionalProperties: false
  required: [path]
  properties:
    path: {type: string}
    pattern: {$ref: "#/$defs/pattern"}
"""

ABOUT = About(
    title="Folders of images",
    published="your own images",
    terms="yours",
    expected="""\
{path}/<pattern>        images: .png .jpg .tif .bmp .webp; each page of a .tif is one
<truth path>/<pattern>  optional: the truth of each, with the same text where the two
                        patterns have wildcards: * ? [...] in a name, ** for folders
""",
)
# Paths by what the wildcards of their pattern stand for.
Table = dict[tuple[str, ...], list[Path]]

read = pairs.read


def find(settings: dict, groups: frozenset[str] | None = None) -> Found:
    """List the images, named by their paths below the folder, and all that is wrong.

    Without ``truth`` in the settings, every file is an image. With it, files that are
    unpaired, ambiguous or of another size than their truth are problems, and left out.
    """
    found, folder = Found(), Path(settings["path"])
    if "truth" not in settings:
        for name in found.images(folder, settings.get("pattern", "*")):
            pairs.add(found, name, folder / name)
        return found
    images = _by_wildcards(settings, found)
    truths = _by_wildcards(settings["truth"], found)
    if images and truths:
        _pair(images, truths, settings, found)
    return found


def _by_wildcards(settings: dict, found: Found) -> Table:
    """Sort files by what the wildcards stand for; two of the same are a problem."""
    table: Table = {}
    listed = found.images(settings["path"], settings.get("pattern", "*"))
    for name, texts in listed.items():
        path = Path(settings["path"], name)
        # A pattern like '*' pairs a.png with a.tif: the type is not part of the key.
        key = tuple(text.removesuffix(path.suffix) for text in texts)
        table.setdefault(key, []).append(path)
    for first, *others in table.values():
        if others:
            found.problems.append(
                f"{first} and {' and '.join(map(str, others))} differ in their type "
                "only, so their partner is uncertain: keep one of them, or give a "
                "pattern with the type, such as '*.png'"
            )
    return table


def _pair(images: Table, truths: Table, settings: dict, found: Found) -> None:
    """Add the images that have one truth; what has none is a problem."""
    folder, true_folder = settings["path"], settings["truth"]["path"]
    wildcards, true_wildcards = len(next(iter(images))), len(next(iter(truths)))
    if wildcards != true_wildcards:
        found.problems.append(
            f"{folder} has a pattern with {wildcards} wildcard(s), its truth's has "
            f"{true_wildcards}: give both the same number, as they stand for one text"
        )
        return
    advice = "add it, remove this file, or correct the two patterns"
    for key, paths in images.items():
        if key not in truths:
            lonely = [
                f"{path} has no truth in {true_folder}: {advice}" for path in paths
            ]
            found.problems += lonely
        elif len(paths) == len(truths[key]) == 1:
            name = paths[0].relative_to(folder).as_posix()
            pairs.add(found, name, paths[0], truths[key][0])
    found.problems += [
        f"{path} is the truth of no image in {folder}: {advice}"
        for key, paths in truths.items()
        if key not in images
        for path in paths
    ]

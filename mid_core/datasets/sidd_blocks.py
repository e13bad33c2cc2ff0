"""SIDD's validation and benchmark: 40 photos, 32 blocks of 256 x 256 pixels in each.

Abdelhamed, Lin and Brown 2018, "A High-Quality Denoising Dataset for Smartphone
Cameras". Published as arrays (photos, blocks, 256, 256, 3) in MAT files; some people
have them as PNG files.
"""

import re
from pathlib import Path

import numpy as np

from mid_core.datasets import matfile
from mid_core.datasets.finding import About, Found, files_named
from mid_core.errors import MidError
from mid_core.images import files as images

# In the config: JSON schema, as YAML.
KEYS = """
path: {$ref: "#/$defs/path"}
part: {enum: [validation, benchmark], description: The benchmark has no public truth.}
"""

ABOUT = About(
    title="SIDD validation or benchmark blocks (sRGB)",
    published=(
        "Abdelhamed, Lin and Brown, A High-Quality Denoising Dataset for Smartphone "
        "Cameras, CVPR 2018; https://www.eecs.yorku.ca/~kamel/sidd/benchmark.php"
    ),
    terms="as its site says",
    expected="""\
{path}/.../ValidationNoisyBlocksSrgb.mat   at any depth, for part: validation
{path}/.../ValidationGtBlocksSrgb.mat
{path}/.../BenchmarkNoisyBlocksSrgb.mat    at any depth, for part: benchmark
or, where none of a part's files is,
{path}/noisy/0001_01.png                   a folder named with 'noisy' or 'input'
{path}/gt/0001_01.png                      one named with 'gt', 'clean' or 'target'
Each name is the number of the photo, _ or -, and that of the block.
""",
    complete={"validation": 1280, "benchmark": 1280},
    extent=(1280, 256, 256),
)

_VARIABLES = {
    "validation": {
        "image": "ValidationNoisyBlocksSrgb",
        "truth": "ValidationGtBlocksSrgb",
    },
    "benchmark": {"image": "BenchmarkNoisyBlocksSrgb"},
}
_SHAPE = (None, None, None, None, 3)
_FOLDERS = {"image": ("noisy", "input"), "truth": ("gt", "clean", "target")}
_PNG = re.compile(r"(\d+)[_-](\d+)\.png", re.IGNORECASE)


def find(settings: dict, groups: frozenset[str] | None = None) -> Found:
    """List the blocks of a part, photo after photo.

    Each is named as ``00_00``, its photo and its block counted from 0 whatever its file
    is called, and has its place in that order as ``index``, from 0 to 1279. Those that
    lack their truth are problems and left out.

    Parameters
    ----------
    settings
        ``path`` and ``part``: "validation" has a truth, "benchmark" has none.
    groups
        None, as these are not split.
    """
    path, variables = Path(settings["path"]), _VARIABLES[settings["part"]]
    if not path.is_dir():
        return Found(problems=[f"{path} is no folder: correct the path"])
    files = {
        stack: files_named(f"{name}.mat", path) for stack, name in variables.items()
    }
    if any(files.values()):
        return _find_mat(path, variables, files)
    return _find_png(path, variables)


def read(item: dict, stack: str, settings: dict) -> np.ndarray:
    """Read a block ("image") or its truth ("truth"): uint8 (H, W, 3).

    Raises MidError if its file cannot be read.
    """
    path = Path(item[stack])
    if path.suffix.lower() == ".png":
        return images.read_pixels(path)
    name = _VARIABLES[settings["part"]][stack]
    blocks = matfile.read(path, matfile.Variable(name, ("uint8",), _SHAPE))
    photo, block = divmod(item["index"], blocks.shape[1])
    return np.array(blocks[photo, block], order="C")


def _find_mat(
    path: Path, variables: dict[str, str], files: dict[str, list[Path]]
) -> Found:
    found, shape, paths = Found(), _SHAPE, {}
    for stack, name in variables.items():
        try:
            file = _only(files[stack], f"{path}/.../{name}.mat is missing")
            # The truth's shape must be the one of the noisy blocks, read first.
            shape = matfile.check(file, matfile.Variable(name, ("uint8",), shape))
            paths[stack] = str(file)
        except MidError as error:
            found.problems.append(str(error))
    if len(paths) == len(variables):
        places = enumerate(np.ndindex(shape[:2]))
        found.items = [_item(index, place) | paths for index, place in places]
    return found


def _find_png(path: Path, variables: dict[str, str]) -> Found:
    found, folders, tables = Found(), {}, {}
    for stack, name in variables.items():
        words = " or ".join(_FOLDERS[stack])
        missing = f"{path} has no {name}.mat at any depth, nor a folder named {words}"
        try:
            folders[stack] = _only(_folders(path, _FOLDERS[stack]), missing)
            tables[stack] = _blocks(folders[stack])
        except MidError as error:
            found.problems.append(str(error))
    keys = set().union(*tables.values())
    photos, blocks = (sorted({key[i] for key in keys}) for i in (0, 1))
    for index, place in enumerate(np.ndindex(len(photos), len(blocks))):
        photo, block = photos[place[0]], blocks[place[1]]
        paths = {
            stack: str(table[photo, block])
            for stack, table in tables.items()
            if (photo, block) in table
        }
        found.problems += [
            f"{folders[stack]} lacks block {block} of photo {photo}: copy it again"
            for stack in tables
            if stack not in paths
        ]
        if len(paths) == len(variables):
            found.items.append(_item(index, place) | paths)
    return found


def _folders(path: Path, words: tuple[str, ...]) -> list[Path]:
    return [
        folder
        for folder in sorted(path.iterdir())
        if folder.is_dir()
        and folder.name[0] != "."
        and any(word in folder.name.lower() for word in words)
    ]


def _blocks(folder: Path) -> dict[tuple[int, int], Path]:
    """Map photo and block, as numbered in the names, to the PNG files."""
    blocks = {}
    for file in sorted(folder.iterdir()):
        if match := _PNG.fullmatch(file.name):
            key = int(match[1]), int(match[2])
            if key in blocks:
                raise MidError(f"{file} is the same block as {blocks[key]}: keep one")
            blocks[key] = file
    if not blocks:
        raise MidError(f"{folder} has no PNG file named like 0001_01.png: rename them")
    return blocks


def _item(index: int, place: tuple[int, int]) -> dict:
    return {"name": "{:02d}_{:02d}".format(*place), "index": index}


def _only(candidates: list[Path], missing: str) -> Path:
    if len(candidates) > 1:
        raise MidError(
            f"{' and '.join(map(str, candidates))} are of one kind: keep one"
        )
    if not candidates:
        raise MidError(f"{missing}: put it there, or correct the path")
    return candidates[0]

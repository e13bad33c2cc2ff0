"""Miniature data sets in their true formats on disk, made without the code under test.

Every array is in MATLAB's order of axes.
"""

import zlib
from pathlib import Path

import h5py
import imageio.v3 as iio
import numpy as np
import scipy.io

MATLAB = {"float32": "single", "float64": "double"}
# Two instances of a scene, one of another, by three phones.
INSTANCES = (
    "0001_001_S6_00100_00060_3200_L",
    "0002_001_GP_10000_01000_4400_N",
    "0150_007_IP_00400_00200_5500_H",
)


def mat5(path: Path, compressed: bool = True, **variables: np.ndarray) -> Path:
    """Write a MAT file of version 5, compressed as MATLAB does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, variables, do_compression=compressed)
    return path


def mat73(path: Path, **variables: np.ndarray) -> Path:
    """Write a MAT file of version 7.3."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in variables.items():
            _dataset(file, name, array)
    _head(path)
    return path


def _dataset(group: h5py.Group, name: str, array: np.ndarray) -> h5py.Dataset:
    kind = MATLAB.get(array.dtype.name, array.dtype.name)
    if array.size:
        options = {"chunks": True, "compression": 3}
        node = group.create_dataset(name, data=array.T, **options)
    else:
        node = group.create_dataset(name, data=np.array(array.shape, np.uint64))
        node.attrs["MATLAB_empty"] = np.uint8(1)
    node.attrs["MATLAB_class"] = np.bytes_(kind)
    return node


def _head(path: Path) -> None:
    text = (
        b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Jan  1 00:00:00 2018"
    )
    with path.open("r+b") as file:
        file.write((text + b" HDF5 schema 1.00 .").ljust(116) + bytes(8) + b"\0\2IM")


def photo(*name: str, shape: tuple[int, ...] = (7, 11, 3)) -> np.ndarray:
    """The uint8 pixels that belong to a name."""
    seed = zlib.crc32("/".join(name).encode())
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def sidd_medium(
    root: Path,
    instances: tuple[str, ...] = INSTANCES,
    shape: tuple[int, ...] = (7, 11, 3),
) -> Path:
    """SIDD Medium as its zip unpacks for one user: four .PNG in each deep folder.

    The pixels are ``photo(instance, "GT_SRGB_010", shape=shape)`` and so on.
    """
    data = root / "SIDD_Medium_Srgb/mnt/d/SIDD_Medium_Srgb/Data"
    for instance in instances:
        for number in ("010", "011"):
            _sidd_pair(data / instance, f"{instance[:4]}_", number, ".PNG", shape)
    (data.parent / "Scene_Instances.txt").write_text("\n".join(instances))
    return root


def sidd_small(root: Path, instances: tuple[str, ...] = INSTANCES) -> Path:
    """SIDD Small as on Kaggle: two .png in each folder, no prefix. Pixels as above."""
    for instance in instances:
        _sidd_pair(
            root / "SIDD_Small_sRGB_Only/Data" / instance, "", "010", ".png", (7, 11, 3)
        )
    return root


def _sidd_pair(
    folder: Path, prefix: str, number: str, suffix: str, shape: tuple[int, ...]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("NOISY", "GT"):
        name = f"{kind}_SRGB_{number}"
        iio.imwrite(
            folder / f"{prefix}{name}{suffix}", photo(folder.name, name, shape=shape)
        )


def sidd_blocks(
    root: Path, write=mat5, shape: tuple[int, ...] = (2, 3, 5, 7, 3)
) -> Path:
    """SIDD's three .mat files of blocks, by ``mat5`` or ``mat73``.

    The pixels are ``photo("ValidationGtBlocksSrgb", shape=shape)`` and so on.
    """
    for name in (
        "ValidationNoisyBlocksSrgb",
        "ValidationGtBlocksSrgb",
        "BenchmarkNoisyBlocksSrgb",
    ):
        write(root / f"{name}.mat", **{name: photo(name, shape=shape)})
    return root


def sidd_blocks_png(root: Path, shape: tuple[int, ...] = (2, 3, 5, 7, 3)) -> Path:
    """SIDD's validation blocks as ``0001_01.png``; pixels as in `sidd_blocks`."""
    for folder, name in (("input_crops", "Noisy"), ("target_crops", "Gt")):
        (root / folder).mkdir(parents=True)
        blocks = photo(f"Validation{name}BlocksSrgb", shape=shape)
        for image, block in np.ndindex(shape[:2]):
            path = root / folder / f"{image + 1:04d}_{block + 1:02d}.png"
            iio.imwrite(path, blocks[image, block])
    return root


def dnd_photo(number: int) -> np.ndarray:
    """Photo 1, 2, ... of `dnd`: float32 (23 + number, 31, 3) in [0, 1]."""
    pixels = photo("dnd", str(number), shape=(23 + number, 31, 3))
    return np.divide(pixels, 255, dtype=np.float32)


def dnd(root: Path, boxes: list[np.ndarray]) -> Path:
    """DND: a photo for each array of boxes, (N, 4) from 1 to the last, inclusive."""
    for number in range(1, len(boxes) + 1):
        path = root / f"dnd_2017/images_srgb/{number:04d}.mat"
        mat73(path, InoisySRGB=dnd_photo(number))
    dnd_info(root / "dnd_2017/info.mat", boxes)
    return root


def dnd_info(path: Path, boxes: list[np.ndarray]) -> None:
    """The info.mat of DND: a struct array, its field a reference for each photo."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        cells = file.create_group("#refs#")
        for number, array in enumerate(boxes):
            _dataset(cells, f"a{number}", np.asarray(array, np.float64))
        info = file.create_group("info")
        info.attrs["MATLAB_class"] = np.bytes_("struct")
        references = [[cells[f"a{number}"].ref for number in range(len(boxes))]]
        info.create_dataset("boundingboxes", data=references, dtype=h5py.ref_dtype)
    _head(path)

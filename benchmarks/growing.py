"""Pieces of work that grow: with pixels, masks, images, bytes, rounds and variants.

`benchmarks.growth` runs each at several sizes, in a process of its own. Modules of the
project are imported where they are used: so a process loads what its work needs.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Small, as its own cost does not grow.
NETWORK = {"name": "nafnet", "width": 8, "encoder": [1], "middle": 1, "decoder": [1]}
NETWORK |= {"pixel_unshuffle": 2}
# An image of a store that is measured by its megabytes.
MEGABYTE = (512, 683, 3)
CROPS, CROP = 100, 64

Work = Callable[[], object]


@dataclass(frozen=True)
class Growing:
    """Work of several sizes.

    Attributes
    ----------
    what, over
        What is done, and of what there is more and more.
    sizes
        How much of it.
    prepare
        Writes the input of a size into an empty folder.
    load
        Returns the work on that folder, ready to run, any number of times.
    """

    what: str
    over: str
    sizes: tuple[int, ...]
    prepare: Callable[[Path, int], None]
    load: Callable[[Path, int], Work]


def image(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Draw an image that does not compress."""
    shape = (height, width, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write_photo(folder: Path, pixels: int) -> None:
    """Write a noisy image of 2:3, and a model for it."""
    import imageio.v3 as iio

    from mid_core.checkpoints.model_file import save_model
    from mid_core.networks import build

    height = round((pixels * 2 / 3) ** 0.5)
    noisy = image(height, pixels // height)
    iio.imwrite(folder / "noisy.png", noisy, compress_level=1)
    card = {
        "network": NETWORK,
        "masking": {"mask_ratio": 0.3},
        "patch_size": 32,
        "channels": 3,
    }
    save_model(folder / "model.safetensors", build(NETWORK), card)


def denoise(folder: Path, num_masks: int) -> Work:
    """Denoise the image in tiles that are small beside it."""
    from mid_core.commands.denoise_files import denoise_files

    files = (folder / name for name in ("noisy.png", "out.png", "model.safetensors"))
    arguments = (*files, num_masks, None, "cpu", 128)
    return lambda: denoise_files(*arguments)


def write_photos(folder: Path, count: int) -> None:
    """Write so many small images."""
    import imageio.v3 as iio

    for i in range(count):
        iio.imwrite(folder / f"{i}.png", image(16, 24, i), compress_level=1)


def ingest_photos(folder: Path, count: int) -> Work:
    """List and decode a folder of images into a store."""
    from mid_core.datasets import survey
    from mid_core.datasets.ingesting import ingest

    settings = {"reader": "folders", "path": str(folder)}

    def again() -> None:
        items = survey(settings, None, "image").items
        ingest(items, settings, "image", folder / "pool/image.zarr", 1)

    return again


def touch_photos(folder: Path, count: int) -> None:
    """Make one image under many names."""
    write_photos(folder, 1)
    for i in range(1, count):
        (folder / f"{i}.png").hardlink_to(folder / "0.png")


def list_photos(folder: Path, count: int) -> Work:
    """List a folder of images, as the rule `index_pool` does."""
    from mid_core.datasets import survey

    settings = {"reader": "folders", "path": str(folder)}
    return lambda: survey(settings, None, "image")


def fill_store(path: Path, images: Iterator[np.ndarray]) -> None:
    """Write images into a store, and manifest it."""
    from mid_core.store import StoreWriter

    with StoreWriter(path, "image") as store:
        for i, one in enumerate(images):
            store.append(str(i), one)


def fill_megabytes(folder: Path, count: int) -> None:
    """Write a store of so many megabytes."""
    height, width, _ = MEGABYTE
    images = (image(height, width, i) for i in range(count))
    fill_store(folder / "image.zarr", images)


def write_store(folder: Path, count: int) -> Work:
    """Write a store of so many megabytes, again and again."""
    return lambda: fill_megabytes(folder, count)


def fill_images(folder: Path, count: int) -> None:
    """Write a store of so many small images."""
    images = (image(CROP, CROP, i) for i in range(count))
    fill_store(folder / "image.zarr", images)


def crop_store(folder: Path, count: int) -> Work:
    """Open a store and read the same number of random crops, whatever its size."""
    from mid_core.store import Store

    def again() -> None:
        store, rng = Store(folder / "image.zarr"), np.random.default_rng(0)
        for index in rng.integers(0, len(store), CROPS):
            height, width = store.sizes[index]
            top, left = (int(rng.integers(side - CROP + 1)) for side in (height, width))
            store.crop(int(index), top, left, CROP)

    return again


def write_config(folder: Path, method: dict, variants: dict) -> None:
    """Write a config of two pools. JSON is YAML."""
    pools = {name: {"reader": "folders", "path": name} for name in ("clean", "noisy")}
    base = {"iterations": 10, "batch_size": 2, "patch_size": 16}
    config = {
        "dataset": "grown",
        "pools": pools,
        "tests": [],
        "method": {"network": NETWORK, "training": base} | method,
        "variants": variants,
    }
    (folder / "config.yaml").write_text(json.dumps(config, indent=1))


def write_rounds(folder: Path, count: int) -> None:
    """Write a config of one variant with so many rounds."""
    ratios = np.linspace(0.9, 0.1, count).round(6).tolist()
    rounds = [{"mask_ratio": ratio} for ratio in ratios]
    write_config(folder, {"rounds": rounds}, {"mid": {}})


def write_variants(folder: Path, count: int) -> None:
    """Write a config of so many variants with two rounds each."""
    rounds = [{"mask_ratio": 0.8}, {"mask_ratio": 0.3}]
    variants = {f"seed_{i}": {"seed": i} for i in range(count)}
    write_config(folder, {"rounds": rounds}, variants)


def plan(folder: Path, count: int) -> Work:
    """Read a config and unfold it into rounds, as every dry run does first."""
    from mid_core.jobs.status import read_plan

    return lambda: read_plan([folder / "config.yaml"])


EVERY = (
    Growing(
        *("denoise, K = 1", "pixels", (2**16, 2**17, 2**18, 2**19)),
        *(write_photo, lambda folder, _: denoise(folder, 1)),
    ),
    Growing(
        *("denoise", "num_masks", (1, 2, 4, 8)),
        *(lambda folder, _: write_photo(folder, 2**16), denoise),
    ),
    Growing("ingest", "images", (250, 500, 1000, 2000), write_photos, ingest_photos),
    Growing(
        "list files", "images", (1000, 2000, 4000, 8000), touch_photos, list_photos
    ),
    Growing(
        *("write a store", "megabytes", (32, 64, 128, 256)),
        *(lambda folder, _: None, write_store),
    ),
    Growing("100 crops", "megabytes", (16, 32, 64, 128), fill_megabytes, crop_store),
    Growing("100 crops", "images", (250, 500, 1000, 2000), fill_images, crop_store),
    Growing("plan", "rounds", (25, 50, 100, 200), write_rounds, plan),
    Growing("plan", "variants", (25, 50, 100, 200), write_variants, plan),
)

"""F15: 900 megapixels are denoised within 4 GB of addresses, as ``ulimit -v`` counts.

Mostly constant, so that packing and unpacking them takes no minutes.
"""

import resource
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from mid_core.checkpoints.model_file import save_model
from mid_core.commands.denoise_files import denoise_files
from mid_core.images import files
from mid_core.images.scratch import scratch
from mid_core.masking import image_seed, mask_rows
from mid_core.networks import build
from tests.conftest import ROOT
from tests.damaged import chunk

SIDE, STRIP = 30_000, 1200
LIMIT_BYTES = 4 * 2**30
# Two thin convolutions; hardly anything is hidden, so that the result packs well.
NETWORK = {"name": "dncnn", "width": 2, "depth": 2, "norm": "none"}
RATIO = 0.001
# Textured windows: corners, and where tiles and bands of 512 pixels meet.
PLACES = [(0, 0), (490, 490), (14_970, 29_960), (29_960, 0), (29_960, 29_960)]
WINDOW = 40


def strips() -> Iterator[np.ndarray]:
    """The image, 1200 rows at a time."""
    textures = np.random.default_rng(0).integers(
        0, 256, (len(PLACES), WINDOW, WINDOW), np.uint8
    )
    for first in range(0, SIDE, STRIP):
        strip = np.full((STRIP, SIDE), 20 + first // 200, np.uint8)
        for (top, left), texture in zip(PLACES, textures, strict=True):
            if first <= top < first + STRIP:
                strip[top - first :][:WINDOW, left : left + WINDOW] = texture
        yield strip


def save_huge_tiff(path: Path) -> None:
    tifffile.imwrite(
        path,
        strips(),
        shape=(SIDE, SIDE),
        dtype=np.uint8,
        photometric="minisblack",
        compression="zlib",
        compressionargs={"level": 1},
        tile=(STRIP, SIDE),
    )


def save_huge_png(path: Path) -> None:
    packer = zlib.compressobj(1)
    with path.open("wb") as file:
        header = struct.pack(">II5B", SIDE, SIDE, 8, 0, 0, 0, 0)
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header))
        for strip in strips():
            lines = np.pad(strip, ((0, 0), (1, 0)))  # no filter
            file.write(chunk(b"IDAT", packer.compress(lines)))
        file.write(chunk(b"IDAT", packer.flush()) + chunk(b"IEND", b""))


def child(folder: Path, name: str, num_masks: int) -> None:
    """Denoise under the limit."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    torch.set_num_threads(1)
    model, result = folder / "model.safetensors", folder / "out" / name
    denoise_files(folder / name, result, model, num_masks)


def expected(
    network, name: str, y: np.ndarray, top: int, left: int, num_masks: int
) -> np.ndarray:
    """Denoise what surrounds a window, by itself."""
    rows, columns = (top, top + len(y)), (left, left + y.shape[1])
    total = 0
    for p in range(num_masks):
        seed = [*image_seed(0, "denoise", name), p]
        kept = mask_rows(seed, rows, columns, SIDE, 1, RATIO)[..., 0]
        shown = torch.from_numpy(kept * y / np.float32(255))
        with torch.no_grad():
            total = total + network(shown[None, None])[0, 0].numpy()
    return total / num_masks


@pytest.mark.exhaustive
@pytest.mark.skipif(sys.platform != "linux", reason="the limit works on Linux only")
@pytest.mark.parametrize(
    ("name", "save", "num_masks"),
    [("a.tif", save_huge_tiff, 10), ("a.png", save_huge_png, 1)],
)
def test_900_megapixels_are_denoised_within_4_gb(tmp_path, name, save, num_masks):
    network = build(NETWORK, channels=1)
    card = {"network": NETWORK, "patch_size": 64, "channels": 1}
    card["masking"] = {"mask_ratio": RATIO}
    save_model(tmp_path / "model.safetensors", network, card)
    save(tmp_path / name)
    code = "from tests.commands.test_large_images import *; "
    code += "child(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))"
    command = [sys.executable, "-c", code, str(tmp_path), name, str(num_masks)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr

    space = partial(scratch, folder=tmp_path)
    noisy = files.read(tmp_path / name, space=space).samples[..., 0]
    (tmp_path / name).unlink()
    result = files.read(tmp_path / "out" / name, space=space).samples[..., 0]
    (tmp_path / "out" / name).unlink()
    assert result.shape == (SIDE, SIDE)
    assert {path.name for path in tmp_path.iterdir()} == {"model.safetensors", "out"}
    for top, left in PLACES:
        rows = slice(max(0, top - 5), min(SIDE, top + WINDOW + 5))
        columns = slice(max(0, left - 5), min(SIDE, left + WINDOW + 5))
        around = expected(
            *(network, name, noisy[rows, columns]),
            *(rows.start, columns.start, num_masks),
        )
        wanted = np.rint(np.clip(around, 0, 1) * 255)
        # The cut borders lack what the network would see beyond them.
        inner = tuple(
            slice(2 * (s.start > 0), s.stop - s.start - 2 * (s.stop < SIDE))
            for s in (rows, columns)
        )
        change = result[rows, columns].astype(float) - wanted
        assert np.abs(change[inner]).max() <= 1
        assert np.ptp(wanted) > 50

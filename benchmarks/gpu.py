"""All that is measured of a GPU, in one go, in about ten minutes.

    python -m benchmarks.gpu                            (from the repository root)
    python -m benchmarks.gpu --device cpu --quick       tries the script, without a GPU

Prints a table for each part and writes results/benchmarks/gpu_<card>.json after each.
It needs no Snakemake: PyTorch, NumPy, Numba, SciPy, scikit-image, safetensors, psutil, tqdm,
tabulate, Zarr (with numcodecs, donfig and google-crc32c) and imagecodecs will do.
"""

import argparse
import re
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks import ensemble, nafnet_step, train_step
from benchmarks.batches import pools
from benchmarks.measuring import Rows, alternate, ratio, show, write
from benchmarks.step_traffic import moved_per_pixel, operations_per_pixel
from mid_core.networks import build
from mid_core.sampling import Batches, Masking

# Of a step against the plain one.
REACH = {"fp32": 3.0, "bf16": 1.5}


@dataclass(frozen=True)
class Sizes:
    """How much is computed.

    Attributes
    ----------
    depth
        Of the NAFNets: settings besides the width; published ones by default.
    batch, patch
        Crops a step, their side in pixels.
    steps, repeats
        Steps of the loop that are timed together; how often all is timed.
    image, tiles, masks
        Height and width of the image, sides of tiles, K.
    matrix, copied
        Side of the matrices, bytes of the copy.
    """

    depth: dict
    batch: int = 8
    patch: int = 256
    steps: int = 40
    repeats: int = 4
    image: tuple[int, int] = (4000, 6000)
    tiles: tuple[int, ...] = (512, 2048, 4096)
    masks: int = 10
    matrix: int = 8192
    copied: int = 2**30


FULL = Sizes({})
QUICK = Sizes(
    {"encoder": [1], "middle": 1, "decoder": [1]},
    *(2, 32, 3, 2, (96, 160), (64, 128), 2, 256, 2**20),
)


def limits(sizes: Sizes, device: str) -> Rows:
    """Measure what bounds everything: bf16 matrix products, and a copy."""
    side = (sizes.matrix, sizes.matrix)
    a, b = (torch.randn(side, device=device).bfloat16() for _ in range(2))
    source = torch.randint(256, (sizes.copied,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    works = {"matrix": lambda: a @ b, "copy": lambda: target.copy_(source)}
    times = alternate(works, 4 * sizes.repeats, device)
    matrix, copy = (statistics.median(times[name]) for name in works)
    return [
        {
            "bf16_tflop_per_s": 2 * sizes.matrix**3 / matrix / 1e12,
            # Each byte is read and written.
            "copy_gb_per_s": 2 * sizes.copied / copy / 1e9,
        }
    ]


def steps(sizes: Sizes, device: str) -> Rows:
    """Training steps against the plain reference, and what bounds ours."""
    (best,), rows = limits(sizes, device), []
    repeats, pixels = 3 * sizes.repeats, sizes.batch * sizes.patch**2
    for width in (32, 64):
        network = {"name": "nafnet", "width": width, **sizes.depth}
        for precision, reach in REACH.items():
            row = nafnet_step.compare(
                *(network, sizes.batch, sizes.patch, repeats, precision, device)
            )
            ours = build(network).to(device)
            per_s = pixels / row["ours_s"]
            tflop = operations_per_pixel(ours) * per_s / 1e12
            moved = moved_per_pixel(ours, precision) * per_s / 1e9
            shares = {
                "bf16 matrix rate": tflop / best["bf16_tflop_per_s"],
                "copy rate": moved / best["copy_gb_per_s"],
            }
            rows.append(
                {"network": f"NAFNet-{width}", "precision": precision}
                | row
                | {"to_reach": reach}
                | {f"share of {name}": share for name, share in shares.items()}
                | {"nearest_limit": max(shares, key=shares.get)}
            )
    return rows


def loop(sizes: Sizes, device: str) -> Rows:
    """Run the training loop with batches from stores, against the bare step."""
    network = {"name": "nafnet", "width": 32, **sizes.depth}
    with tempfile.TemporaryDirectory() as folder:
        sources = train_step.stores(Path(folder), sizes.batch, sizes.patch)
        return [
            {"precision": precision} | row
            for precision in REACH
            for row in train_step.compare(
                *(network, sources, sizes.steps, sizes.repeats, precision, device)
            )
        ]


def batches(sizes: Sizes, device: str) -> Rows:
    """Batches made ahead and sent to the device, against sending one as often."""
    drawn = Batches(*pools(), sizes.batch, sizes.patch, Masking(0.7), False, [0])
    whole = drawn.draw(0)

    def send(batch: tuple[torch.Tensor, ...]) -> None:
        for part in batch:
            torch.empty_like(part, device=device).copy_(part)

    works = {
        "drawn": lambda: [send(one) for one in drawn.stream(0, sizes.steps)],
        "copied": lambda: [send(whole) for _ in range(sizes.steps)],
    }
    times = alternate(works, sizes.repeats, device)
    return [
        {
            "batch": sizes.batch,
            "patch": sizes.patch,
            "batches_per_s": sizes.steps / statistics.median(times["drawn"]),
            "copies_per_s": sizes.steps / statistics.median(times["copied"]),
            "ratio": ratio(times["copied"], times["drawn"]),
            "to_reach": 0.5,
        }
    ]


def images(sizes: Sizes, device: str) -> Rows:
    """Denoise a large image, against as many passes over the same pixels."""
    network = {"name": "nafnet", "width": 32, **sizes.depth}
    return [
        row
        for tile in sizes.tiles
        for row in ensemble.compare(
            *(network, sizes.patch, sizes.image, tile, sizes.masks),
            *(sizes.repeats, device),
        )
    ]


PARTS = {
    "what the card can do": limits,
    "a training step against a plain one": steps,
    "the training loop against the bare step": loop,
    "batches on the device against copies": batches,
    "an image of many megapixels against bare passes": images,
}


def measure(sizes: Sizes, device: str) -> Path:
    """Measure part after part; one that does not fit leaves the others."""
    name = torch.cuda.get_device_name() if device == "cuda" else "none: no GPU was used"
    slug = re.sub(r"\W+", "_", name.lower()) if device == "cuda" else "tried_on_cpu"
    facts = {
        "card": name,
        "tf32_in_convolutions": torch.backends.cudnn.allow_tf32,
        "tf32_in_products": torch.backends.cuda.matmul.allow_tf32,
    }
    tables: dict[str, Rows] = {}
    for title, part in PARTS.items():
        try:
            tables[title] = part(sizes, device)
        except torch.OutOfMemoryError as error:
            tables[title] = [{"not measured": f"out of memory: {error}"}]
        show(title, tables[title])
        path = write(f"gpu_{slug}", tables, **facts)
    return path


def main() -> None:
    """Read the arguments, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.exit(
            1,
            f"torch {torch.__version__} sees no CUDA device: run this where there is "
            "one, or try the script with --device cpu --quick\n",
        )
    torch.manual_seed(0)
    if arguments.device == "cpu":
        print("Tried on a CPU: these are no measurements of a GPU.")
    path = measure(QUICK if arguments.quick else FULL, arguments.device)
    print(f"written: {path}")


if __name__ == "__main__":
    main()

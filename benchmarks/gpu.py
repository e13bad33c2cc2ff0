"""All that is measured of a GPU, in one go: MID's quality, and the speed of its parts.

    python -m benchmarks.gpu                       (from the repository root; 25 minutes)
    python -m benchmarks.gpu --minutes 10          (an hour, and better networks)
    python -m benchmarks.gpu --device cpu --quick  tries the script, without a GPU

Prints a table for each part and writes gpu_<card>.json after each, into
``results/benchmarks`` or ``--folder``. A part that is in the file is not measured again:
what was cut goes on with the part that it was in.
It needs no Snakemake: PyTorch, NumPy, Numba, SciPy, scikit-image, pandas, safetensors,
tqdm, tabulate, TensorStore, Zarr (with numcodecs, donfig and google-crc32c), imagecodecs,
ImageIO, ruamel.yaml and jsonschema do.
"""

import argparse
import gc
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from benchmarks import gpu_quality, gpu_speed
from benchmarks.gpu_quality import Work
from benchmarks.measuring import FOLDER, Rows, show, write

Parts = dict[str, Callable[[], Rows]]


def parts(work: Work) -> Parts:
    """All that is measured, the most wanted first."""
    sizes = gpu_speed.QUICK if work.quick else gpu_speed.FULL
    speed = {
        title: partial(part, sizes, work.device)
        for title, part in gpu_speed.PARTS.items()
    }
    quality, more = (
        {f"quality: {title}": partial(part, work) for title, part in own.items()}
        for own in (gpu_quality.PARTS, gpu_quality.MORE)
    )
    return quality | speed | more


def measure(wanted: Parts, path: Path, facts: dict[str, object]) -> None:
    """Measure part after part; one that does not fit leaves the others."""
    tables: dict[str, Rows] = {}
    if path.is_file():
        tables = json.loads(path.read_text())["tables"]
    for title, part in wanted.items():
        if title in tables and "not measured" not in tables[title][0]:
            continue
        try:
            tables[title] = part()
        except torch.OutOfMemoryError as error:
            tables[title] = [{"not measured": f"out of memory: {error}"}]
        # Recorded networks refer to themselves, and keep the GPU's memory.
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        show(title, tables[title])
        write(path.stem, tables, path.parent, **facts)
    print(f"written: {path}")


def main() -> None:
    """Read the arguments, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    own = "of each of MID's rounds; the other trainings take half of it (default: 4)"
    parser.add_argument("--minutes", type=float, default=4.0, help=own)
    own = "the folder of the real images (default: ../shared/data)"
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help=own)
    own = "of the JSON and of the models (default: results/benchmarks)"
    parser.add_argument("--folder", type=Path, default=FOLDER, help=own)
    arguments = parser.parse_args()
    device = arguments.device
    if device == "cuda" and not torch.cuda.is_available():
        parser.exit(
            1,
            f"torch {torch.__version__} sees no CUDA device: run this where there is "
            "one, or try the script with --device cpu --quick\n",
        )
    torch.manual_seed(0)
    if device == "cpu":
        print("Tried on a CPU: these are no measurements of a GPU.")
    card = torch.cuda.get_device_name() if device == "cuda" else "none: no GPU was used"
    slug = re.sub(r"\W+", "_", card.lower()) if device == "cuda" else "tried_on_cpu"
    models = arguments.folder / f"gpu_{slug}_models"
    facts = {
        "card": card,
        "minutes": arguments.minutes,
        "tf32_in_convolutions": torch.backends.cudnn.allow_tf32,
        "tf32_in_products": torch.backends.cuda.matmul.allow_tf32,
    }
    work = Work(arguments.minutes, device, arguments.data, models, arguments.quick)
    measure(parts(work), arguments.folder / f"gpu_{slug}.json", facts)


if __name__ == "__main__":
    main()

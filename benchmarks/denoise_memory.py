"""Peak resident memory of denoising and extraction, against the size of the image.

Each size runs in a process of its own, with the demo's network and default tiles; one
mask, since K masks take no more memory. Run: python -m benchmarks.denoise_memory
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import publish

SIZES = [(1000, 1500), (4000, 6000)]
LIMIT_GB = 2.0


def child(height: int, width: int, folder: Path) -> None:
    """Denoise a file of this size, extract its residual, print the peak."""
    import imageio.v3 as iio
    import numpy as np
    import torch

    from benchmarks.nafnet_step import DEMO
    from mid_core.checkpoints.model_file import save_model
    from mid_core.commands.denoise_files import denoise_files
    from mid_core.images.files import read
    from mid_core.images.picture import to_float
    from mid_core.masking import Masking
    from mid_core.networks import build
    from mid_core.noise import residual

    torch.set_num_threads(2)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    iio.imwrite(folder / "noisy.png", image, compress_level=1)
    del image
    card = {
        "network": DEMO,
        "masking": {"mask_ratio": 0.3},
        "patch_size": 64,
        "channels": 3,
    }
    network = build(DEMO)
    save_model(folder / "model.safetensors", network, card)
    target = folder / "denoised.png"
    denoise_files(
        folder / "noisy.png", target, folder / "model.safetensors", num_masks=1
    )
    denoised = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    network.set_patch_size(64)
    y = to_float(read(folder / "noisy.png").samples)
    residual(network.eval(), y, Masking(0.8), [0])
    extracted = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(denoised * 1024, extracted * 1024)


def main() -> None:
    """Print a row for each size."""
    rows = []
    for height, width in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            code = (
                "from pathlib import Path; from benchmarks.denoise_memory import child; "
                f"child({height}, {width}, Path({folder!r}))"
            )
            output = subprocess.check_output([sys.executable, "-c", code], text=True)
        denoised, both = (int(value) / 2**30 for value in output.split()[-2:])
        rows.append(
            {
                "megapixels": height * width / 1e6,
                "denoised_gb": denoised,
                "extracted_too_gb": both,
                "to_stay_below_gb": LIMIT_GB,
            }
        )
    publish("denoise_memory", {"peak memory": rows})


if __name__ == "__main__":
    main()

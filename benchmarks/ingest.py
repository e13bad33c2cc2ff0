"""Ingest of full-size photographs against decoding them and throwing the pixels away.

Run: python -m benchmarks.ingest [COUNT]
"""

import resource
import shutil
import statistics
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from os import cpu_count
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from scipy.ndimage import gaussian_filter, zoom
from skimage.data import coffee

from benchmarks.measuring import alternate, publish, ratio
from mid_core.datasets.ingesting import decode, ingest

SHAPE, DISTINCT, REPEATS, REACH = (3000, 5328, 3), 4, 3, 0.8
SIDD_MEDIUM = 320


def photograph(path: Path, seed: int) -> None:
    """Write a noisy picture as large, and as slow to decode, as one of SIDD's.

    Its noise is correlated as a camera's demosaicing leaves it: white noise would be
    faster to decode than a photograph. The file has half of its pixels' bytes.
    """
    small = coffee().astype(np.float32)
    picture = zoom(small, (SHAPE[0] / 400, SHAPE[1] / 600, 1), order=1)
    noise = np.random.default_rng(seed).standard_normal(SHAPE, np.float32)
    noise = gaussian_filter(noise, (0.6, 0.6, 0))
    picture = 0.7 * picture + 4 * np.sqrt(picture / 128) * noise / noise.std()
    iio.imwrite(path, np.clip(picture, 0, 255).astype(np.uint8), compress_level=6)


def main(count: int = 12) -> None:
    """Print seconds, ratio and peak memory, and what SIDD Medium would take."""
    threads = cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.png" for i in range(DISTINCT)]
        with ProcessPoolExecutor(threads) as pool:
            list(pool.map(photograph, paths, range(DISTINCT)))
        files = [paths[i % DISTINCT] for i in range(count)]
        items = [{"name": f"{i}.png", "image": str(p)} for i, p in enumerate(files)]
        settings = {"reader": "folders", "path": folder, "broken": "refuse"}
        store = Path(folder) / "pool/image.zarr"

        def decode_all() -> None:
            for _ in decode(items, settings, "image", threads):
                pass

        def ingest_all() -> None:
            shutil.rmtree(store.parent, ignore_errors=True)
            ingest(items, settings, "image", store, 1, threads)

        times = alternate({"decode": decode_all, "ingest": ingest_all}, REPEATS)
        stored = sum(p.stat().st_size for p in store.rglob("*") if p.is_file())
        made = sum(path.is_file() for path in store.rglob("*")) + 1
        read = sum(path.stat().st_size for path in files)
    decoding, ingesting = (statistics.median(taken) for taken in times.values())
    row = {"images": count, "read_mb": read / 2**20, "threads": threads}
    row |= {"decode_s": decoding, "ingest_s": ingesting}
    row |= {"ratio": ratio(times["decode"], times["ingest"]), "to_reach": REACH}
    row |= {"store_mb": stored / 2**20, "files": made}
    row["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    share = SIDD_MEDIUM / count
    medium = {"images": SIDD_MEDIUM, "minutes": share * ingesting / 60}
    medium |= {"store_gb": share * stored / 2**30, "files": round(share * made)}
    title = f"PNG of {SHAPE[1]}x{SHAPE[0]}, against decoding and throwing away"
    publish("ingest", {title: [row], "SIDD Medium would take": [medium]})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""Does ``folders.yaml`` suit any camera? Its tables on ten kinds of noise.

    python -m benchmarks.any_camera ../shared/data --cores 2 [--sets sidd12 ...]

Each set is laid out as a user would have it: a folder of clean images, one of noisy ones,
and pairs that only score. Then ``config/folders.yaml`` runs on it as it is, but for the
paths. The rows of all tables go to docs/measurements/any_camera.csv; those of other sets,
variants and seeds that are there already stay.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pandas as pd
import yaml

from benchmarks.kept import merged
from benchmarks.look import CAMERAS, at_iso
from mid_core.datasets import camera

WORK = Path("results/any_camera")
TABLE = Path("docs/measurements/any_camera.csv")
SIDE = 256
VARIANTS = {
    "auto": {},
    "no_mask": {
        "initial_noise": "awgn",
        "rounds": [{"mask_ratio": 0}],
        "training": {"iterations": 9000},
    },
}
KEYS = ["set", "variant", "round", "k", "seed"]
VALUES = ["psnr_db", "noisy_psnr_db", "n_images", "train_seconds"]
Images = list[np.ndarray]


def read(path: Path) -> np.ndarray:
    """Read an image as it is stored."""
    return iio.imread(path)


def pairs_of(folder: Path, noisy: str, clean: tuple[str, str]) -> list[tuple]:
    """Noisy images of a folder with their truths, whose names differ by a word."""
    files = sorted(folder.glob(noisy))
    return [(read(f), read(f.with_name(f.name.replace(*clean)))) for f in files]


def polyu_means(data: Path) -> Images:
    """Clean crops of DSLRs: means of many shots."""
    return [read(f) for f in sorted((data / "polyu_crops").glob("*_mean.JPG"))]


def kodak(data: Path) -> Images:
    """Clean photographs of many colours."""
    return [read(f) for f in sorted((data / "kodak").glob("*.png"))]


def corners(pairs: list[tuple]) -> list[tuple]:
    """Take what is scored of them: the top-left square."""
    return [(y[:SIDE, :SIDE], x[:SIDE, :SIDE]) for y, x in pairs]


def sidd12(data: Path) -> tuple[Images, Images, list[tuple]]:
    """Clean images, noisy images, and the pairs that are scored."""
    pairs = pairs_of(data / "sidd_samples", "NOISY_*.png", ("NOISY", "GT"))
    return polyu_means(data), [y for y, _ in pairs], corners(pairs)


def sidd12_held_out(data: Path) -> tuple[Images, Images, list[tuple]]:
    """The noise of every second sample, scored on the others."""
    pairs = pairs_of(data / "sidd_samples", "NOISY_*.png", ("NOISY", "GT"))
    return polyu_means(data), [y for y, _ in pairs[::2]], corners(pairs[1::2])


def polyu(data: Path) -> tuple[Images, Images, list[tuple]]:
    """Noisy crops of every second scene, clean ones of the other scenes."""
    folder = data / "polyu_crops"
    files = sorted(folder.glob("*_real.JPG"))
    scenes = sorted({f.name.rsplit("_", 2)[0] for f in files})
    own = [f for f in files if f.name.rsplit("_", 2)[0] in scenes[::2]][:50]
    others = [f for f in files if f.name.rsplit("_", 2)[0] in scenes[1::2]]
    mean = ("_real", "_mean")
    clean = [read(f.with_name(f.name.replace(*mean))) for f in others]
    chosen = np.linspace(0, len(own) - 1, 20).astype(int)
    scored = [(own[i], own[i].with_name(own[i].name.replace(*mean))) for i in chosen]
    pairs = [(read(y), read(x)) for y, x in scored]
    return clean, [read(f) for f in own], corners(pairs)


def simulated(scale: float) -> Callable[[Path], tuple[Images, Images, list[tuple]]]:
    """The embedded photos under a camera of so many times the demo's noise variance."""

    def made(data: Path) -> tuple[Images, Images, list[tuple]]:
        with at_iso(scale):
            clean = taken("clean", 3, None, "image")
            noisy = taken("noisy", 4, 512, "image")
            tests = taken("test", 3, 448, "image"), taken("test", 3, 448, "truth")
        return clean, noisy, list(zip(*tests, strict=True))

    return made


def taken(part: str, shots: int, crop: int | None, stack: str) -> Images:
    """Photograph a part of the embedded photos."""
    settings = {"part": part, "shots": shots, "seed": 0}
    settings |= {"crop": crop} if crop else {}
    items = camera.find(settings).items
    return [camera.read(item, stack, settings) for item in items]


def white(sigma: float) -> Callable[[Path], tuple[Images, Images, list[tuple]]]:
    """Kodak's photos with white noise, rounded to 8 bits and clipped."""

    def made(data: Path) -> tuple[Images, Images, list[tuple]]:
        rng, clean = np.random.default_rng(0), kodak(data)
        added = [x + rng.normal(0, sigma, x.shape) for x in clean]
        noisy = [np.clip(np.round(y), 0, 255).astype(np.uint8) for y in added]
        return polyu_means(data), noisy, corners(list(zip(noisy, clean, strict=True)))

    return made


def fmd(of_bpae: bool) -> Callable[[Path], tuple[Images, Images, list[tuple]]]:
    """One fold: scored on one kind of sample, with clean images of the others."""

    def made(data: Path) -> tuple[Images, Images, list[tuple]]:
        folder = data / "fmd"
        truths = sorted((folder / "gt").glob("*.png"))
        own = [f for f in truths if ("BPAE" in f.name) == of_bpae]
        clean = [read(f) for f in truths if f not in own]
        noisy = [read(f) for f in sorted((folder / "raw").glob("*.png"))]
        return clean, noisy, [(read(folder / "raw" / f.name), read(f)) for f in own]

    return made


def sidd_low(data: Path) -> tuple[Images, Images, list[tuple]]:
    """A phone at low ISO, whose noise is its own."""
    pairs = pairs_of(data / "sidd_low_noise", "NOISY_*.png", ("NOISY", "GT"))
    return polyu_means(data) + kodak(data), [y for y, _ in pairs], corners(pairs)


SETS = {
    "sidd12": sidd12,
    "camera_demo": simulated(CAMERAS["camera_demo"]),
    "fmd_bpae": fmd(True),
    "polyu": polyu,
    "sidd_low": sidd_low,
    "white_25": white(25),
    "camera_mild": simulated(CAMERAS["camera_mild"]),
    "camera_strong": simulated(CAMERAS["camera_strong"]),
    "fmd_other": fmd(False),
    "white_10": white(10),
    "white_50": white(50),
    "sidd12_held_out": sidd12_held_out,
}


def lay_out(name: str, data: Path) -> Path:
    """Write a set's folders, once."""
    folder = WORK / "sets" / name
    if folder.exists():
        return folder
    clean, noisy, pairs = SETS[name](data)
    part = folder.with_name(f"{name}.partial")
    stacks = {"clean": clean, "noisy": noisy}
    stacks["test_noisy"], stacks["test_clean"] = zip(*pairs, strict=True)
    for stack, images in stacks.items():
        (part / stack).mkdir(parents=True, exist_ok=True)
        for i, image in enumerate(images):
            iio.imwrite(part / stack / f"{i:03d}.png", image)
    part.rename(folder)
    return folder


def config_of(name: str, seed: int, variants: list[str], folder: Path) -> Path:
    """Write what is laid over ``folders.yaml``."""
    pools = {
        n: {"reader": "folders", "path": f"{folder}/{n}"} for n in ("clean", "noisy")
    }
    truth = {"path": f"{folder}/test_clean"}
    pools["pairs"] = {
        "reader": "folders",
        "path": f"{folder}/test_noisy",
        "truth": truth,
    }
    changes = {
        "dataset": f"any_camera_{name}_{seed}",
        "pools": pools,
        "tests": ["pairs"],
        "method": {"seed": seed},
        "variants": {v: VARIANTS[v] for v in variants} | {"mid": {}},
        "paper": None,
        "tables": {"rounds": variants},
        "figures": {"variant": variants[0]},
        "runtime": {"threads": 1},
    }
    path = WORK / f"{name}_{seed}.yaml"
    path.write_text(yaml.safe_dump(changes, sort_keys=False))
    return path


def rows_of(name: str, seed: int) -> pd.DataFrame:
    """The rows of a run's table of rounds, as this benchmark has them."""
    folder = Path(f"results/any_camera_{name}_{seed}/tables")
    table = pd.read_csv(folder / "rounds.csv")
    table = table[table["protocol"] == table["protocol"].iloc[0]]
    noisy = table.loc[table["variant"] == "noisy", "psnr_db"].iloc[0]
    table = table[table["variant"] != "noisy"]
    kept = ["variant", "round", "k", "psnr_db", "n_images", "train_seconds"]
    table = table[kept].astype({"round": int})
    return table.assign(set=name, seed=seed, noisy_psnr_db=noisy)


def main() -> None:
    """Run what is asked for, and keep its rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the shared images")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS))
    asked = parser.parse_args()
    for seed in asked.seeds:
        for name in asked.sets:
            folder = lay_out(name, asked.data)
            own = config_of(name, seed, asked.variants, folder)
            snakemake = [sys.executable, "-m", "snakemake", "--cores", str(asked.cores)]
            command = [*snakemake, "--configfile", "config/folders.yaml", str(own)]
            subprocess.run(command, check=True)
            table = merged(TABLE, rows_of(name, seed), KEYS, VALUES)
            table.sort_values(KEYS).round(3).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()

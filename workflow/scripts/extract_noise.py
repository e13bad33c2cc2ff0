"""Draw the noise bank N_k: what D_{k-1} leaves of the real noisy images."""

import json
from pathlib import Path

import torch

from mid_core.checkpoint import load_model
from mid_core.devices import pick_device
from mid_core.images import to_float
from mid_core.inference import residual
from mid_core.masking import image_seed
from mid_core.noise import Statistics
from mid_core.progress import Progress, run_rule
from mid_core.sampling import Masking
from mid_core.store import PartWriter, Store, finish, lay_out, store_path


def main() -> None:
    settings, version = snakemake.params.settings, snakemake.params.version
    torch.set_num_threads(snakemake.threads)
    noisy = Store(store_path(snakemake.input.noisy))
    made = {
        "made_by": {"stage": "extract_noise", "version": version},
        "settings": settings,
        "model": json.loads(Path(snakemake.input.model).read_text())["sha256"],
        "noisy": noisy.content,
    }
    path, known = store_path(snakemake.output.seal), (noisy.names, noisy.sizes)
    lay_out(path, "noise", made, *known, "float16", noisy.channels)
    bank = PartWriter(path)
    extract(noisy, bank)
    statistics = Statistics()
    for i, (_, image) in enumerate(noisy):
        noise = bank.read(i)
        statistics.add(noise, to_float(image) - noise)
    finish(path, made | {"statistics": statistics.summary()})


def extract(noisy: Store, bank: PartWriter) -> None:
    """Write the residuals that are not there yet."""
    settings, runtime = snakemake.params.settings, snakemake.config["runtime"]
    weights = Path(snakemake.input.model).with_suffix(".safetensors")
    network, _ = load_model(weights, pick_device(runtime["device"]))
    masking, stream = Masking(**settings["masking"]), f"extract/{settings['round']}"
    wanted = bank.wanted()
    title = f"noise for {snakemake.wildcards.variant}, round {settings['round']}"
    report = Progress(title, len(noisy), "image", len(noisy) - len(wanted))
    for i in wanted:
        y = to_float(noisy.read(i))
        seed = image_seed(settings["seed"], stream, noisy.names[i])
        masks, tile = settings["masks"], runtime["tile"]
        bank.put(i, residual(network, y, masking, seed, masks, tile, report))


run_rule(main, snakemake.log[0])

"""Draw the noise bank N_k: what D_{k-1} leaves of the real noisy images."""

import json
from pathlib import Path

import torch

from mid_config.rounds import extraction_gpus
from mid_core.checkpoints.model_file import load_model
from mid_core.evaluation.noise_statistics import Statistics
from mid_core.images.picture import to_float
from mid_core.jobs.looking import chosen_brightness, settled
from mid_core.jobs.rule import run_rule
from mid_core.masking import Masking, image_seed
from mid_core.noise import residual
from mid_core.runtime.devices import pick_device
from mid_core.runtime.distributed import SINGLE_PROCESS, ProcessGroup
from mid_core.runtime.interruption import Stop, until_stopped
from mid_core.runtime.launching import launch
from mid_core.runtime.progress import Progress, log
from mid_core.store import PartWriter, Store, StoreWriter, store_path


def main() -> None:
    settings, version = snakemake.params.settings, snakemake.params.version
    noisy = Store.of(snakemake.input.noisy)
    path = store_path(snakemake.output.manifest)
    made = {
        "made_by": {"stage": "extract_noise", "version": version},
        "settings": settings,
        "model": json.loads(Path(snakemake.input.model).read_text())["sha256"],
        "noisy": noisy.content,
    }
    # No matter for the numbers, and so not among the params.
    method = snakemake.config["variants"][snakemake.wildcards.variant]
    processes = extraction_gpus(method, int(snakemake.wildcards.k))
    device = snakemake.config["runtime"]["device"]
    with StoreWriter(path, "noise", made) as store:
        store.lay_out(noisy.names, noisy.sizes, "float16", noisy.channels)
        if processes > 1:
            launch(extract, processes, device, Stop())
        else:
            extract(SINGLE_PROCESS, pick_device(device))
        bank, statistics = PartWriter(path), Statistics()
        for i, (_, image) in until_stopped(enumerate(noisy)):
            noise = bank.read(i)
            statistics.add(noise, to_float(image) - noise)
        store.attributes = made | {"statistics": statistics.summary()}


def extract(group: ProcessGroup, device: torch.device) -> None:
    """Write the residuals of this process's part of the images, unless they are there."""
    torch.set_num_threads(max(1, snakemake.threads // group.size))
    settings, runtime = snakemake.params.settings, snakemake.config["runtime"]
    noisy = Store.of(snakemake.input.noisy)
    bank = PartWriter(store_path(snakemake.output.manifest), group.rank, group.size)
    network, card = load_model(snakemake.input.model, device)
    masking = Masking(**settled(settings["masking"], card))
    stream = f"extract/{settings['round']}"
    brightness = chosen_brightness(settings, snakemake.input)
    wanted = bank.wanted()
    title = f"noise for {snakemake.wildcards.variant}, round {settings['round']}"
    log.info("%s on %d x %s", title, group.size, device)
    total = len(noisy) if group.size == 1 else len(wanted)
    report = Progress(title, total, "image", total - len(wanted))
    for i in until_stopped(wanted):
        y = to_float(noisy.read(i))
        seed = image_seed(settings["seed"], stream, noisy.names[i])
        masks, tile = settings["num_masks"], runtime["tile"]
        options = masks, tile, report, brightness
        bank.put(i, residual(network, y, masking, seed, *options))


if __name__ == "__main__":
    run_rule(main, snakemake.log[0])

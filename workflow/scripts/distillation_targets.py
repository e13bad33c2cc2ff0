"""Write a teacher's predictions of the noisy images: the targets of a small network."""

import json
from pathlib import Path

import torch

from mid_core.brightness import brightness_error
from mid_core.checkpoints.model_file import load_model
from mid_core.ensemble import denoise
from mid_core.images.picture import to_dtype, to_float
from mid_core.jobs.looking import chosen_brightness
from mid_core.jobs.rule import run_rule
from mid_core.masking import Masking, image_seed
from mid_core.runtime.devices import pick_device
from mid_core.runtime.interruption import until_stopped
from mid_core.runtime.progress import Progress
from mid_core.store import PartWriter, Store, StoreWriter, store_path


def main() -> None:
    settings, version = snakemake.params.settings, snakemake.params.version
    torch.set_num_threads(snakemake.threads)
    noisy = Store.of(snakemake.input.noisy)
    card = json.loads(Path(snakemake.input.model).read_text())
    made = {
        "made_by": {"stage": "distillation_targets", "version": version},
        "settings": settings,
        "model": card["sha256"],
        "noisy": noisy.content,
    }
    # Where nothing is hidden, all targets of an image would be the same.
    each = settings["targets"] if card["masking"]["mask_ratio"] else 1
    names = [f"{name}, target {t}" for name in noisy.names for t in range(each)]
    sizes = [size for size in noisy.sizes for _ in range(each)]
    path = store_path(snakemake.output.manifest)
    # Rounded as the noisy images are, to 0.3 grey levels of 8 bits: far below what one
    # prediction differs from the next.
    with StoreWriter(path, "image", made) as store:
        store.lay_out(names, sizes, noisy.dtype.name, noisy.channels)
        teach(noisy, PartWriter(path), each)
        store.attributes = made


def teach(noisy: Store, targets: PartWriter, each: int) -> None:
    """Write what is not there yet of an image's predictions, with masks of their own."""
    settings, runtime = snakemake.params.settings, snakemake.config["runtime"]
    network, card = load_model(snakemake.input.model, pick_device(runtime["device"]))
    brightness = chosen_brightness(settings, snakemake.input)
    masking, wanted = Masking(**card["masking"]), targets.wanted()
    title, total = f"targets of {snakemake.wildcards.variant}", each * len(noisy)
    report = Progress(title, total, "image", total - len(wanted))
    for i in until_stopped(wanted):
        image, target = divmod(i, each)
        y, name = to_float(noisy.read(image)), noisy.names[image]
        seed = image_seed(settings["seed"], f"distillation_targets/{target}", name)
        masks, tile = [settings["num_masks"]], runtime["tile"]
        (x_hat,) = denoise(network, y, masking, seed, masks, tile, report)
        x_hat -= brightness_error(x_hat, y, brightness)
        targets.put(i, to_dtype(x_hat, noisy.dtype))


run_rule(main, snakemake.log[0])

"""Draw held-out images that are masked, inpainted, and whole."""

import torch

from mid_core.checkpoints.model_file import load_model
from mid_core.ensemble import denoise
from mid_core.figures.crops import crops_figure, scored_crops
from mid_core.figures.style import draw
from mid_core.figures.windows import telling_window
from mid_core.images.picture import to_float
from mid_core.jobs.rule import run_rule
from mid_core.masking import Masking, image_seed, mask_rows
from mid_core.runtime.devices import pick_device
from mid_core.store import Store, pairs


def main() -> None:
    params, runtime = snakemake.params, snakemake.config["runtime"]
    torch.set_num_threads(snakemake.threads)
    device = pick_device(runtime["device"], needed=False)
    network, _ = load_model(snakemake.input.model, device)
    masking, images = Masking(**params.settings["masking"]), {}
    clean = Store.of(snakemake.input.clean)
    for name, image, _ in pairs(clean, clean, params.crops):
        x = to_float(image)
        height, width, colours = x.shape
        seed = image_seed(params.settings["seed"], "evaluate", name)
        (x_hat,) = denoise(network, x, masking, seed, [1], runtime["tile"])
        # The mask that the network saw.
        whole = ((0, height), (0, width), width, masking.channels(colours))
        mask = mask_rows([*seed, 0], *whole, masking.mask_ratio)
        shown = masking.apply(torch.from_numpy(x), torch.from_numpy(mask))
        masked = shown[..., :colours].numpy()
        window, _ = telling_window(x, params.size)
        # The test's names are those of its noisy images.
        own = f"truth of {name}"
        versions = {"masked": masked, "inpainted": x_hat.clip(0, 1), "original": x}
        images[own] = scored_crops(versions, x, window)
    draw(crops_figure, images, to=snakemake.output)


run_rule(main, snakemake.log[0])

"""Draw crops before and after, round by round."""

import numpy as np
import torch

from mid_core.checkpoints.model_file import load_model
from mid_core.ensemble import denoise
from mid_core.figures.crops import crops_figure, scored_crops
from mid_core.figures.style import draw
from mid_core.figures.windows import CANDIDATES, most_telling
from mid_core.images.picture import to_float
from mid_core.jobs.looking import answering
from mid_core.jobs.rule import run_rule
from mid_core.masking import image_seed
from mid_core.runtime.devices import pick_device
from mid_core.store import Store, pairs


def main() -> None:
    params, runtime = snakemake.params, snakemake.config["runtime"]
    torch.set_num_threads(snakemake.threads)
    device = pick_device(runtime["device"], needed=False)
    models = [load_model(card, device) for card in snakemake.input.models]
    noisy = Store.of(snakemake.input.test)
    clean = Store.of(snakemake.input.truth)
    rows = {}
    candidates = list(pairs(noisy, clean, CANDIDATES * params.crops))
    how = params.size, params.crops
    shown = most_telling(candidates, lambda one: to_float(one[2]), *how)
    for (name, image, truth), window in shown:
        y, x = to_float(image), to_float(truth)
        versions = {"noisy": y}
        for k, ((network, card), settings) in enumerate(
            zip(models, params.rounds, strict=True)
        ):
            seed = image_seed(settings["seed"], "evaluate", name)
            masking, counts = answering(settings, card)
            masks = counts[-1:]
            estimate = denoise(network, y, masking, seed, masks, runtime["tile"])[0]
            versions[f"round {k}, K = {masks[0]}"] = np.clip(estimate, 0, 1)
        versions["truth"] = x
        rows[name] = scored_crops(versions, x, window)
    draw(crops_figure, rows, to=snakemake.output)


run_rule(main, snakemake.log[0])

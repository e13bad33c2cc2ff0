"""Whether a model keeps the colour of flat fields: 27 colours under white noise.

    python -m benchmarks.flat_colours results/demo/mid/round_1/model.safetensors

It prints a CSV. Each row is a field of 96x96 pixels in one colour, with white noise,
rounded and clipped to 8 bits; K = 4 predictions, the model's own mask ratio. The errors
are means over the field without a margin of 8 pixels, estimate minus noisy field, in
grey levels of 255.
"""

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mid_core.checkpoints.model_file import load_model
from mid_core.ensemble import denoise
from mid_core.images.picture import to_float
from mid_core.masking import Masking

LEVELS, SIGMAS = (32, 128, 224), (6, 12, 25)
SIDE, MARGIN, NUM_MASKS = 96, 8, 4


def errors(model: Path) -> pd.DataFrame:
    """Return a row for each colour and noise level."""
    network, card = load_model(model, torch.device("cpu"))
    masking, rows = Masking(**card["masking"]), []
    inner = slice(MARGIN, -MARGIN)
    for sigma, colour in itertools.product(SIGMAS, itertools.product(LEVELS, repeat=3)):
        rng = np.random.default_rng([sigma, *colour])
        noise = sigma * rng.standard_normal((SIDE, SIDE, 3))
        y = np.clip(np.round(np.array(colour) + noise), 0, 255).astype(np.uint8)
        (x_hat,) = denoise(network, to_float(y), masking, [0], [NUM_MASKS])
        error = 255 * x_hat[inner, inner].mean((0, 1)) - y[inner, inner].mean((0, 1))
        names = dict(zip(("red", "green", "blue"), colour, strict=True))
        off = dict(zip(("d_red", "d_green", "d_blue"), error.round(2), strict=True))
        rows.append({"sigma": sigma} | names | off)
    return pd.DataFrame(rows)


def main() -> None:
    """Print the table, and its largest errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="a model.safetensors")
    table = errors(parser.parse_args().model)
    table.to_csv(sys.stdout, index=False)
    largest = table.filter(like="d_").abs().max(axis=1)
    print(
        largest.groupby(table["sigma"]).agg(["max", "mean"]).round(2), file=sys.stderr
    )


if __name__ == "__main__":
    main()

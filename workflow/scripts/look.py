"""Look at what the noise of a pool's images is like, without the truth."""

from pathlib import Path

import numpy as np

from mid_core.cameras import MOST_IMAGES, to_plain, together
from mid_core.errors import MidError
from mid_core.images.picture import to_float
from mid_core.jobs.rule import run_rule
from mid_core.look import BLOCK, look
from mid_core.runtime.progress import log
from mid_core.store import Store, write_json


def main() -> None:
    noisy = Store.of(snakemake.input.noisy)
    large = [i for i, size in enumerate(noisy.sizes) if min(size) >= 2 * BLOCK]
    if not large:
        raise MidError(
            f"{noisy.path} has no image of at least {2 * BLOCK} pixels a side, in which "
            "noise can be measured: set initial_noise awgn and brightness predicted"
        )
    spread = np.linspace(0, len(large) - 1, min(len(large), MOST_IMAGES))
    chosen = [large[i] for i in spread.round().astype(int)]
    camera = together([look(to_float(noisy.read(i))) for i in chosen])
    levels = [255 * one.mean_level for one in camera.looks]
    kind = "white" if camera.is_white else "correlated"
    log.info(
        "%d images: noise is %s, median level %.1f of 255",
        len(chosen),
        kind,
        np.median(levels),
    )
    names = [noisy.names[i] for i in chosen]
    made = {"stage": "look", "version": snakemake.params.version}
    found = {"made_by": made, "noisy": noisy.content, "images": names}
    write_json(Path(snakemake.output[0]), found | to_plain(camera))


run_rule(main, snakemake.log[0])

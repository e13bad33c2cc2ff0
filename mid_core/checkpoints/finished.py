"""What a finished training leaves, kept where nobody but its owner deletes it.

Snakemake deletes the outputs of a job that it takes for failed or for cut: a clock was
late, or it was itself killed while the job went on. The files therefore lie under the
training's key, and the round's own are links to them: they take no room of their own.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from mid_core.runtime.files import sha256, written_whole

WEIGHTS, HISTORY, CARD = "model.safetensors", "history.csv", "model.json"
log = logging.getLogger("mid")


def is_finished(folder: Path) -> bool:
    """Whether a training's folder has its model, whole, and all that goes with it."""
    if not (folder / CARD).is_file():
        return False
    try:
        made = json.loads((folder / CARD).read_text())["sha256"]
        whole = sha256(folder / WEIGHTS) == made and (folder / HISTORY).is_file()
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        log.warning("the finished model in %s is damaged and is not used", folder)
    return whole


def is_kept(card: Path) -> bool:
    """Whether a model is such a one, not that of a round."""
    return card.parent.match("round_*/training/*")


def put_back(folder: Path, outputs: Iterable[Path | str]) -> None:
    """Make a round's files anew of those in its training's folder, of the same names.

    They count as written now: Snakemake wants them newer than what they are made from.
    """
    for output in map(Path, outputs):
        kept = folder / output.name
        # Hours after Snakemake made the folder, it may be gone.
        output.parent.mkdir(parents=True, exist_ok=True)
        output.unlink(missing_ok=True)
        try:
            os.link(kept, output)
        # Not every file system has links.
        except OSError:
            with kept.open("rb") as source, written_whole(output) as file:
                shutil.copyfileobj(source, file)
        output.touch()

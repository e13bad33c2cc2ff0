"""The model that `mid denoise` takes where it is given none."""

import json
from pathlib import Path

from mid_core.errors import MidError

# Written by the workflow when a run ends well.
RECORD = "last_model.json"


def last_model(folder: Path) -> Path:
    """Return the model of the last round of the run that ended last.

    Parameters
    ----------
    folder
        In which runs keep their ``results``.

    Raises
    ------
    MidError
        If no run ended here, or its model is gone.
    """
    records = list((folder / "results").glob(f"*/{RECORD}"))
    if not records:
        raise MidError(
            "no run ended in this folder, so there is no model yet: name one with "
            "--model, or train one on your images: write their folders into "
            "config/folders.yaml, then snakemake --cores 2 --configfile "
            "config/folders.yaml"
        )
    newest = max(records, key=lambda record: record.stat().st_mtime)
    model = folder / json.loads(newest.read_text())["model"]
    if not model.is_file():
        raise MidError(
            f"{newest} names the model {model}, which is gone: name another with --model"
        )
    print(f"model: {model}")
    return model

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
        In which the workflow keeps its ``results``; or with output folders of
        ``mid run``, or one of them itself.

    Raises
    ------
    MidError
        If no run ended here, or its model is gone.
    """
    runs = ("", "mid/", "*/mid/")
    records = [p for r in runs for p in folder.glob(f"{r}results/*/{RECORD}")]
    if not records:
        raise MidError(
            "no run ended in this folder, so there is no model yet: name one with "
            "--model, or train one on your images: mid run FOLDER OUT"
        )
    newest = max(records, key=lambda record: record.stat().st_mtime)
    model = newest.parents[2] / json.loads(newest.read_text())["model"]
    if not model.is_file():
        raise MidError(
            f"{newest} names the model {model}, which is gone: name another with --model"
        )
    print(f"model: {model}")
    return model

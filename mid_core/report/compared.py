"""The pictures of the before/after slider."""

import json
from pathlib import Path

from PIL import Image

from mid_core.report.pictures import webp_uri


def read_compared(index: Path | str) -> dict:
    """Read what the rule ``compare_images`` wrote, the pictures as data URIs.

    Parameters
    ----------
    index
        Its ``index.json``.

    Returns
    -------
    The index, and for each picture also ``src``, ``width`` and ``height``.
    """
    index = Path(index)
    found = json.loads(index.read_text())
    for one in found["images"]:
        for method in one["methods"]:
            with Image.open(index.parent / method["file"]) as picture:
                width, height = picture.size
                method |= {"width": width, "height": height, "src": webp_uri(picture)}
    return found

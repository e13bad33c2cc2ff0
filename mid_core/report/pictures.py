"""Pictures inside an HTML file, as data URIs."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image


def png_uri(path: Path | str) -> str:
    """Return a PNG file as it is."""
    return _uri("png", Path(path).read_bytes())


def printed_width(path: Path | str) -> int:
    """Return how wide a PNG file says that it is, in pixels of CSS: 96 to an inch."""
    with Image.open(path) as picture:
        dots, _ = picture.info.get("dpi", (96, 96))
        return round(96 * picture.width / dots)


def webp_uri(image: Image.Image) -> str:
    """Return an 8-bit picture as WebP without loss: two thirds of a PNG's size."""
    file = io.BytesIO()
    image.save(file, "WEBP", lossless=True)
    return _uri("webp", file.getvalue())


def mosaic(patches: list[np.ndarray], columns: int = 4) -> Image.Image:
    """Lay noise patches out around mid grey, twice as strong as they are.

    Parameters
    ----------
    patches
        (S, S, C) each, in units of the range [0, 1]; as many as fill whole rows.
    """
    rows = [patches[i : i + columns] for i in range(0, len(patches), columns)]
    whole = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    samples = np.clip(0.5 + 2 * whole.astype(np.float32), 0, 1)
    samples = np.rint(255 * samples).astype(np.uint8)
    return Image.fromarray(samples if samples.shape[2] == 3 else samples[..., 0])


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"

"""Pictures inside an HTML file, as data URIs."""

import base64
import io
from pathlib import Path

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


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"

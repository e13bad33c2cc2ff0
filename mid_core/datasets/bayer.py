"""One colour a pixel, as a sensor sees, and back to three.

Source: Malvar et al. 2004, "High-Quality Linear Interpolation for Demosaicing of
Bayer-Patterned Color Images".
"""

import numpy as np
from scipy.ndimage import convolve

# Malvar et al. 2004, figure 2, in eighths: bilinear interpolation plus the Laplacian of
# the colour that was measured at the pixel.
_GREEN = np.array(
    [
        [0, 0, -1, 0, 0],
        [0, 0, 2, 0, 0],
        [-1, 2, 4, 2, -1],
        [0, 0, 2, 0, 0],
        [0, 0, -1, 0, 0],
    ],
    np.float32,
)
_BESIDE = np.array(
    [
        [0, 0, 0.5, 0, 0],
        [0, -1, 0, -1, 0],
        [-1, 4, 5, 4, -1],
        [0, -1, 0, -1, 0],
        [0, 0, 0.5, 0, 0],
    ],
    np.float32,
)
_ACROSS = np.array(
    [
        [0, 0, -1.5, 0, 0],
        [0, 2, 0, 2, 0],
        [-1.5, 0, 6, 0, -1.5],
        [0, 2, 0, 2, 0],
        [0, 0, -1.5, 0, 0],
    ],
    np.float32,
)


def mosaic(scene: np.ndarray) -> np.ndarray:
    """Keep one colour a pixel, in the Bayer order RGGB: (H, W, 3) to (H, W)."""
    raw = scene[..., 1].copy()
    raw[::2, ::2] = scene[::2, ::2, 0]
    raw[1::2, 1::2] = scene[1::2, 1::2, 2]
    return raw


def demosaic(raw: np.ndarray) -> np.ndarray:
    """Interpolate linearly, corrected by gradients (Malvar et al. 2004).

    Parameters
    ----------
    raw : float32 (H, W), Bayer RGGB from the top left corner, any size.

    Returns
    -------
    float32 (H, W, 3). Affine colours are reproduced exactly, but for the outer two
    pixels; bilinear interpolation would smooth the noise more than SIDD's is.
    """

    def filtered(kernel: np.ndarray) -> np.ndarray:
        # "mirror" leaves out the edge pixel itself, which keeps the Bayer order.
        return convolve(raw, kernel / 8, mode="mirror")

    beside, above, across = filtered(_BESIDE), filtered(_BESIDE.T), filtered(_ACROSS)
    green = filtered(_GREEN)
    green[::2, 1::2] = raw[::2, 1::2]
    green[1::2, ::2] = raw[1::2, ::2]
    red = raw.copy()
    red[::2, 1::2] = beside[::2, 1::2]
    red[1::2, ::2] = above[1::2, ::2]
    red[1::2, 1::2] = across[1::2, 1::2]
    blue = raw.copy()
    blue[1::2, ::2] = beside[1::2, ::2]
    blue[::2, 1::2] = above[::2, 1::2]
    blue[::2, ::2] = across[::2, ::2]
    return np.stack([red, green, blue], axis=2)

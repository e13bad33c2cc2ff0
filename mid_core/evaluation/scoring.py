"""Scores of a test: a row for each image, K and protocol."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

import numpy as np

from mid_core.evaluation.metrics import scores
from mid_core.store import Store


def same_images(noisy: Store, clean: Store, test: str) -> dict[str, str]:
    """Return what must be equal among scores that are compared.

    Returns
    -------
    ``dataset``, ``split``, the name of the ``test``, and ``content``: a hash of its
    images and their truths.
    """
    content = sha256(f"{noisy.content} {clean.content}".encode()).hexdigest()[:12]
    about = {key: noisy.attributes[key] for key in ("dataset", "split")}
    return about | {"test": test, "content": content}


def image_rows(
    y: np.ndarray,
    x: np.ndarray,
    estimates: Mapping[int, np.ndarray],
    protocols: Sequence[str],
) -> list[dict]:
    """Score the estimates of one image, and the image itself.

    Parameters
    ----------
    y, x
        Noisy image and its truth, float32 (H, W, C) in [0, 1].
    estimates
        For each K an estimate of the truth; it is clipped to [0, 1].
    protocols
        Of PSNR (dB) and SSIM; see ``metrics``.

    Returns
    -------
    A row for each K and protocol: ``k``, ``protocol``, ``psnr_db``, ``ssim``, and those
    of the noisy image.
    """
    noisy, rows = scores(y, x, protocols), []
    for k, x_hat in estimates.items():
        own = scores(np.clip(x_hat, 0, 1), x, protocols)
        for now, before in zip(own, noisy, strict=True):
            of_noisy = {f"noisy_{key}": before[key] for key in ("psnr_db", "ssim")}
            rows.append({"k": k} | now | of_noisy)
    return rows

"""What came out, in a sentence or two: how a report begins."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def lead(compared: Mapping[str, Any] | None, judged: pd.DataFrame) -> str:
    """Say how much better the pictures became, and whether noise was taken out.

    Parameters
    ----------
    compared
        The index of the slider's pictures; None without any.
    judged
        As ``judged_table`` returns it; the last round of its first variant counts.

    Returns
    -------
    The gain in the windows that are shown, where truths are known; then what was taken
    out, which is judged without them.
    """
    sentences = _gain(compared) if compared and compared["protocol"] else []
    own = judged[judged["variant"] == judged["variant"].iloc[0]]
    last = own.loc[own["round"].idxmax()]
    if pd.isna(last["noise_level"]):
        return " ".join([*sentences, "The images are too small to judge their noise."])
    said = (
        f"These images show noise of {last['noise_level']:.1f} grey levels of 255. "
        f"{last['residual_std']:.1f} were taken out, and "
        f"{last['structure_share']:.0%} of its power is structure: {last['verdict']}."
    )
    return " ".join([*sentences, said])


def _gain(compared: Mapping[str, Any]) -> list[str]:
    """Compare the noisy windows with the shown method's, by mean PSNR."""
    pairs = []
    for image in compared["images"]:
        found = {one["key"]: one["psnr_db"] for one in image["methods"]}
        pairs.append((found["noisy"], found[compared["shown"]]))
    # A window that equals its truth has none.
    known = [pair for pair in pairs if None not in pair]
    if not known:
        return []
    noisy, shown = np.mean(known, axis=0)
    gain = f"takes PSNR from {noisy:.1f} dB to {shown:.1f} dB"
    return [f"In the windows below, denoising {gain}."]

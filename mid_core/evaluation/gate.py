"""The gate before a round: a bank that cannot be the camera's noise stops it."""

from collections.abc import Mapping

import numpy as np

from mid_core.errors import MidError

SYMPTOMS = {
    "leakage": "share that brightness and edges of the images explain",
    "kurtosis": "3 for Gaussian noise, more for edges: strong but rare",
    "clipped": "share under black or white pixels, which cut it off",
    "pinned": "share at its lowest or highest value: cut off, or constant",
    "zeros": "share that is exactly 0",
    "not_finite": "share that is NaN or infinite",
}
MEANINGS = {
    "mean": "how far the last network shifts the brightness of a colour, of 255",
    "std": "the spread of the noise, of 255",
    **SYMPTOMS,
}


def measure(statistics: Mapping) -> dict[str, float]:
    """Return what the gate looks at, of the statistics of a bank of residuals.

    Keys are those of ``MEANINGS``; ``mean``, of the colour where it is largest, and
    ``std`` are in grey levels of 255, shares in [0, 1].
    """
    own = {
        "mean": 255 * float(np.abs(statistics["mean"]).max()),
        "std": 255 * float(np.sqrt(np.square(statistics["std"]).mean())),
    }
    return {key: own[key] if key in own else statistics[key] for key in MEANINGS}


def check_bank(statistics: Mapping, limits: Mapping, bank: str, what: str) -> dict:
    """Stop if the statistics of a bank of residuals are beyond their limits.

    Parameters
    ----------
    statistics
        As ``noise_statistics.Statistics`` gathers them where the images are known.
    limits
        The largest value of each of ``MEANINGS``, or [low, high]; but for
        ``not_finite``, of which there is to be none.
    bank, what
        Where the bank lies, and what is to be trained on it: for the message.

    Returns
    -------
    What ``measure`` finds.

    Raises
    ------
    MidError
        With each value that is beyond its limit, what it means, and what to do.
    """
    measured, problems = measure(statistics), []
    for key, value in measured.items():
        limit = limits.get(key, 0)
        low, high = limit if isinstance(limit, list) else (0, limit)
        if not low <= value <= high:
            side = f"above {high:g}" if value > high else f"below {low:g}"
            problems.append(f"  {key} {value:.4g} is {side} ({MEANINGS[key]})")
    if problems:
        raise MidError(
            f"{what} does not start: {bank} does not look like a camera's noise.\n"
            + "\n".join(problems)
            + f"\nLook at it with `mid inspect {bank} --figure noise.png`. The round "
            "before may need more iterations, or clean images more like the noisy "
            "ones; if the noise is right, change the limits under method.gate"
        )
    return measured

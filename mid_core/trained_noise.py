"""What noise a training shows its network, in plain numbers for the model's card."""

from dataclasses import replace

import numpy as np

from mid_core.batches import DistillationBatches
from mid_core.masking import Masking
from mid_core.patches import PatchSampler


def noise_seen(
    batches: PatchSampler, crops: int = 64
) -> dict[str, float | list[float]]:
    """Measure y - x of the first crops of a training, with nothing hidden.

    Parameters
    ----------
    batches
        What the training is shown. Its masks do not matter, nor do the pixels of a
        teacher's targets that are put back to the noisy ones.
    crops
        How many crops are drawn, at least 1.

    Returns
    -------
    ``std``: the 5 % and 95 % quantiles of the crops' standard deviation, in grey levels
    of 255 (root mean square of the colours, each without its mean over the crop).
    ``lag_1``: the median over crops of the correlation of neighbouring pixels, mean of
    both directions and of the colours; 0 where there is no noise at all. Four digits.

    Examples
    --------
    >>> from mid_core.batches import Batches
    >>> from mid_core.patches import InMemory
    >>> clean = InMemory([("x", np.full((33, 47, 3), 128, np.uint8))])
    >>> noise = InMemory([("n", np.zeros((20, 20, 3), np.float16))])
    >>> noise_seen(Batches(clean, noise, 4, 16, Masking(0.8), False, seed=[0]))
    {'std': [0.0, 0.0], 'lag_1': 0.0}
    """
    noise = _differences(batches, crops)
    noise -= noise.mean(axis=(2, 3), keepdims=True)
    variance = (noise**2).mean(axis=(2, 3))
    low, high = np.quantile(255 * np.sqrt(variance.mean(axis=1)), [0.05, 0.95])
    near = (
        (noise[..., 1:] * noise[..., :-1]).mean(axis=(2, 3)),
        (noise[..., 1:, :] * noise[..., :-1, :]).mean(axis=(2, 3)),
    )
    # Where nothing varies there is no correlation to divide by.
    noisy = variance.min(axis=1) > 0
    lag_1 = (np.mean(near, axis=0)[noisy] / variance[noisy]).mean(axis=1)
    return {
        "std": [round(float(low), 4), round(float(high), 4)],
        "lag_1": round(float(np.median(lag_1)), 4) if len(lag_1) else 0.0,
    }


def _differences(batches: PatchSampler, crops: int) -> np.ndarray:
    """Draw y - x of so many crops, float64 (crops, C, H, W)."""
    # Every sampler is a dataclass.
    shown = replace(  # type: ignore[type-var]
        batches, masking=Masking(0.0, per=batches.masking.per)
    )
    if isinstance(shown, DistillationBatches):
        # What is put back to y would look like pixels without noise.
        shown = replace(shown, recharge=0.0)
    size, drawn = shown.batch_size, []
    for step, first in enumerate(range(0, crops, size)):
        y, x = shown.draw(step, slice(min(size, crops - first)))
        drawn.append(y.numpy().astype(float) - x.numpy())
    return np.concatenate(drawn)

"""What each compared method was given, and what it costs."""

import pandas as pd

from mid_core.tables.layout import Layout

COLUMNS = ["test", "method", "family", "seed", "protocol", "psnr_db", "ssim"]
COLUMNS += ["noisy_psnr_db", "n_images", "parameters", "train_seconds"]
COLUMNS += ["seconds_per_megapixel", "memory_mb", "seen", "given"]


def compared_table(measured: pd.DataFrame) -> pd.DataFrame:
    """Return every number that was measured here, a row for each seed.

    Parameters
    ----------
    measured
        The columns of ``scores.mean_scores``, and ``method``, ``category``, ``seen``
        (of the test images), ``given`` (the trainings in words), ``parameters``,
        ``train_seconds``, ``seconds_per_megapixel``, ``memory_mb``; missing numbers
        are of methods without them.

    Returns
    -------
    ``COLUMNS``; the family is the category.
    """
    table = measured.rename(columns={"category": "family"})[COLUMNS]
    digits = {"psnr_db": 3, "ssim": 4, "noisy_psnr_db": 3, "train_seconds": 1}
    digits |= {"seconds_per_megapixel": 3, "memory_mb": 0}
    return table.astype(dict.fromkeys(digits, float)).round(digits)


def given_layout(measured: pd.DataFrame) -> Layout:
    """Lay out what each method was given, and its cost; means over seeds.

    Parameters
    ----------
    measured
        As ``compared_table`` takes it.
    """
    first = measured[measured["test"] == measured["test"].iloc[0]]
    first = first[first["protocol"] == first["protocol"].iloc[0]]
    first = first[first["category"] != "noisy input"]
    numbers = ["parameters", "train_seconds", "seconds_per_megapixel", "memory_mb"]
    first = first.astype(dict.fromkeys(numbers, float))
    each = first.groupby(["method", "given"], sort=False, dropna=False)[numbers].mean()
    rows = [
        {
            "method": method,
            "trained on": given or "–",
            "parameters": _count(one["parameters"]),
            "training": _time(one["train_seconds"]),
            "s a megapixel": _number(one["seconds_per_megapixel"], 2),
            "memory (MB)": _number(one["memory_mb"], 0),
        }
        for (method, given), one in zip(
            each.index, each.to_dict("records"), strict=True
        )
    ]
    notes = [
        (
            "steps x crops a step x pixels a side of a crop; training: of all its networks, "
            "on this machine"
        ),
        (
            "s a megapixel: one answer of a network on this machine, all of its passes; of "
            "methods without training, one thread"
        ),
        "memory: the peak of a process that answers 512x512 pixels",
    ]
    return Layout(
        "What each method was given, and what it costs", pd.DataFrame(rows), notes
    )


def _count(value: float) -> str:
    if pd.isna(value):
        return "–"
    return f"{value / 1e6:.2f} M" if value >= 1e6 else f"{value / 1e3:.0f} k"


def _time(seconds: float) -> str:
    return "–" if pd.isna(seconds) else f"{seconds / 60:.1f} min"


def _number(value: float, digits: int) -> str:
    return "–" if pd.isna(value) else f"{value:.{digits}f}"

"""Scores, averaged over images and seeds; only numbers of the same images compare."""

from collections.abc import Mapping, Sequence

import pandas as pd

from mid_core.errors import MidError

# What must be equal among numbers that stand in one column.
SAME = ["dataset", "split", "content"]


def mean_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Average one round's scores over the images of each test, protocol and K.

    Parameters
    ----------
    scores
        A row for each image, K and protocol, as the workflow's ``evaluate`` writes it.

    Returns
    -------
    A row for each test, protocol and K: ``psnr_db`` and ``ssim`` (means over images),
    those of the noisy input, ``n_images``, ``dataset``, ``split``, ``content`` (hash of
    the images), ``mask_ratio``, ``seed``.

    Raises
    ------
    MidError
        If scores of different images would be averaged.
    """
    check_comparable(scores)
    means = ("psnr_db", "ssim", "noisy_psnr_db", "noisy_ssim")
    return scores.groupby(["test", "protocol", "k"], as_index=False, sort=False).agg(
        **{key: (key, "mean") for key in means},
        n_images=("image", "nunique"),
        **{key: (key, "first") for key in (*SAME, "mask_ratio", "seed")},
    )


def over_seeds(table: pd.DataFrame, rows: Sequence[str]) -> pd.DataFrame:
    """Average the means of several seeds, as ``mean_scores`` makes them.

    Returns
    -------
    For each value of the columns ``rows``: ``psnr_db`` and ``ssim`` with ``psnr_sd`` and
    ``ssim_sd`` (NaN for one seed), ``seeds`` (how many), ``n_images`` and `SAME`.
    """
    keys = [*rows, "n_images", *SAME]
    return table.groupby(keys, as_index=False, sort=False, dropna=False).agg(
        psnr_db=("psnr_db", "mean"),
        psnr_sd=("psnr_db", "std"),
        ssim=("ssim", "mean"),
        ssim_sd=("ssim", "std"),
        seeds=("seed", "nunique"),
    )


def check_comparable(table: pd.DataFrame, by: Sequence[str] = ()) -> None:
    """See that the numbers of each test are of the same images.

    Parameters
    ----------
    table
        Numbers, with the columns ``test`` and `SAME`.
    by
        Columns that name what is compared: each must have the same protocols, too.

    Raises
    ------
    MidError
        If they are not.
    """
    known = [key for key in (*SAME, "n_images") if key in table]
    facts = table[["test", *known]].astype(str)
    if by:
        protocols = table.groupby(["test", *by])["protocol"]
        facts["protocol"] = protocols.transform(lambda one: ", ".join(sorted(set(one))))
    for test, part in facts.groupby("test"):
        for fact in part.columns[1:]:
            values = sorted(part[fact].unique())
            if len(values) > 1:
                raise MidError(
                    f"the scores on '{test}' differ in their {fact} "
                    f"({' and '.join(values)}): one table compares the same images "
                    "under the same protocols; give every variant in it the same "
                    "tests and evaluation.protocols"
                )


def score_text(row: Mapping, psnr_mark: str = "", ssim_mark: str = "") -> str:
    """Write PSNR / SSIM, each with its standard deviation over seeds if there is one.

    Parameters
    ----------
    row
        ``psnr_db`` and ``ssim``; where known ``psnr_sd`` and ``ssim_sd``.
    psnr_mark, ssim_mark
        What stands before and after a number, as ``**``.
    """
    psnr = _number(row["psnr_db"], row.get("psnr_sd"), 2, psnr_mark)
    return f"{psnr} / {_number(row['ssim'], row.get('ssim_sd'), 3, ssim_mark)}"


def _number(value: float, sd: float | None, digits: int, mark: str) -> str:
    if pd.isna(value):
        return "–"
    text = f"{mark}{value:.{digits}f}{mark}"
    return text if pd.isna(sd) else f"{text} ± {sd:.{digits}f}"

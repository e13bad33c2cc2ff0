"""Scores, averaged over images and seeds; only numbers of the same images compare."""

from collections.abc import Iterable, Mapping, Sequence

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
    check_same_images(scores, SAME)
    means = ("psnr_db", "ssim", "noisy_psnr_db", "noisy_ssim")
    return scores.groupby(["test", "protocol", "k"], as_index=False, sort=False).agg(
        **{key: (key, "mean") for key in means},
        n_images=("image", "nunique"),
        **{key: (key, "first") for key in (*SAME, "mask_ratio", "seed")},
    )


def over_seeds(
    table: pd.DataFrame, rows: Sequence[str], facts: Sequence[str]
) -> pd.DataFrame:
    """Average means over images over the seeds.

    Parameters
    ----------
    table
        As ``mean_scores`` makes it, of several seeds.
    rows
        The columns that tell one row of the result from another.
    facts
        Further columns to keep, of which the first value is taken.

    Returns
    -------
    Besides these, ``psnr_db`` and ``ssim`` with ``psnr_sd`` and ``ssim_sd`` (NaN for one
    seed), ``seeds`` (how many), ``n_images`` and `SAME`.
    """
    return table.groupby(list(rows), as_index=False, sort=False).agg(
        psnr_db=("psnr_db", "mean"),
        psnr_sd=("psnr_db", "std"),
        ssim=("ssim", "mean"),
        ssim_sd=("ssim", "std"),
        seeds=("seed", "nunique"),
        **{key: (key, "first") for key in (*facts, "n_images", *SAME)},
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


def check_same_images(
    table: pd.DataFrame, facts: Sequence[str] = (*SAME, "n_images")
) -> None:
    """See that the numbers of each test are of the same images.

    Raises
    ------
    MidError
        If they differ in one of the facts, which are columns.
    """
    for test, part in table.groupby("test", sort=False):
        for fact in facts:
            _check_equal(part[fact].unique(), str(test), fact)


def check_same_tests(tables: Iterable[pd.DataFrame]) -> None:
    """See that each test was scored on the same images under the same protocols.

    Raises
    ------
    MidError
        If two of the tables differ there.
    """
    tables = list(tables)
    check_same_images(pd.concat(tables))
    protocols: dict[str, set[str]] = {}
    for table in tables:
        for test, part in table.groupby("test"):
            own = ", ".join(sorted(part["protocol"].unique()))
            protocols.setdefault(str(test), set()).add(own)
    for test, found in protocols.items():
        _check_equal(found, test, "protocol")


def _check_equal(values: Iterable[object], test: str, fact: str) -> None:
    texts = sorted(map(str, values))
    if len(texts) > 1:
        raise MidError(
            f"the scores on '{test}' differ in their {fact} ({' and '.join(texts)}): "
            "one table compares the same images under the same protocols; give every "
            "variant in it the same tests and evaluation.protocols"
        )

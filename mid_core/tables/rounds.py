"""Scores in, table out."""

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from mid_core.errors import MidError
from mid_core.tables.layout import latex

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
    mixed = [key for key in SAME if (scores.groupby("test")[key].nunique() > 1).any()]
    if mixed:
        raise MidError(f"scores that differ in their {mixed[0]} cannot be averaged")
    return scores.groupby(["test", "protocol", "k"], as_index=False, sort=False).agg(
        psnr_db=("psnr_db", "mean"),
        ssim=("ssim", "mean"),
        noisy_psnr_db=("noisy_psnr_db", "mean"),
        noisy_ssim=("noisy_ssim", "mean"),
        n_images=("image", "nunique"),
        **{key: (key, "first") for key in SAME},
        mask_ratio=("mask_ratio", "first"),
        seed=("seed", "first"),
    )


def rounds_table(
    rounds: Iterable[tuple[str, int, pd.DataFrame, dict]],
) -> pd.DataFrame:
    """Build the table of rounds: a row for each variant, round, test, protocol and K.

    Parameters
    ----------
    rounds
        Variant, round, its scores, and its model's card, of which
        ``train_seconds`` and ``device`` are shown.

    Returns
    -------
    The noisy input comes first, as variant ``noisy`` with K = 0. A number that two
    variants share (an equal round) stands under both.

    Raises
    ------
    MidError
        If one test's numbers come from different protocols or images.
    """
    tables = []
    for variant, k, scores, card in rounds:
        table = mean_scores(scores)
        table.insert(0, "variant", variant)
        table.insert(1, "round", k)
        facts = {key: card[key] for key in ("train_seconds", "device")}
        tables.append(table.assign(**facts))
    columns = ["test", "protocol", "variant", "round", "k", "mask_ratio", "psnr_db"]
    columns += ["ssim", "n_images", *SAME, "seed", "train_seconds", "device"]
    if not tables:
        return pd.DataFrame(columns=columns)
    refuse_mixtures(tables)
    table = pd.concat(tables, ignore_index=True)
    noisy = table.groupby(["test", "protocol"], as_index=False, sort=False).first()
    noisy = noisy.assign(
        variant="noisy",
        psnr_db=noisy["noisy_psnr_db"],
        ssim=noisy["noisy_ssim"],
        k=0,
        **dict.fromkeys(("round", "mask_ratio", "train_seconds", "device")),
    )
    table = pd.concat([noisy, table], ignore_index=True)
    table["round"] = table["round"].astype("Int64")
    return table[columns].round({"psnr_db": 3, "ssim": 4, "train_seconds": 1})


def refuse_mixtures(tables: list[pd.DataFrame]) -> None:
    """See that each test was scored on the same images under the same protocols."""
    first: dict[str, pd.DataFrame] = {}
    for table in tables:
        for test, part in table.groupby("test"):
            other = first.setdefault(test, part)
            for key in ("protocol", "n_images", *SAME):
                values = set(part[key]), set(other[key])
                if values[0] != values[1]:
                    raise MidError(
                        f"the scores on '{test}' differ in their {key} "
                        f"({' and '.join(str(sorted(v)) for v in values)}): one table "
                        "compares the same images under the same protocols; give every "
                        "variant in it the same evaluation.protocols"
                    )


def rounds_markdown(table: pd.DataFrame, absent: Mapping[str, str]) -> str:
    """Lay the table of rounds out for people: a block for each test and protocol.

    Parameters
    ----------
    table
        As ``rounds_table`` returns it.
    absent
        Tests that could not be made, and the folders that are missing.
    """
    blocks = [
        f"**{test}**: {about}\n\n{wide.to_markdown(index=False)}\n"
        for test, about, wide in _blocks(table)
    ]
    return "\n".join(
        [*blocks, *(f"**{test}**: {why}\n" for test, why in _gone(absent))]
    )


def rounds_latex(table: pd.DataFrame, absent: Mapping[str, str]) -> str:
    """Lay the table of rounds out for LaTeX's booktabs, as ``rounds_markdown`` does."""
    blocks = [
        latex(f"{test}: {about}", wide.astype(str), ())
        for test, about, wide in _blocks(table)
    ]
    return "\n".join([*blocks, *(f"% {test}: {why}\n" for test, why in _gone(absent))])


def _gone(absent: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        (test, f"not available, as there is no folder {path}")
        for test, path in absent.items()
    ]


def _blocks(table: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Put the K of each test and protocol side by side, and say what they are of."""
    for (test, protocol), part in table.groupby(["test", "protocol"], sort=False):
        wide = part.assign(
            score=[
                f"{psnr:.2f} / {ssim:.3f}"
                for psnr, ssim in zip(part["psnr_db"], part["ssim"], strict=True)
            ],
            column=part["k"].map(lambda k: f"K = {k}"),
            round=part["round"].astype("string").fillna("–"),
            hidden=part["mask_ratio"].astype("string").fillna("–"),
        )
        order = [f"K = {k}" for k in sorted(part["k"].unique()) if k > 0]
        noisy = wide[wide["k"] == 0]["score"].iloc[0]
        wide = wide[wide["k"] > 0].pivot_table(
            index=["variant", "round", "hidden"],
            columns="column",
            values="score",
            aggfunc="first",
            sort=False,
        )[order]
        first = part.iloc[0]
        seeds = ", ".join(map(str, sorted(part["seed"].unique())))
        about = (
            f"PSNR (dB) / SSIM, protocol {protocol}, n = "
            f"{first['n_images']}, seed {seeds}; {first['dataset']} ({first['split']}); "
            f"noisy input {noisy}"
        )
        wide = wide.fillna("").reset_index().rename_axis(columns=None)
        yield test, about, wide

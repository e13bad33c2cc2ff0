"""Scores in, table out."""

from collections.abc import Iterable

import pandas as pd

from mid_core.errors import MidError


def mean_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Average one round's scores over the images of each test and each K.

    Parameters
    ----------
    scores
        A row for each image and K, as the workflow's ``evaluate`` writes it.

    Returns
    -------
    A row for each test and K: ``psnr_db`` and ``ssim`` (means over images), those
    of the noisy input, ``n_images``, ``protocol``, ``mask_ratio``, ``seed``.

    Raises
    ------
    MidError
        If scores of different protocols would be averaged.
    """
    if scores["protocol"].nunique() > 1:
        raise MidError(
            "scores under several protocols cannot be averaged: "
            f"{', '.join(scores['protocol'].unique())}"
        )
    return scores.groupby(["test", "k"], as_index=False).agg(
        psnr_db=("psnr_db", "mean"),
        ssim=("ssim", "mean"),
        noisy_psnr_db=("noisy_psnr_db", "mean"),
        noisy_ssim=("noisy_ssim", "mean"),
        n_images=("image", "nunique"),
        protocol=("protocol", "first"),
        mask_ratio=("mask_ratio", "first"),
        seed=("seed", "first"),
    )


def rounds_table(
    rounds: Iterable[tuple[str, int, pd.DataFrame, dict]],
) -> pd.DataFrame:
    """Build the table of rounds: a row for each variant, round, test and K.

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
        If one test's numbers come from different protocols or numbers of images.
    """
    tables = []
    for variant, k, scores, card in rounds:
        table = mean_scores(scores)
        table.insert(0, "variant", variant)
        table.insert(1, "round", k)
        facts = {key: card[key] for key in ("train_seconds", "device")}
        tables.append(table.assign(**facts))
    table = pd.concat(tables, ignore_index=True)
    for test, part in table.groupby("test"):
        if part["protocol"].nunique() > 1 or part["n_images"].nunique() > 1:
            raise MidError(
                f"the scores on '{test}' mix protocols or numbers of images "
                f"({', '.join(part['protocol'].unique())}; "
                f"{', '.join(map(str, part['n_images'].unique()))}): give every "
                "variant in the table the same evaluation.protocol"
            )
    noisy = table.groupby("test", as_index=False).first()
    noisy = noisy.assign(
        variant="noisy",
        psnr_db=noisy["noisy_psnr_db"],
        ssim=noisy["noisy_ssim"],
        k=0,
        **dict.fromkeys(("round", "mask_ratio", "train_seconds", "device")),
    )
    table = pd.concat([noisy, table], ignore_index=True)
    table["round"] = table["round"].astype("Int64")
    columns = ["test", "variant", "round", "k", "mask_ratio", "psnr_db", "ssim"]
    columns += ["n_images", "protocol", "seed", "train_seconds", "device"]
    return table[columns].round({"psnr_db": 3, "ssim": 4, "train_seconds": 1})


def rounds_markdown(table: pd.DataFrame) -> str:
    """Lay the table of rounds out for people: K side by side, a block for each test."""
    blocks = []
    for test, part in table.groupby("test", sort=False):
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
        title = (
            f"**{test}**: PSNR (dB) / SSIM, {first['n_images']} images, protocol "
            f"{first['protocol']}, seed {seeds}; noisy input {noisy}"
        )
        body = wide.fillna("").reset_index().to_markdown(index=False)
        blocks.append(f"{title}\n\n{body}\n")
    return "\n".join(blocks)

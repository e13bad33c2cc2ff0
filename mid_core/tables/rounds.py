"""The table of rounds: what each variant scores after each round."""

from collections.abc import Iterable, Mapping

import pandas as pd

from mid_core.tables.layout import Layout
from mid_core.tables.scores import SAME, check_comparable, mean_scores, score_text


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
    table = pd.concat(tables, ignore_index=True)
    check_comparable(table, ["variant", "round"])
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


def rounds_layout(table: pd.DataFrame, absent: Mapping[str, str]) -> list[Layout]:
    """Lay out the table of rounds: a block for each test and protocol, then the absent.

    Parameters
    ----------
    table
        As ``rounds_table`` returns it.
    absent
        Tests that could not be made, and the folders that are missing.
    """
    groups = table.groupby(["test", "protocol"], sort=False)
    return [_block(test, protocol, part) for (test, protocol), part in groups] + [
        Layout(f"{test}: not available, as there is no folder {path}")
        for test, path in absent.items()
    ]


def _block(test: str, protocol: str, part: pd.DataFrame) -> Layout:
    """Put the K of a test and protocol side by side; the noisy input is in the note."""
    first = part.iloc[0]
    wide = part.assign(
        score=[score_text(row) for row in part.to_dict("records")],
        column=part["k"].map("K = {}".format),
        round=part["round"].astype("string").fillna("–"),
        **{"mask ratio": part["mask_ratio"].astype("string").fillna("–")},
    )
    noisy, wide = wide["score"].iloc[0], wide[wide["k"] > 0]
    cells = wide.pivot_table(
        index=["variant", "round", "mask ratio"],
        columns="column",
        values="score",
        aggfunc="first",
        sort=False,
    )
    cells = cells[[f"K = {k}" for k in sorted(part["k"].unique()) if k > 0]]
    seeds = ", ".join(map(str, sorted(part["seed"].unique())))
    note = (
        f"PSNR (dB) / SSIM, n = {first['n_images']}, seed {seeds}; {first['dataset']} "
        f"({first['split']}); noisy input {noisy}"
    )
    cells = cells.fillna("").reset_index().rename_axis(columns=None)
    return Layout(f"{test}, protocol {protocol}", cells, [note])

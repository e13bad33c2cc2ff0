"""The paper's ablation tables: a row for each choice, scored on the same images."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from mid_core.tables.layout import Layout
from mid_core.tables.scores import (
    check_comparable,
    mean_scores,
    over_seeds,
    score_text,
)

_COST = {
    "parameters": ("parameters (M)", 1e-6, 3),
    "multiply_adds_per_pixel": ("MACs/pixel (k)", 1e-3, 1),
    "seconds_per_megapixel": ("s/megapixel", 1, 2),
    "memory_bytes": ("memory (GB)", 1e-9, 2),
}
# On what that was measured.
_MACHINE = ("device", "threads")


class Entry(NamedTuple):
    """What a row is made of.

    Attributes
    ----------
    label
        What the row is called.
    num_masks
        K whose scores are taken; None: the largest.
    scores
        Score files' rows, those of all tests together, one frame for each seed.
    cost
        What one pass of its network costs, and on which ``device`` and with how many
        CPU ``threads``, if that is shown; else empty.
    """

    label: str
    num_masks: int | None
    scores: Sequence[pd.DataFrame]
    cost: Mapping[str, float | str]


def paper_table(entries: Iterable[Entry]) -> pd.DataFrame:
    """Average each row's scores over images, then over seeds.

    Returns
    -------
    A row for each label, test and protocol: ``k``, ``mask_ratio``, ``psnr_db`` and
    ``ssim`` with ``psnr_sd`` and ``ssim_sd`` (over seeds; NaN for one), ``seeds``,
    ``n_images``, ``dataset``, ``split``, ``content``, and the cost of a prediction,
    that is of K passes, with ``device`` and ``threads``.

    Raises
    ------
    MidError
        If numbers of different images or protocols would stand in one column.
    """
    rows = []
    for entry in entries:
        seeds = [_of_masks(mean_scores(one), entry.num_masks) for one in entry.scores]
        keys = ["label", "test", "protocol", "k", "mask_ratio"]
        summed = over_seeds(pd.concat(seeds).assign(label=entry.label), keys)
        k = summed["k"].iloc[0]
        rows.append(summed.assign(**_of_prediction(entry.cost, k)))
    table = pd.concat(rows, ignore_index=True)
    check_comparable(table, ["label"])
    return table


def _of_masks(table: pd.DataFrame, num_masks: int | None) -> pd.DataFrame:
    """Take one K; a network that sees everything has only the first."""
    largest = table["k"].max()
    return table[table["k"] == min(num_masks or largest, largest)]


def _of_prediction(cost: Mapping[str, float | str], k: int) -> dict:
    """What K passes cost: more work and time, but no more parameters or memory."""
    passes = {"multiply_adds_per_pixel": k, "seconds_per_megapixel": k}
    if not cost:
        return {}
    numbers = {key: cost[key] * passes.get(key, 1) for key in _COST}
    return numbers | {key: cost[key] for key in _MACHINE}


def _wide(table: pd.DataFrame) -> pd.DataFrame:
    """Lay out a row for each label: K, hidden, cost, and a column for each protocol."""
    cells = table.assign(
        score=[score_text(row) for row in table.to_dict("records")],
        column=table["test"] + ", " + table["protocol"],
    )
    wide = cells.pivot_table(
        index="label", columns="column", values="score", aggfunc="first", sort=False
    )
    first = table.groupby("label", sort=False).first()
    wide.insert(0, "K", first["k"])
    wide.insert(1, "mask ratio", first["mask_ratio"].astype(str))
    for place, (key, (name, unit, digits)) in enumerate(_COST.items(), 2):
        if key in first:
            numbers = (first[key] * unit).map(f"{{:.{digits}f}}".format)
            wide.insert(place, name, numbers)
    return wide.rename_axis(columns=None).reset_index().rename(columns={"label": ""})


def _notes(table: pd.DataFrame) -> list[str]:
    """Say what the numbers are of."""
    notes = ["PSNR (dB) / SSIM, means over images"]
    if (table["seeds"] > 1).any():
        notes[0] += "; mean and standard deviation over seeds"
    for test, part in table.groupby("test", sort=False):
        one, seeds = part.iloc[0], sorted(set(part["seeds"]))
        count = f"{' to '.join(map(str, seeds))} seed{'s' if seeds != [1] else ''}"
        notes.append(
            f"{test}: {one['dataset']} ({one['split']}), n = {one['n_images']}, {count}"
        )
    return notes + _notes_on_cost(table)


def _notes_on_cost(table: pd.DataFrame) -> list[str]:
    """Say on what time and memory were measured; nothing where they are not shown."""
    if "device" not in table:
        return []
    machines = table[list(_MACHINE)].drop_duplicates()
    places = (f"{one.device}, {one.threads} thread(s)" for one in machines.itertuples())
    notes = [f"time and memory of K passes in turn, on: {'; '.join(places)}"]
    if not machines["device"].str.startswith("cuda").all():
        notes.append("memory: where not on a GPU, the peak of the whole process")
    return notes


def paper_layout(title: str, table: pd.DataFrame) -> Layout:
    """Lay a table out, with what its numbers are of."""
    return Layout(title, _wide(table), _notes(table))

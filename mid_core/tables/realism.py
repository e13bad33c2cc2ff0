"""How real the banks are, and the gap that masks leave, as tables."""

import pandas as pd

from mid_core.evaluation.realism import MEASURES

# A table with its title and its notes.
NotedTable = tuple[str, pd.DataFrame, list[str]]


def _about(table: pd.DataFrame) -> str:
    one = table.iloc[0]
    return (
        f"pool {one['pool']}: {one['dataset']} ({one['split']}), n = "
        f"{one['n_images']}, seed {one['seed']}; banks of variant {one['variant']}"
    )


def realism_table(table: pd.DataFrame) -> NotedTable:
    """Tell each bank's distances to the true noise.

    Parameters
    ----------
    table
        A row for each ``bank``: what ``realism.realism`` returns, and ``pool``,
        ``dataset``, ``split``, ``n_images``, ``seed`` and ``variant``.
    """
    numbers = table[list(MEASURES)].map("{:.3f}".format).rename(columns=MEASURES)
    numbers.insert(0, "bank", table["bank"])
    notes = [
        _about(table),
        "distances to the true noise, which is noisy minus clean; 0: equal",
        "true noise: one half of its pixels against the other, the floor",
        "KL(true ‖ bank); of patches a lower bound, by a critic that was trained for it",
        "differences: means over shifts, pairs of colours, bins of equal brightness",
    ]
    return "Realism of the noise banks", numbers, notes


def gap_table(table: pd.DataFrame) -> NotedTable:
    """Tell the gap between masked synthetic and masked real images, by mask ratio.

    Parameters
    ----------
    table
        A row for each ``bank`` and ``mask_ratio``: ``gap_nats``, and what
        ``realism_table`` takes of the pool.
    """
    wide = table.pivot(index="mask_ratio", columns="bank", values="gap_nats")
    wide = wide[table["bank"].unique()].map("{:.3f}".format)
    hidden = [f"{100 * ratio:g} %" for ratio in wide.index.to_series().round(4)]
    wide.insert(0, "hidden", hidden)
    notes = [
        _about(table),
        "KL(x + n ‖ y) in nats, of masked 3×3 patches; x: the clean images under y",
        "lower bounds, by one critic for all ratios",
        "floor: real against real; true noise: put anywhere, as a perfect bank would be",
        "that masks shrink it is a theorem (Appendix A); by how much is measured",
    ]
    title = "Gap between masked synthetic and masked real images (Appendix A)"
    return title, wide.rename_axis(columns=None), notes


TABLES = {"realism": realism_table, "gap": gap_table}

"""How real the banks are, and the gap that masks leave, as tables."""

import pandas as pd

from mid_config.numbers import percent
from mid_core.evaluation.realism import MEASURES, MOMENTS
from mid_core.tables.layout import Layout


def _about(table: pd.DataFrame) -> str:
    one = table.iloc[0]
    return (
        f"pool {one['pool']}: {one['dataset']} ({one['split']}), n = "
        f"{one['n_images']}; banks of variant {one['variant']}"
    )


def realism_layout(table: pd.DataFrame) -> Layout:
    """Lay out each bank's moments, and its distances to the true noise.

    Parameters
    ----------
    table
        A row for each ``bank``: what ``realism.realism`` returns, and ``pool``,
        ``dataset``, ``split``, ``n_images`` and ``variant``.
    """
    shown = MOMENTS | MEASURES
    # z: never -0.000.
    cells = table[list(shown)].map("{:z.3f}".format).rename(columns=shown)
    cells.insert(0, "bank", table["bank"])
    notes = [
        _about(table),
        (
            "true noise is noisy minus clean; as a bank, one half of its pixels against "
            "the other: the floor"
        ),
        "KL(true ‖ bank) of histograms, a bin a grey level, all colours together",
        (
            "differences to the true noise, means over shifts, pairs of colours, bins of "
            "equal brightness; 0: equal"
        ),
    ]
    return Layout("Realism of the noise banks", cells, notes)


def gap_layout(table: pd.DataFrame) -> Layout:
    """Lay out the gap between masked synthetic and masked real images, by mask ratio.

    Parameters
    ----------
    table
        A row for each ``bank`` and ``mask_ratio``: ``gap_nats``, and what
        ``realism_layout`` takes of the pool.
    """
    wide = table.pivot(index="mask_ratio", columns="bank", values="gap_nats")
    wide = wide[table["bank"].unique()].map("{:.4f}".format)
    hidden = [f"{percent(ratio)} %" for ratio in wide.index.to_series().round(4)]
    wide.insert(0, "mask ratio", hidden)
    notes = [
        _about(table),
        (
            "KL(x + n ‖ y) in nats, of histograms of masked pairs of neighbouring pixels; "
            "x: the clean images under y"
        ),
        (
            "floor: real against real; true noise: that of another image, as a perfect "
            "bank would be"
        ),
        "that masks shrink it is a theorem (Appendix A); by how much is measured",
    ]
    title = "Gap between masked synthetic and masked real images (Appendix A)"
    return Layout(title, wide.rename_axis(columns=None), notes)


LAYOUTS = {"realism": realism_layout, "gap": gap_layout}

"""The rounds judged without truth: whether a network takes out noise, or the picture."""

from collections.abc import Iterable, Mapping

import pandas as pd

from mid_core.tables.layout import Layout

# Structure's share of the noise's power from which an answer may be worse than its input;
# measured in docs/measurements.
TOO_MUCH = 0.2
# Below this share of the level that is seen, most of the noise is still there.
TOO_LITTLE = 0.5
FINE = "fine"


def verdict(row: Mapping) -> str:
    """Say in a few words what is wrong with a round, or that nothing is seen to be."""
    if pd.isna(row["noise_level"]):
        return "images too small to judge"
    if row["structure_share"] > TOO_MUCH:
        return "takes out structure"
    if row["residual_std"] < TOO_LITTLE * row["noise_level"]:
        return "leaves noise"
    return FINE


def judged_table(rows: Iterable[Mapping]) -> pd.DataFrame:
    """Build the table: a row for each variant and round.

    Parameters
    ----------
    rows
        ``variant``, ``round``, and what ``structure.taken_out`` measured.

    Returns
    -------
    With ``structure_share``, the power of the structure that was taken out over that of
    the noise, and a ``verdict``.
    """
    table = pd.DataFrame(rows)
    power = table["noise_level"].clip(lower=0.1) ** 2
    table["structure_share"] = table["structure_taken"] / power
    table["verdict"] = table.apply(verdict, axis=1)
    shares = ("structure_taken", "structure_share", "residual_std", "noise_level")
    return table.round(dict.fromkeys(shares, 4))


def recommended(table: pd.DataFrame) -> str | None:
    """Return a sentence where the last round of the first variant is not fine.

    Parameters
    ----------
    table
        As ``judged_table`` returns it.
    """
    first = table[table["variant"] == table["variant"].iloc[0]]
    last = first.loc[first["round"].idxmax()]
    if last["verdict"] == FINE or pd.isna(last["noise_level"]):
        return None
    name = f"'{last['variant']}', round {last['round']}, {last['verdict']}"
    others = table[table["verdict"] == FINE]
    if others.empty:
        return f"{name}: blend its answers with the input, mid denoise --strength 0.5"
    best = others.loc[others["structure_share"].idxmin()]
    return (
        f"{name}: take the model of '{best['variant']}', round {best['round']}, instead"
    )


def judged_layout(table: pd.DataFrame) -> Layout:
    """Lay the table out, with what to do where a round is not fine."""
    cells = pd.DataFrame(
        {
            "variant": table["variant"],
            "round": table["round"],
            "noise seen": table["noise_level"].map("{:.1f}".format),
            "taken out": table["residual_std"].map("{:.1f}".format),
            "of it structure": table["structure_share"].map("{:.1%}".format),
            "verdict": table["verdict"],
        }
    )
    note = (
        f"Without any truth, on {table['images'].max()} noisy images. Standard "
        "deviations of 255; structure: the power that edges and texture of the answer "
        "explain of what was taken out, over the power of the noise that is seen. Above "
        f"{TOO_MUCH:.0%} the answer may be worse than its input"
    )
    advice = recommended(table)
    return Layout("Judged without truth", cells, [*([advice] if advice else []), note])

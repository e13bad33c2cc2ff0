"""The table of methods: what was measured here beside what others published."""

import pandas as pd

from mid_core.datasets import describe
from mid_core.errors import MidError
from mid_core.tables.layout import Layout
from mid_core.tables.published import CATEGORIES, UNSUPERVISED, references
from mid_core.tables.scores import SAME, check_comparable, over_seeds, score_text

# The source of a number that this workflow measured.
HERE = "measured here"

# What `describe` says of the whole set that published numbers are of. The other sets'
# truths are not public: what is measured here is never of these.
_WHOLE = {
    ("SIDD", "validation"): describe(
        {"reader": "sidd_blocks", "part": "validation"}, 1280
    )
}
_COLUMNS = ["method", "category", "trained_on_test", "seen", "note", "source"]
_COLUMNS += ["protocol"]
_COLUMNS += ["psnr_db", "psnr_sd", "ssim", "ssim_sd", "seeds", "n_images", *SAME]
# How the best and the second best number of a column are marked.
_MARKS = {1: "**", 2: "*"}


def comparison(measured: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Put what was measured here beside what others published.

    Parameters
    ----------
    measured
        One test's numbers, a row for each method, protocol and seed: the columns of
        ``scores.mean_scores``, and ``method``, ``category``, ``seen`` (what its
        training saw of the test images, in words, empty for nothing) and ``note``
        (what is to be said of it; may be empty). Several K or rounds go by different
        names. A method that could not be run has no
        ``psnr_db``, one without randomness no ``seed``. May be empty.
    others
        Rows of ``published`` for one test set; may be empty, as for images on which
        nobody published anything.

    Returns
    -------
    A row for each method, source and protocol, the numbers measured here first, as
    means over seeds: besides the columns of ``published``, ``psnr_sd`` and ``ssim_sd``
    (over seeds; NaN for one), ``seeds`` (how many), ``seen``, ``n_images`` and
    ``content``, none of which published numbers tell.

    Raises
    ------
    MidError
        If numbers measured here are of different images, or of other images than the
        published ones; or if a method has two under one protocol.
    """
    parts = [part for part in (measured, others) if not part.empty]
    if not measured.empty:
        _check_measured(measured)
        parts[0] = _means_over_seeds(measured)
        _refuse_other_images(parts[0].iloc[0], others)
    table = pd.concat(parts, ignore_index=True).reindex(columns=_COLUMNS)
    return table.astype({"seeds": "Int64", "n_images": "Int64"})


def _check_measured(measured: pd.DataFrame) -> None:
    """See that the images are the same, and the names of methods distinct."""
    check_comparable(measured)
    twice = measured.duplicated(["method", "protocol", "seed"])
    if twice.any():
        row = measured[twice].iloc[0]
        raise MidError(
            f"'{row['method']}' has two numbers under {row['protocol']}: name its "
            "rounds and K apart"
        )


def _means_over_seeds(measured: pd.DataFrame) -> pd.DataFrame:
    means = over_seeds(measured, ["method", "category", "seen", "note", "protocol"])
    return means.assign(source=HERE, trained_on_test=means["seen"] != "")


def published_set(measured: pd.DataFrame) -> tuple[str, str] | None:
    """Name the set of published numbers that is of the same images; None: there is none.

    Parameters
    ----------
    measured
        One test's numbers, as ``comparison`` takes them.
    """
    own = measured.iloc[0][["dataset", "split"]].to_dict()
    return next((known for known, whole in _WHOLE.items() if whole == own), None)


def _refuse_other_images(own: pd.Series, others: pd.DataFrame) -> None:
    for dataset, split in set(zip(others["dataset"], others["split"], strict=True)):
        if published_set(own.to_frame().T) != (dataset, split):
            raise MidError(
                f"the published numbers are of the whole {dataset} {split}, those "
                f"measured here of {own['dataset']} ({own['split']}): score the whole "
                "set, or show the published numbers in a table of their own"
            )


def comparison_layout(title: str, table: pd.DataFrame) -> Layout:
    """Lay a comparison out: the best number of a column bold, the second in italics.

    LaTeX has the second underlined.
    """
    return Layout(title, _wide(table).reset_index(), _notes(table))


def _wide(table: pd.DataFrame) -> pd.DataFrame:
    """Give a row to each method, and a column to each source and protocol."""
    own = table["protocol"] != "as in source"
    table = table.assign(
        cell=_cells(table),
        method=table["method"] + table["trained_on_test"].map({True: " †", False: ""}),
        column=table["source"] + (": " + table["protocol"]).where(own, ""),
    )
    rows = table[["category", "method"]].drop_duplicates()
    order = rows["category"].map(CATEGORIES.index)
    rows = rows.loc[order.sort_values(kind="stable").index]
    wide = table.pivot(index=list(rows), columns="column", values="cell").fillna("")
    wide = wide.reindex(index=pd.MultiIndex.from_frame(rows))
    return wide[table["column"].unique()].rename_axis(columns=None)


def _cells(table: pd.DataFrame) -> list[str]:
    """Write PSNR / SSIM, each marked by its rank in its column, and how many seeds."""
    marks = _marks(table, "psnr_db", 2), _marks(table, "ssim", 3)
    missing = table["psnr_db"].isna()
    return [
        "not available" if none else score_text(row, *own) + _seeds(row["seeds"])
        for none, row, *own in zip(
            missing, table.to_dict("records"), *marks, strict=True
        )
    ]


def _marks(table: pd.DataFrame, key: str, digits: int) -> list[str]:
    """Mark the best and the second best of each column among those that compare."""
    ranked = table["category"].isin(UNSUPERVISED) & ~table["trained_on_test"]
    values = table[key].round(digits).where(ranked)
    columns = values.groupby([table["source"], table["protocol"]])
    ranks = columns.rank("dense", ascending=False)
    ranks = ranks.where(columns.transform("count") > 1)
    return [_MARKS.get(rank, "") for rank in ranks]


def _seeds(count: float) -> str:
    known = not pd.isna(count) and count > 0
    return f" ({count} seed{'s' if count > 1 else ''})" if known else ""


def _notes(table: pd.DataFrame) -> list[str]:
    """Say what the numbers are of, how they are marked, and where they stand."""
    here = table["source"] == HERE
    notes = ["PSNR (dB) / SSIM; protocols are the source's where none is named"]
    notes += _notes_here(table[here])
    sets = table.loc[~here, ["dataset", "split"]].drop_duplicates()
    notes += [
        f"published: {other.dataset} {other.split}; †: trained on the test images"
        for other in sets.itertuples()
    ]
    notes.append(
        "bold, italics (underlined in LaTeX): best and second best of a column among "
        f"{', '.join(UNSUPERVISED)} methods without †"
    )
    sources = references(table.loc[~here, "source"].unique())
    return notes + [f"{source}: {where}" for source, where in sources.items()]


def _notes_here(own: pd.DataFrame) -> list[str]:
    """Say what is to be told of the numbers that were measured here."""
    notes = [
        f"{HERE}: {one.dataset} ({one.split}), n = {one.n_images}"
        for one in own.head(1).itertuples()
    ]
    if own["seeds"].gt(1).any():
        notes.append("±: standard deviation over seeds")
    for seen, part in own[own["trained_on_test"]].groupby("seen", sort=False):
        names = "; ".join(part["method"].unique())
        notes.append(f"{HERE}, †: trained on the test images, {seen} seen: {names}")
    noted = own[own["note"] != ""].groupby("note", sort=False)["method"]
    notes += [f"{', '.join(of.unique())}: {note}" for note, of in noted]
    return notes

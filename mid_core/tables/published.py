"""Numbers that others published, each with its source.

Scores of one method differ by up to 8 dB between papers (BM3D on SIDD's benchmark), and
what SSIM means differs, too: numbers of two sources never stand in one column.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from mid_core.errors import MidError

_FOLDER = Path(__file__).parent

# In the order of the paper's Table 1; the last three learn without pairs.
CATEGORIES = (
    "noisy input",
    "non-learning",
    "synthetic pairs",
    "supervised",
    "unpaired",
    "self-supervised",
    "zero-shot",
)
UNSUPERVISED = CATEGORIES[-3:]


def published(dataset: str, split: str) -> pd.DataFrame:
    """Read the published numbers for one test set.

    Parameters
    ----------
    dataset, split
        ``SIDD`` and ``validation`` or ``benchmark``, ``DND`` and ``benchmark``; or
        ``SIDD`` and ``validation block 37_23`` (30_13, 12_27): all that MID's own text
        tells in numbers.

    Returns
    -------
    A row for each number: ``method``, ``category`` (one of `CATEGORIES`), ``dataset``,
    ``split``, ``protocol`` ("as in source" where none is named), ``psnr_db``, ``ssim``
    (NaN where none is given), ``trained_on_test`` (where the source says so; zero-shot
    methods, which see nothing but the test image, are not marked), ``source`` (see
    `references`).

    Raises
    ------
    MidError
        If there are none.
    """
    table = pd.read_csv(_FOLDER / "published.csv")
    chosen = table[(table["dataset"] == dataset) & (table["split"] == split)]
    if chosen.empty:
        sets = table[["dataset", "split"]].drop_duplicates()
        known = ", ".join(f"{row.dataset} {row.split}" for row in sets.itertuples())
        raise MidError(
            f"there are no published numbers for {dataset} {split}: choose from {known}"
        )
    return chosen.reset_index(drop=True)


def references(sources: Iterable[str]) -> dict[str, str]:
    """Say where the numbers of sources stand: paper or repository, commit, figure."""
    table = pd.read_csv(_FOLDER / "published_sources.csv", index_col="source")
    return {source: table.loc[source, "reference"] for source in sources}

"""Tables under docs/measurements that grow by the rows of each run."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd


def merged(
    path: Path, new: pd.DataFrame, keys: Sequence[str], values: Sequence[str]
) -> pd.DataFrame:
    """Put new rows over those of a file that were measured before.

    Parameters
    ----------
    path
        The file; it may be absent.
    new
        Rows of the run.
    keys, values
        Columns that say what a row is of, and those that are kept beside them.
    """
    old = [pd.read_csv(path)] if path.is_file() else []
    table = pd.concat([*old, new])[[*keys, *values]]
    return table.drop_duplicates(keys, keep="last")

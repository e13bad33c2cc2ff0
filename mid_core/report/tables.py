"""Tables for the report, read from the Markdown in which the workflow writes them."""

from collections.abc import Sequence
from typing import NamedTuple

# A table of more columns that is mostly empty is folded.
MOST_COLUMNS = 9


class Table(NamedTuple):
    """A table in words.

    Attributes
    ----------
    caption
        What its numbers are of; ``**bold**`` and ``*italics*`` are marked as here, in
        cells too.
    header
        Of each column; empty where there is only a caption to tell.
    rows
        Cells, a text for each column.
    numeric
        For each column, whether it is a number and stands to the right.
    notes
        What is said under it, a sentence each.
    """

    caption: str
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    numeric: Sequence[bool] = ()
    notes: Sequence[str] = ()

    @property
    def is_published(self) -> bool:
        """Whether its numbers are others', by the titles of ``comparison.md``."""
        return self.caption.startswith("**Published")


def read_tables(markdown: str) -> list[Table]:
    """Read a page of tables: before each a paragraph, after it a list.

    Parameters
    ----------
    markdown
        As ``tables.layout`` writes it. A paragraph without a table is kept as a caption.
    """
    tables: list[Table] = []
    caption = ""
    for block in markdown.split("\n\n"):
        lines = [line for line in block.strip().splitlines() if line]
        if not lines:
            continue
        if lines[0].startswith("|"):
            tables.append(_folded(_table(caption, lines)))
            caption = ""
        elif lines[0].startswith("- ") and tables and not caption:
            notes = [line.removeprefix("- ") for line in lines]
            tables[-1] = tables[-1]._replace(notes=notes)
        else:
            tables += [Table(caption)] if caption else []
            caption = " ".join(lines)
    return [*tables, *([Table(caption)] if caption else [])]


def _table(caption: str, lines: Sequence[str]) -> Table:
    header, rules, *rows = ([c.strip() for c in s.split("|")[1:-1]] for s in lines)
    return Table(caption, header, rows, [rule.endswith(":") for rule in rules])


def _folded(table: Table) -> Table:
    """Put the columns of a wide, mostly empty table into one, each cell with its name."""
    columns = list(zip(*table.rows, strict=True))
    full = [i for i, cells in enumerate(columns) if all(cells)]
    filled = sum(bool(cell) for row in table.rows for cell in row)
    if len(columns) <= MOST_COLUMNS or 2 * filled > len(columns) * len(table.rows):
        return table
    rows = []
    for row in table.rows:
        rest = [
            f"{table.header[i]}: {cell}"
            for i, cell in enumerate(row)
            if cell and i not in full
        ]
        rows.append([*(row[i] for i in full), "; ".join(rest)])
    header = [*(table.header[i] for i in full), "by source"]
    numeric = [*(table.numeric[i] for i in full), False]
    return table._replace(header=header, rows=rows, numeric=numeric)

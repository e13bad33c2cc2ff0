"""A table with its title and notes, as Markdown, LaTeX and CSV."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

# What LaTeX cannot be sure to read in a text.
_SIGNS = {"±": r"$\pm$", "×": r"$\times$", "‖": r"$\|$", "†": r"$\dagger$"}
_NUMBER = r"[-+]?[\d.]+|–|"


class Layout(NamedTuple):
    """A table of texts.

    Attributes
    ----------
    title
        What stands above it. Without rows, the title is all there is.
    cells
        In a cell, ``**best**`` and ``*second best*`` are marked as here.
    notes
        Printed under it, a sentence each.
    """

    title: str
    cells: pd.DataFrame = pd.DataFrame()
    notes: Sequence[str] = ()


def markdown(table: Layout) -> str:
    """Lay out a table as Markdown: title, table, and a list of notes."""
    cells, text = table.cells.astype(str), f"**{table.title}**\n"
    if not cells.empty:
        numeric = [cells[name].str.fullmatch(_NUMBER).all() for name in cells]
        sides = ["right" if one else "left" for one in numeric]
        body = cells.to_markdown(index=False, disable_numparse=True, colalign=sides)
        text += f"\n{body}\n"
    return text + "\n" + "".join(f"- {note}\n" for note in table.notes)


def latex(table: Layout) -> str:
    """Lay out a table for LaTeX's booktabs; title and notes are comments."""
    said = "".join(f"% {line}\n" for line in (table.title, *table.notes))
    if table.cells.empty:
        return said
    style = table.cells.astype(str).style.hide(axis="index").format(escape="latex")
    body = style.format_index(escape="latex", axis="columns").to_latex(hrules=True)
    for sign, command in _SIGNS.items():
        body = body.replace(sign, command)
    body = re.sub(r"\*\*(.+?)\*\*", r"\\textbf{\1}", body)
    return said + re.sub(r"\*(.+?)\*", r"\\underline{\1}", body)


def write(tables: Iterable[Layout], md: Path | str, tex: Path | str) -> None:
    """Write tables to a Markdown and a LaTeX file."""
    tables = list(tables)
    Path(md).write_text("\n".join(map(markdown, tables)))
    Path(tex).write_text("\n".join(map(latex, tables)))

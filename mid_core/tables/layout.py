"""A table with what is told of it, laid out for people and for LaTeX."""

from collections.abc import Sequence

import pandas as pd

# What LaTeX cannot be sure to read in a text.
_SIGNS = {"±": r"$\pm$", "×": r"$\times$", "‖": r"$\|$"}


def markdown(title: str, table: pd.DataFrame, notes: Sequence[str]) -> str:
    """Lay out a table of texts as Markdown: title, table, and a list of notes."""
    body = table.to_markdown(index=False, disable_numparse=True)
    listed = "".join(f"- {note}\n" for note in notes)
    return f"**{title}**\n\n{body}\n\n{listed}"


def latex(title: str, table: pd.DataFrame, notes: Sequence[str]) -> str:
    """Lay out a table of texts for LaTeX's booktabs; title and notes are comments."""
    told = "".join(f"% {line}\n" for line in (title, *notes))
    style = table.style.hide(axis="index").format(escape="latex")
    body = style.format_index(escape="latex", axis="columns").to_latex(hrules=True)
    for sign, command in _SIGNS.items():
        body = body.replace(sign, command)
    return told + body

"""The report of a run: one HTML file that needs no network and no other file.

Tables, figures, a before/after slider, cards of the noise banks, settings and costs.
Facts are gathered by `compared`, `noise_cards` and `facts`, laid out by `page`.
"""

from mid_core.report.compared import read_compared
from mid_core.report.facts import (
    hardware,
    lineage_table,
    time_table,
    training_table,
    versions,
)
from mid_core.report.noise_cards import noise_card
from mid_core.report.page import Figure, Report, render
from mid_core.report.pictures import png_uri, printed_width
from mid_core.report.tables import Table, read_tables

__all__ = [
    "Figure",
    "Report",
    "Table",
    "hardware",
    "lineage_table",
    "noise_card",
    "png_uri",
    "printed_width",
    "read_compared",
    "read_tables",
    "render",
    "time_table",
    "training_table",
    "versions",
]

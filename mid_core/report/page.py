"""The report's page: its parts, and how they become one HTML file."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from mid_core.errors import MidError
from mid_core.report.noise_cards import Card
from mid_core.report.tables import MOST_COLUMNS, Table

LIMIT_BYTES = 20_000_000


class Figure(NamedTuple):
    """A figure: title, caption, its picture's data URI, its width on paper in px."""

    title: str
    caption: str
    src: str
    width: int


@dataclass(frozen=True)
class Report:
    """What a report shows.

    Attributes
    ----------
    dataset
        Name of the run.
    lead
        What came out, in a sentence or two.
    compared
        As ``read_compared`` returns it; None: without a slider.
    tables, figures, cards
        Results, in their order.
    facts
        Versions, hardware and seeds: name and value under each heading.
    costs
        Tables of what the run took and opened.
    settings
        The whole config, YAML.
    """

    dataset: str
    tables: list[Table]
    figures: list[Figure]
    lead: str = ""
    compared: dict | None = None
    cards: list[Card] = field(default_factory=list)
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    costs: list[Table] = field(default_factory=list)
    settings: str = ""


def render(report: Report, limit: int = LIMIT_BYTES) -> str:
    """Write the page; whatever the report says is escaped.

    Raises
    ------
    MidError
        If it has more than ``limit`` bytes.
    """
    environment = Environment(
        loader=PackageLoader("mid_core.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["marked"] = _marked
    environment.globals["source"] = lambda name: Markup(
        environment.loader.get_source(environment, name)[0]
    )
    page = environment.get_template("page.html").render(
        report=report, most_columns=MOST_COLUMNS
    )
    _refuse_large(page, report, limit)
    return page


def _marked(text: str) -> Markup:
    """Mark ``**bold**``, and ``*italics*`` of numbers only: file patterns have stars."""
    # What belongs to one number stays on one line.
    text = re.sub(" ([/±=]) ", "\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", str(escape(text)))
    return Markup(re.sub(r"(?<![\w*])\*([\d.]+)\*(?![\w*])", r"<em>\1</em>", text))


def _refuse_large(page: str, report: Report, limit: int) -> None:
    size = len(page.encode())
    if size <= limit:
        return
    images = report.compared["images"] if report.compared else []
    compared = sum(len(one["src"]) for image in images for one in image["methods"])
    figures = sum(len(figure.src) for figure in report.figures)
    raise MidError(
        f"the report would have {size / 1e6:.1f} MB, and {limit / 1e6:g} MB are the "
        f"most: {compared / 1e6:.1f} MB are {len(images)} compared images, "
        f"{figures / 1e6:.1f} MB figures; lower figures.crops in the config, which is "
        "how many images are compared"
    )

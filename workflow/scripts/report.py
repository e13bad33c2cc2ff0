"""Put everything that a run made into one HTML file."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import yaml

from mid_core.jobs.rule import run_rule
from mid_core.report import facts
from mid_core.report.compared import read_compared
from mid_core.report.lead import lead
from mid_core.report.noise_cards import noise_card
from mid_core.report.page import Figure, Report, render
from mid_core.report.pictures import png_uri, printed_width
from mid_core.report.tables import read_tables
from mid_core.store import Store


def figures() -> list[Figure]:
    """Read the figures; a name in the path becomes a title."""
    captions = snakemake.params.captions
    names = [Path(path).stem for path in snakemake.input.figures]
    return [
        Figure(
            name.replace("_", " ").capitalize(),
            captions[name],
            png_uri(path),
            printed_width(path),
        )
        for name, path in zip(names, snakemake.input.figures, strict=True)
    ]


def compared() -> dict | None:
    """Read the pictures of the slider; None where there is no image."""
    found = read_compared(snakemake.input.compared)
    return found if found["images"] else None


def seeds(cards: Mapping[str, dict]) -> dict[str, str]:
    """Say which seeds there are: of trainings, and of the pools that draw something."""
    pools = snakemake.config["pools"]
    drawn = {name: pool["seed"] for name, pool in pools.items() if "seed" in pool}
    own = sorted({card["seed"] for card in cards.values()})
    found = {"trainings": ", ".join(map(str, own))} if own else {}
    return found | {f"pool {name}": str(seed) for name, seed in drawn.items()}


def main() -> None:
    given, params, config = snakemake.input, snakemake.params, snakemake.config
    output, source = Path(snakemake.output[0]), Path(snakemake.scriptdir).parents[1]
    # Through JSON: YAML would name the lists that two variants share.
    own = json.loads(json.dumps(config))
    settings = yaml.safe_dump(own, sort_keys=False, default_flow_style=None)
    read = [json.loads(Path(path).read_text()) for path in given.models]
    cards = dict(zip(params.models, read, strict=True))
    pictures = compared()
    page = render(
        Report(
            dataset=config["dataset"],
            lead=lead(pictures, pd.read_csv(given.judged)),
            tables=[
                t for path in given.tables for t in read_tables(Path(path).read_text())
            ],
            figures=figures(),
            compared=pictures,
            cards=[
                noise_card(name, Store.of(manifest))
                for name, manifest in zip(params.banks, given.banks, strict=True)
            ],
            facts={
                "Versions": facts.versions(source),
                "Hardware": facts.hardware(cards),
                "Seeds": seeds(cards),
            },
            costs=[
                facts.training_table(cards),
                facts.time_table(output.parent / "benchmarks"),
                facts.lineage_table(given.lineage),
            ],
            settings=settings,
        )
    )
    output.write_text(page)


run_rule(main, snakemake.log[0])

"""Assemble the table of methods: what was measured here, and what others published."""

import json
from pathlib import Path

import pandas as pd

from mid_core.jobs.rule import run_rule
from mid_core.methods.levels import LEVELS
from mid_core.tables.comparison import comparison, comparison_layout, published_set
from mid_core.tables.given import compared_table, given_layout
from mid_core.tables.layout import write
from mid_core.tables.published import published
from mid_core.tables.scores import mean_scores

SETS = (("SIDD", "validation"), ("SIDD", "benchmark"), ("DND", "benchmark"))


def files() -> dict[str, set[Path]]:
    """Read the files of each pool's images."""
    found = {}
    for path in map(Path, snakemake.input.files):
        items = json.loads(path.read_text())["items"]
        found[path.parent.name] = {Path(item["image"]).resolve() for item in items}
    return found


def cost_of(row: dict, run: dict, scores: pd.DataFrame, masks: int) -> dict:
    """What a method is trained and asked for: parameters, seconds, memory."""
    cards = [json.loads(Path(path).read_text()) for path in run["models"]]
    seconds = [card["train_seconds"] for card in cards]
    trained = [one for one in seconds if one is not None]
    found = {"parameters": None, "memory_mb": None, "seconds_per_megapixel": None}
    found["train_seconds"] = sum(trained) if trained else None
    if row["cost"]:
        cost = json.loads(Path(row["cost"]).read_text())
        found["parameters"] = cost["parameters"]
        found["seconds_per_megapixel"] = masks * cost["seconds_per_megapixel"]
        found["memory_mb"] = cost["memory_bytes"] / 1e6
    elif "seconds_per_megapixel" in scores:
        found["seconds_per_megapixel"] = scores["seconds_per_megapixel"].mean()
    return found


def measured() -> pd.DataFrame:
    """Read the means of each method and seed, the noisy input of each test first."""
    rows, images = [], files()
    for row in snakemake.params.rows:
        note = row["note"] or LEVELS.get(row["level"], "")
        for run in row["runs"]:
            for path in run["scores"]:
                scores = pd.read_csv(path)
                means = mean_scores(scores)
                masks = int(means["k"].max())
                means = means[means["k"] == masks]
                test = images[Path(path).stem]
                seen = [w for p, w in row["saw"].items() if images.get(p, set()) & test]
                facts = {"seen": ", ".join(dict.fromkeys(seen)), "note": note}
                facts |= {key: row[key] for key in ("method", "category")}
                facts |= cost_of(row, run, scores, masks)
                facts["given"] = "; then ".join(row["given"])
                rows.append(means.assign(**facts))
    # Every method has it, with each test.
    first = pd.concat(rows[: len(snakemake.params.rows[0]["runs"][0]["scores"])])
    noisy = first.assign(
        psnr_db=first["noisy_psnr_db"],
        ssim=first["noisy_ssim"],
        method="noisy input",
        category="noisy input",
        **dict.fromkeys(("seed", "parameters", "train_seconds", "memory_mb")),
        seconds_per_megapixel=None,
        **dict.fromkeys(("note", "seen", "given"), ""),
    )
    return pd.concat([noisy, *rows], ignore_index=True)


def main() -> None:
    found = measured()
    tables, shown = {}, set()
    for test, own in found.groupby("test", sort=False):
        whole = published_set(own)
        others = published(*whole) if whole else published(*SETS[0]).head(0)
        tables[f"Methods on {test} (Table 1)"] = comparison(own, others)
        shown.add(whole)
    for dataset, split in SETS:
        if (dataset, split) not in shown:
            title = f"Published, {dataset} {split}: other images than those above"
            tables[title] = comparison(found.head(0), published(dataset, split))
    layouts = [comparison_layout(title, one) for title, one in tables.items()]
    layouts.insert(found["test"].nunique(), given_layout(found))
    write(layouts, snakemake.output.md, snakemake.output.tex)
    pd.concat(tables, names=["of"]).reset_index(0).to_csv(
        snakemake.output.csv, index=False
    )
    compared_table(found).to_csv(snakemake.output.rows, index=False)


run_rule(main, snakemake.log[0])

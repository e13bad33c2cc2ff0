"""Assemble the table of methods: what was measured here, and what others published."""

import json
from pathlib import Path

import pandas as pd

from mid_core.jobs.rule import run_rule
from mid_core.tables.comparison import comparison, comparison_layout, published_set
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


def measured() -> pd.DataFrame:
    """Read the means of each method, the noisy input first."""
    rows, images = [], files()
    for row in snakemake.params.rows:
        for path in row["scores"]:
            means = mean_scores(pd.read_csv(path))
            means = means[means["k"] == means["k"].max()]
            facts = {key: row[key] for key in ("method", "category")}
            pool, what = row["saw"]
            common = images.get(pool, set()) & images[Path(path).stem]
            rows.append(means.assign(**facts, seen=what if common else ""))
    noisy = rows[0].assign(
        psnr_db=rows[0]["noisy_psnr_db"],
        ssim=rows[0]["noisy_ssim"],
        method="noisy input",
        category="noisy input",
        seed=None,
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
    write(layouts, snakemake.output.md, snakemake.output.tex)
    pd.concat(tables, names=["of"]).reset_index(0).to_csv(
        snakemake.output.csv, index=False
    )


run_rule(main, snakemake.log[0])

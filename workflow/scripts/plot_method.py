"""Draw the method's diagram from the jobs of the shown variant."""

import json
from pathlib import Path

import matplotlib as mpl

from mid_core.figures import STYLE, save
from mid_core.figures_method import Node, method_figure
from mid_core.progress import run_rule
from mid_core.store import Store, store_path


def network(path: str, column: float) -> Node:
    card = json.loads(Path(path).read_text())
    ratio, steps = card["masking"]["ratio"], card["training"]["iterations"]
    low, high = ratio if isinstance(ratio, list) else (ratio, ratio)
    hidden = f"{100 * low:g} %" if low == high else f"{100 * low:g}–{100 * high:g} %"
    k = card["round"]
    return Node("network", column, f"$D_{k}$", f"{hidden} hidden\n{steps} steps")


def store(path: str, kind: str, column: float, title: str) -> Node:
    count = len(Store(store_path(path)))
    word = "fields" if kind == "noise" else "images"
    return Node(kind, column, title, f"{count} {word}")


def main() -> None:
    made = snakemake.input
    banks = [path for name, path in made.items() if name.startswith("N_")]
    models = [path for name, path in made.items() if name.startswith("D_")]
    middle = len(models) - 0.5
    nodes = {"X": store(made["X"], "images", middle, "clean $X$")}
    nodes["Y"] = store(made["Y"], "noisy", middle, "noisy $Y$")
    edges = {}
    for k, (bank, model) in enumerate(zip(banks, models, strict=True)):
        title = f"noise $N_{k}$" if k else "white $N_0$"
        nodes[f"N_{k}"] = store(bank, "noise", 2 * k, title)
        nodes[f"D_{k}"] = network(model, 2 * k + 1)
        edges[f"D_{k}"] = ["X", f"N_{k}"]
        if k:
            edges[f"N_{k}"] = ["Y", f"D_{k - 1}"]
    with mpl.rc_context(STYLE):
        save(method_figure(nodes, edges), *snakemake.output)


run_rule(main, snakemake.log[0])

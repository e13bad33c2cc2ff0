"""Draw the method's diagram from what the jobs of the shown variant left."""

import json
from pathlib import Path

import pandas as pd

from mid_config.numbers import percent
from mid_core.figures.method import (
    CLEAN,
    NETWORK,
    NOISE,
    NOISY,
    Node,
    method_figure,
)
from mid_core.figures.style import draw
from mid_core.jobs.rule import run_rule
from mid_core.store import Store

# What a bank is, by the stage that made it, and how its colour is known.
BANKS = {
    "awgn_bank": "white noise",
    "measured_bank": "noise as seen",
    "true_noise": "true noise",
    "extract_noise": "noise",
    "distillation_targets": "targets",
}


def hidden_share(ratio: float | list[float]) -> str:
    """Write a ratio, or the lowest and the highest."""
    ratios = ratio if isinstance(ratio, list) else [ratio]
    return "–".join(percent(one) for one in ratios) + " %"


def texts(known: dict) -> list[str]:
    """The values that may be hashes of what something was made of."""
    return [value for value in known.values() if isinstance(value, str)]


def network(path: str, k: int) -> Node:
    card = json.loads(Path(path).read_text())
    ratio, steps = card["masking"]["mask_ratio"], card["training"]["iterations"]
    text = f"{hidden_share(ratio)} hidden,\n{steps} steps"
    others = texts({key: card[key] for key in card if key != "sha256"})
    return Node((k, NETWORK), f"$D_{{{k}}}$", text, "", card["sha256"], others)


def images(path: str, place: tuple[float, int], title: str) -> Node:
    store = Store.of(path)
    return Node(place, title, f"{len(store)} images", "", store.content)


def bank(path: str, k: int) -> Node:
    store = Store.of(path)
    word = BANKS[store.attributes["made_by"]["stage"]]
    name = word if word == "true noise" else f"N_{k}"
    title, text = f"$N_{{{k}}}$", f"{word},\n{len(store)} fields"
    made_of = texts(store.attributes)
    return Node((k, NOISE), title, text, name, store.content, made_of)


def answers(path: str, network: str, k: int) -> dict[str, Node]:
    """The test: an image's masks, the mean of what the last network makes of them."""
    scores = pd.read_csv(path)
    last = scores[scores["k"] == scores["k"].max()]
    masks, hidden = last["k"].iloc[0], last["mask_ratio"].iloc[0]
    count, test = last["image"].nunique(), last["test"].iloc[0]
    column = k + 1
    mean = f"mean of {masks}\npredictions" if masks > 1 else "its prediction"
    masked = f"K = {masks},\n{hidden_share(json.loads(str(hidden)))} hidden"
    made_of = ["masks", network]
    return {
        "y": Node((column, NOISY), "noisy $y$", f"{test},\n{count} images", "", "y"),
        "masks": Node((column, NOISE), "$M * y$", masked, "", "masks", ["y"]),
        "mean": Node(
            (column, NETWORK), f"$D_{{{k}}}(M * y)$", mean, "", "mean", made_of
        ),
        "answer": Node(
            (column, CLEAN), "answer $\\hat{x}$", "clipped", "", "", ["mean"]
        ),
    }


def main() -> None:
    made = snakemake.input
    banks = [path for name, path in made.items() if name.startswith("N_")]
    models = [path for name, path in made.items() if name.startswith("D_")]
    last = len(models) - 1
    nodes = {
        "X": images(made["X"], (last / 2, CLEAN), "clean $X$"),
        "Y": images(made["Y"], (last / 2, NOISY), "noisy $Y$"),
    }
    for k, (own, model) in enumerate(zip(banks, models, strict=True)):
        nodes |= {f"N_{k}": bank(own, k), f"D_{k}": network(model, k)}
    nodes |= answers(made["scores"], nodes[f"D_{last}"].content, last)
    draw(method_figure, nodes, to=snakemake.output)


run_rule(main, snakemake.log[0])

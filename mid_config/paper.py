"""The paper's tables: the variants that they compare, and their rows."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mid_config.merging import merge
from mid_config.numbers import percent, percent_name
from mid_config.pools import has_truth


class Row(NamedTuple):
    """A row of a table.

    Attributes
    ----------
    label
        What the row is called.
    variant
        Whose scores; with further seeds, also its repetitions'.
    round
        Which; None: the last.
    masks
        K, the predictions averaged; None: as many as were scored.
    """

    label: str
    variant: str
    round: int | None = None
    num_masks: int | None = None


class Table(NamedTuple):
    """A table: its title, its rows, and whether it also tells what a network costs."""

    title: str
    rows: list[Row]
    cost: bool = False


def repetition(variant: str, seed: int) -> str:
    """The name of a variant that is run again with another seed."""
    return f"{variant}_seed_{seed}"


def paper_variants(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the variants that a config's section ``paper`` stands for, by name.

    A variant that the config itself has under such a name is taken as it is.
    """
    paper, variants = config["paper"], config["variants"]
    base = variants[paper["variant"]] or {}
    method = merge(config["method"], base)
    first, *_ = method["rounds"]
    unmasked = [one | {"mask_ratio": 0} for one in method["rounds"]]
    changes: dict[str, dict[str, Any]] = {"unmasked": {"rounds": unmasked}}
    if has_truth(config["pools"].get(method["noisy"], {"reader": ""})):
        changes["ceiling"] = {"initial_noise": "true_noise", "rounds": unmasked[:1]}
    changes["ensemble"] = {"evaluation": {"num_masks": paper["num_masks"]}}
    for ratio in dict.fromkeys([0, *paper["mask_ratios"]]):
        own = {"rounds": [first | {"mask_ratio": ratio}]}
        changes[f"ratio_{percent_name(ratio)}"] = own
    if method.get("initial_noise") == "measured":
        # It stands for plain training on white noise, whatever the variant begins with.
        changes["ratio_00"] |= {"initial_noise": "awgn"}
    for name, network in paper["networks"].items():
        changes[f"net_{name}"] = {"network": network}
    changes |= _distilled(paper) | _inpainters(config)
    made = {name: merge(base, change) for name, change in changes.items()}
    once = {paper["variant"]: base} | made | _taken(variants, made)
    for seed in paper["seeds"]:
        made |= {repetition(v, seed): _seeded(own, seed) for v, own in once.items()}
    return made | _taken(variants, made)


def _taken(variants: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """The config's own variants under names that the section ``paper`` gives, too."""
    return {name: variants[name] or {} for name in made.keys() & variants.keys()}


def _seeded(own: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """A variant with another seed, whose teacher has that seed, too."""
    if "teacher" not in own:
        return {**own, "seed": seed}
    teacher = repetition(own["teacher"]["variant"], seed)
    return merge(own, {"seed": seed, "teacher": {"variant": teacher}})


def _distilled(paper: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The small network of Table 7, which MID teaches; it sees all pixels."""
    wanted = paper["distilled"]
    if not wanted:
        return {}
    teacher = {name: wanted[name] for name in ("targets", "num_masks", "recharge")}
    change = {
        "initial_noise": "teacher",
        "teacher": {"variant": paper["variant"], **teacher},
        "network": wanted["network"],
        "training": wanted["training"],
        "rounds": [{"mask_ratio": 0}],
        "evaluation": {"mask_ratio": None},
    }
    return {"distilled": change}


def inpainters(config: Mapping[str, Any]) -> dict[float, str]:
    """Return the inpainter's variant for each mask ratio of Figure 4."""
    wanted = config["paper"]["inpainting"] if config["tests"] else None
    ratios = sorted(wanted["mask_ratios"]) if wanted else []
    return {ratio: f"inpaint_{percent_name(ratio)}" for ratio in ratios}


def _inpainters(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Networks that see clean images only, and are scored on those of a test."""
    changes, wanted = {}, config["paper"]["inpainting"]
    for ratio, name in inpainters(config).items():
        held_out = {key: wanted[key] for key in ("crops", "checks")}
        changes[name] = {
            "initial_noise": "awgn",
            "awgn": {"sigma": [0, 0], "count": 1},
            "held_out": {"pool": config["tests"][0], **held_out},
            "training": wanted["training"],
            "rounds": [{"mask_ratio": ratio}],
            "evaluation": {"num_masks": [1], "mask_ratio": None, "of": "truth"},
        }
    return changes


def paper_tables(config: Mapping[str, Any]) -> dict[str, Table]:
    """Return the paper's tables 2 to 7 and that of its Figure 4, by file name."""
    paper, base = config["paper"], config["paper"]["variant"]
    method = merge(config["method"], config["variants"][base] or {})
    network = method["network"]["name"]
    first = f"ratio_{percent_name(0)}"
    nets = [Row(name, f"net_{name}") for name in paper["networks"]]
    ratios = [
        Row(f"{percent(r)} %", f"ratio_{percent_name(r)}") for r in paper["mask_ratios"]
    ]
    counts = [Row(f"K = {k}", "ensemble", None, k) for k in sorted(paper["num_masks"])]
    components = [
        Row("MID", base),
        Row("without masks", "unmasked"),
        Row("without refinement", base, 0),
        Row("without ensemble", base, None, 1),
        Row("without any: white noise alone", first),
    ]
    cost = [Row("MID", base), Row("MID, one mask", base, None, 1)]
    cost.append(Row("without masks, one pass", "unmasked"))
    cost += (
        [Row("distilled, one unmasked pass", "distilled")] if paper["distilled"] else []
    )
    inpainting = [Row(f"{percent(r)} %", v) for r, v in inpainters(config).items()]
    choices = [Row(variant, variant) for variant in paper["choices"]]
    tables = {
        "networks": Table("Architectures (Table 2)", [Row(network, base), *nets], True),
        "by_round": Table("Rounds (Table 3)", _every_round(config)),
        "components": Table("Components (Table 4)", components),
        "ensemble": Table("Masks in the ensemble (Table 5)", counts),
        "ratios": Table("Hidden in the first round (Table 6)", ratios),
        "cost": Table("Quality against cost (Table 7)", cost, True),
        "inpainting": Table("Inpainting of clean images (Figure 4)", inpainting),
        "choices": Table("Choices on which the paper is silent", choices),
    }
    return {name: table for name, table in tables.items() if table.rows}


def _every_round(config: Mapping[str, Any]) -> list[Row]:
    """Rows for each round of the paper's variant, and of others that have several."""
    variants = dict.fromkeys([config["paper"]["variant"], *config["tables"]["rounds"]])
    rounds = {v: range(len(config["variants"][v]["rounds"])) for v in variants}
    return [
        Row(f"{v} {k}", v, k)
        for i, v in enumerate(variants)
        for k in rounds[v]
        if i == 0 or len(rounds[v]) > 1
    ]

"""Where each row of the paper's tables comes from: files of scores and of costs."""

from typing import Any

from mid_config.numbers import percent_name
from mid_config.paper import Table, paper_tables, repetition
from mid_config.plan import Plan


def table_rows(plan: Plan, table: Table) -> list[dict[str, Any]]:
    """Return where each row of a table comes from, in plain values.

    Returns
    -------
    For each row ``label``, ``masks``, ``scores`` (a list of files, a test each, for
    each seed), and ``cost`` (a file, or None).
    """
    rows = []
    for row in table.rows:
        k = len(plan.rounds[row.variant]) - 1 if row.round is None else row.round
        scores = [
            [plan.scores(variant, k, test) for test in plan.tests]
            for variant in _with_repetitions(plan, row.variant)
        ]
        cost = plan.cost(row.variant, k) if table.cost else None
        one = {
            "label": row.label,
            "num_masks": row.num_masks,
            "scores": scores,
            "cost": cost,
        }
        rows.append(one)
    return rows


def compared_methods(plan: Plan) -> list[dict[str, Any]]:
    """Return the methods of Table 1 that are measured here, in plain values.

    Returns
    -------
    For each ``method``, ``category``, ``scores`` (files), and ``saw``: the pool that its
    training sees the noisy half of, or the true noise, and which; empty where neither.
    """
    paper = plan.config.get("paper")
    if not (paper and plan.tests):
        return []
    folder = f"results/{plan.dataset}/baselines"
    methods = [
        {
            "method": baseline.upper(),
            "category": "non-learning",
            "saw": ("", ""),
            "scores": [f"{folder}/{baseline}/scores/{test}.csv" for test in plan.tests],
        }
        for baseline in paper["baselines"]
    ]
    for variant, (method, category) in _compared_variants(plan).items():
        last = len(plan.rounds[variant]) - 1
        scores = [
            plan.scores(one, last, test)
            for one in _with_repetitions(plan, variant)
            for test in plan.tests
        ]
        own = {"method": method, "category": category, "scores": scores}
        methods.append(own | {"saw": _saw(plan, variant)})
    return methods


def _compared_variants(plan: Plan) -> dict[str, tuple[str, str]]:
    """The variants in Table 1: what each is called there, and its category."""
    paper = plan.config["paper"]
    known = {
        f"ratio_{percent_name(0)}": ("white noise, no mask", "synthetic pairs"),
        paper["variant"]: ("MID", "unpaired"),
        "distilled": ("MID, distilled", "unpaired"),
        "ceiling": ("true noise, no mask", "supervised"),
    }
    known |= {variant: (variant, "unpaired") for variant in paper["compared"]}
    return {variant: how for variant, how in known.items() if variant in plan.rounds}


def paper_rounds(plan: Plan) -> list[tuple[str, int]]:
    """Return every round, variant and number, of the variants in the paper's tables."""
    tables = paper_tables(plan.config).values()
    variants = [row.variant for table in tables for row in table.rows]
    variants += _compared_variants(plan)
    shown = [one for variant in variants for one in _with_repetitions(plan, variant)]
    return [
        (one, k) for one in dict.fromkeys(shown) for k in range(len(plan.rounds[one]))
    ]


def _saw(plan: Plan, variant: str) -> tuple[str, str]:
    """Return the noisy pool that a variant trains on, and what it sees of it."""
    method = plan.methods[variant]
    if method["initial_noise"] == "true_noise":
        return method["noisy"], "true noise"
    if method["initial_noise"] == "teacher" or len(plan.rounds[variant]) > 1:
        return method["noisy"], "noisy halves"
    return "", ""


def _with_repetitions(plan: Plan, variant: str) -> list[str]:
    """A variant and its repetitions; one that a table only borrows has none."""
    seeds = plan.config["paper"]["seeds"]
    repeated = [repetition(variant, seed) for seed in seeds]
    return [variant, *(one for one in repeated if one in plan.rounds)]

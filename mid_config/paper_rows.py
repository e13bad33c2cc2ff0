"""Where each row of the paper's tables comes from: files of scores and of costs."""

from typing import Any

from mid_config.comparison import compared_variants, with_repetitions
from mid_config.paper import Table, paper_tables
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
            for variant in with_repetitions(plan, row.variant)
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


def paper_rounds(plan: Plan) -> list[tuple[str, int]]:
    """Return every round, variant and number, of the variants in the paper's tables."""
    tables = paper_tables(plan.config).values()
    variants = [row.variant for table in tables for row in table.rows]
    variants += compared_variants(plan)
    shown = [one for variant in variants for one in with_repetitions(plan, variant)]
    return [
        (one, k) for one in dict.fromkeys(shown) for k in range(len(plan.rounds[one]))
    ]

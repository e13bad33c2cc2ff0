"""Which job waits for which: the graph of a config, as Snakemake has it.

The rules say the same by their inputs; a test holds the two together.
"""

from mid_config.plan import Plan
from mid_core.jobs.every_job import every_job

Edges = dict[str, set[str]]


def needs(plan: Plan) -> Edges:
    """Return the results for which each result waits.

    Parameters
    ----------
    plan
        What has to be made.
    """
    edges = _of_pools(plan) | _of_rounds(plan) | _of_results(plan)
    wanted = {result: edges.get(result, set()) for result in every_job(plan)}
    # Last of all, the lineage gathers what every job opened.
    (lineage,) = (result for result in wanted if result.endswith("/lineage.csv"))
    return wanted | {lineage: wanted.keys() - {lineage}}


def _of_pools(plan: Plan) -> Edges:
    edges, manifests = {}, set()
    for pool in plan.pools():
        split = plan.split(pool)
        for stack in plan.stacks(pool):
            manifest = plan.pool(pool, stack)
            files = plan.files(pool, stack)
            edges |= {files: {split} if split else set(), manifest: {files}}
            manifests.add(manifest)
    return edges | {f"results/{plan.dataset}/data/checked.json": manifests}


def _pair(plan: Plan, pool: str) -> set[str]:
    return {plan.pool(pool), plan.pool(pool, "truth")}


def _of_rounds(plan: Plan) -> Edges:
    edges = {}
    for variant, rounds in plan.rounds.items():
        for k, one in enumerate(rounds):
            bank, model = plan.bank(variant, k), plan.model(variant, k)
            if maker := plan.maker(variant, k):
                edges[bank] = {plan.pool(one.extract["pool"]), plan.model(*maker)}
            elif "pool" in one.extract:
                edges[bank] = _pair(plan, one.extract["pool"])
            edges[model] = {plan.pool(one.train["pool"]), bank}
            if held_out := one.train.get("held_out"):
                edges[model].add(plan.pool(held_out["pool"], "truth"))
            of = one.evaluate.get("of", "image")
            for test in plan.tests:
                seen = {plan.pool(test, of), plan.pool(test, "truth")}
                edges[plan.scores(variant, k, test)] = {model, *seen}
    return edges


def _of_results(plan: Plan) -> Edges:
    folder, shown = f"results/{plan.dataset}", plan.shown()
    table, rounds = f"{folder}/tables/rounds.csv", range(len(plan.rounds[shown]))
    models = {plan.model(shown, k) for k in rounds}
    banks = {plan.bank(shown, k) for k in rounds}
    if (noisy := plan.methods[shown]["noisy"]) in plan.ceilings(plan.asked()):
        banks.add(f"{folder}/truth/{noisy}/noise.manifest.json")
    edges = {
        table: {plan.model(*one) for one in plan.table_rounds() if plan.tests}
        | {
            plan.scores(*one, test)
            for one in plan.table_rounds()
            for test in plan.tests
        },
        f"{folder}/figures/noise.png": banks,
        f"{folder}/figures/training.png": {
            plan.model(*one) for one in plan.own_rounds()
        },
    }
    if plan.tests:
        edges[f"{folder}/figures/rounds.png"] = {table}
        edges[f"{folder}/figures/crops.png"] = models | _pair(plan, plan.tests[0])
    for name, one in plan.submissions.items():
        variant = one["variant"] or next(iter(plan.rounds))
        last = plan.model(variant, len(plan.rounds[variant]) - 1)
        edges[plan.denoised(name)] = {plan.pool(one["pool"]), last}
        edges[plan.bundle(name)] = {plan.denoised(name)}
    return edges

"""The rows of the table of methods, and the pictures: where each comes from."""

from typing import Any

from mid_config.numbers import percent_name
from mid_config.paper import repetition
from mid_config.plan import Plan

# Round 0 without a mask.
WHITE_NOISE = f"ratio_{percent_name(0)}"
# What tables say that a training saw of a pool.
SAW = {"noisy": "noisy halves", "targets": "noisy halves", "pairs": "truths"}


def compared_rows(plan: Plan) -> list[dict[str, Any]]:
    """Return the methods that are measured here, in plain values.

    Returns
    -------
    For each ``method``, ``category``, ``note``; ``level``: of noise, as a method without
    training is given it, else empty; ``saw``: what its trainings see of each pool, by
    pool; ``given``: its trainings in words; ``cost``: a file, empty for a method without
    a network; and ``runs``, one for each seed: ``scores`` (files, a test each) and
    ``models`` (the cards of all of its trainings, the last one answers).
    """
    if not plan.tests:
        return []
    rows = [_of_variant(plan, *one) for one in compared_variants(plan).items()]
    return rows + [_of_method(plan, name) for name in _methods(plan)]


def compared_variants(plan: Plan) -> dict[str, tuple[str, str]]:
    """The variants in the table: what each is called there, and its category."""
    paper = plan.config.get("paper")
    if not paper:
        return {v: (v, _category(plan, v)) for v in dict(plan.table_rounds())}
    known = {
        WHITE_NOISE: ("white noise, no mask", "synthetic pairs"),
        paper["variant"]: ("MID", "unpaired"),
        "distilled": ("MID, distilled", "unpaired"),
        "ceiling": ("true noise, no mask", "supervised"),
    }
    for variant in paper["compared"]:
        category = _category(plan, variant)
        name = f"MID, {variant}" if category == "unpaired" else variant
        known[variant] = name, category
    return {variant: how for variant, how in known.items() if variant in plan.methods}


def _category(plan: Plan, variant: str) -> str:
    method = plan.methods[variant]
    if method["initial_noise"] == "true_noise":
        return "supervised"
    alone = len(method["rounds"]) == 1 and method["initial_noise"] == "awgn"
    return "synthetic pairs" if alone else "unpaired"


def _of_variant(plan: Plan, variant: str, how: tuple[str, str]) -> dict[str, Any]:
    method, last = plan.methods[variant], len(plan.rounds[variant]) - 1
    saw = {}
    if method["initial_noise"] == "true_noise":
        saw = {method["noisy"]: "true noise"}
    elif method["initial_noise"] != "awgn" or last:
        saw = {method["noisy"]: SAW["noisy"]}
    return {
        "method": how[0],
        "category": how[1],
        "note": "",
        "level": "",
        "saw": saw,
        "given": _given(plan, variant),
        "cost": plan.cost(variant, last),
        "runs": [_run(plan, one) for one in with_repetitions(plan, variant)],
    }


def _of_method(plan: Plan, name: str) -> dict[str, Any]:
    own = plan.compared[name]
    row = {"method": own.label, "category": own.family, "note": own.note}
    if own.function:
        folder = f"results/{plan.dataset}/baselines/{name}/scores"
        scores = [f"{folder}/{test}.csv" for test in plan.tests]
        level = own.options.get("level")
        saw = {test: "truths" for test in plan.tests if level == "true"}
        if level == "spectrum":
            # That of MID's last bank, which was taken from its noisy images.
            saw = {plan.methods[plan.paper_variant()]["noisy"]: SAW["noisy"]}
        runs = [{"scores": scores, "models": []}]
        return row | {"level": level, "saw": saw, "given": [], "cost": "", "runs": runs}
    saw = {}
    for one in own.rounds:
        pools = one.train.get("pools", {}).items()
        saw |= {pool: SAW[role] for role, pool in pools if role in SAW}
    runs = [_run(plan, one) for one in with_repetitions(plan, name)]
    cost = plan.cost(name, len(own.rounds) - 1)
    given = _given(plan, name)
    how = {"level": "", "saw": saw, "given": given, "cost": cost, "runs": runs}
    return row | how


def _run(plan: Plan, name: str) -> dict[str, list[str]]:
    """Where the scores and the models of a variant or a method are."""
    last = len(plan.rounds[name]) - 1
    scores = [plan.scores(name, last, test) for test in plan.tests]
    return {"scores": scores, "models": plan.models(name)}


def _given(plan: Plan, name: str) -> list[str]:
    """What each training is given, in words: steps, crops, and of what."""
    given = []
    for k, one in enumerate(plan.rounds[name]):
        if own := one.train.get("training"):
            size = "{iterations} x {batch_size} x {patch_size}²".format(**own)
            seen = plan.seen(name, k).items()
            what = [_in_words(role, path) for role, path in seen if role != "before"]
            given.append(f"{size} of {' + '.join(what)}")
    return given


def _in_words(role: str, path: str) -> str:
    """Name what a training sees: a pool, the truths of one, a noise bank, targets."""
    *_, kind, pool, file = path.split("/")
    if kind != "data" or role == "noise":
        return role
    return f"{pool}'s truths" if file.startswith("truth") else pool


def with_repetitions(plan: Plan, name: str) -> list[str]:
    """A variant or a method, and its repetitions; what a table only borrows has none."""
    seeds = plan.config.get("paper", {}).get("seeds", [])
    repeated = [repetition(name, seed) for seed in seeds]
    return [name, *(one for one in repeated if one in plan.rounds)]


def _methods(plan: Plan) -> list[str]:
    """The compared methods, without their repetitions."""
    each = (with_repetitions(plan, name)[1:] for name in plan.compared)
    repeated = {one for own in each for one in own}
    return [name for name in plan.compared if name not in repeated]


def shown_method(plan: Plan, variant: str) -> str:
    """The key of the method that it is all about: the last round of a variant."""
    return f"{variant}_{len(plan.rounds[variant]) - 1}"


def pictured_rounds(plan: Plan) -> list[dict[str, Any]]:
    """Return the pictures of a run to show beside each other, in order.

    Each round of the shown variant, then the last of each other variant in the table.

    Returns
    -------
    Plain values: for each ``key`` (a file name) and ``label``, and ``model``, a card,
    with the ``settings`` of its evaluation.
    """
    shown = plan.shown()
    rounds = [
        _trained(plan, shown, k, f"{shown}, round {k}")
        for k in range(len(plan.rounds[shown]))
    ]
    more = [variant for variant in dict(plan.table_rounds()) if variant != shown]
    return rounds + [_last(plan, variant, variant) for variant in more]


def pictured_methods(plan: Plan) -> list[dict[str, Any]]:
    """Return the pictures of the table of methods, as ``pictured_rounds`` does a run's.

    With a section ``paper`` the network trained on white noise, each round of the
    paper's variant, the network that it taught, the ceiling; then the compared methods.
    One without training has ``function`` and ``options`` instead of a model.
    """
    if not (paper := plan.config.get("paper")):
        return pictured_rounds(plan) + _pictured_others(plan)
    variant = paper["variant"]
    rounds = [
        _trained(plan, variant, k, f"MID, round {k}")
        for k in range(len(plan.rounds[variant]))
    ]
    white = _last(plan, WHITE_NOISE, "white noise, no mask")
    others = {"distilled": "MID, distilled", "ceiling": "true noise, no mask"}
    known = [_last(plan, v, text) for v, text in others.items() if v in plan.rounds]
    return [white, *rounds, *known, *_pictured_others(plan)]


def _pictured_others(plan: Plan) -> list[dict[str, Any]]:
    found = []
    for name in _methods(plan):
        own = plan.compared[name]
        if own.function:
            how = {"function": own.function, "options": dict(own.options)}
            found.append({"key": name, "label": own.label} | how)
        else:
            found.append(_last(plan, name, own.label))
    return found


def _last(plan: Plan, variant: str, label: str) -> dict[str, Any]:
    return _trained(plan, variant, len(plan.rounds[variant]) - 1, label)


def _trained(plan: Plan, variant: str, k: int, label: str) -> dict[str, Any]:
    settings = plan.rounds[variant][k].evaluate
    masks = settings["num_masks"][-1] if settings["masking"]["mask_ratio"] else 1
    return {
        "key": f"{variant}_{k}",
        "label": f"{label}, K = {masks}" if masks > 1 else label,
        "model": plan.model(variant, k),
        "settings": settings,
    }

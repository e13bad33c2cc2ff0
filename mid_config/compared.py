"""The methods whose pictures are compared, and where each of them comes from."""

from typing import Any

from mid_config.numbers import percent_name
from mid_config.plan import Plan

# Round 0 without a mask.
WHITE_NOISE = f"ratio_{percent_name(0)}"


def shown_method(plan: Plan) -> str:
    """The key of the method that it is all about: the last round of the shown variant."""
    variant = _shown(plan)
    return f"{variant}_{len(plan.rounds[variant]) - 1}"


def pictured_methods(plan: Plan) -> list[dict[str, Any]]:
    """Return the methods to show beside each other, in order and in plain values.

    Methods without training, the one trained on white noise, each round of the shown
    variant, the network that it taught, the ceiling; without a section ``paper`` each
    round of the shown variant, then the last of each other variant.

    Returns
    -------
    For each ``key`` (a file name) and ``label``; then ``baseline``, a method without
    training, or ``model``, a card, with the ``settings`` of its evaluation.
    """
    paper = plan.config.get("paper")
    shown = _shown(plan)
    rounds = [
        _trained(plan, shown, k, f"{'MID' if paper else shown}, round {k}")
        for k in range(len(plan.rounds[shown]))
    ]
    if not paper:
        more = [variant for variant in plan.rounds if variant != shown]
        return rounds + [_last(plan, variant, variant) for variant in more]
    baselines = [
        {"key": baseline, "label": baseline.upper(), "baseline": baseline}
        for baseline in paper["baselines"]
    ]
    white = _last(plan, WHITE_NOISE, "white noise, no mask")
    others = {"distilled": "MID, distilled", "ceiling": "true noise, no mask"}
    known = [_last(plan, v, text) for v, text in others.items() if v in plan.rounds]
    return [*baselines, white, *rounds, *known]


def _shown(plan: Plan) -> str:
    paper = plan.config.get("paper")
    return paper["variant"] if paper else plan.shown()


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

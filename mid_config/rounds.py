"""A round's settings: only what its numbers depend on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mid_config.automatic import AUTO
from mid_config.merging import merge
from mid_config.numbers import decimal

# How a batch is computed: other processes or parts give the same numbers.
PARALLELISM = ("gpus", "gradient_accumulation")


@dataclass(frozen=True)
class Round:
    """One round of one variant, with the settings of its three stages."""

    extract: dict[str, Any]
    train: dict[str, Any]
    evaluate: dict[str, Any]


def parallelism(method: Mapping[str, Any], k: int) -> dict[str, int]:
    """How round ``k`` computes a batch: ``gpus`` and ``gradient_accumulation``."""
    training = own_settings(method, "training", k)
    return {name: training[name] for name in PARALLELISM}


def extraction_gpus(method: Mapping[str, Any], k: int) -> int:
    """How many GPUs, or processes on a CPU, share the extraction for round ``k``."""
    return int(own_settings(method, "extraction", k)["gpus"])


def own_settings(method: Mapping[str, Any], stage: str, k: int) -> dict[str, Any]:
    """A stage's settings in round ``k``; a taught one has changes of its own."""
    taught = method["taught"] if method["rounds"][k].get("taught") else {}
    settings = merge(method[stage], taught.get(stage, {}))
    return merge(settings, method["rounds"][k].get(stage, {}))


def _tracked(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in PARALLELISM}


def lessons(method: Mapping[str, Any], k: int) -> Mapping[str, Any] | None:
    """How round ``k`` learns from a teacher's predictions; None: it does not."""
    if k == 0 and method["initial_noise"] == "teacher":
        own: Mapping[str, Any] = method["teacher"]
        return own
    taught: Mapping[str, Any] = method["taught"]
    return taught if method["rounds"][k].get("taught") else None


def _extract(method: Mapping[str, Any], k: int) -> dict[str, Any]:
    """What the bank of round ``k`` depends on, besides the network that makes it."""
    seed, noisy = {"seed": method["seed"]}, {"pool": method["noisy"]}
    extraction = _tracked(own_settings(method, "extraction", k))
    # The network's own brightness is no key: older banks stay what they are.
    if extraction["brightness"] == "predicted":
        del extraction["brightness"]
    first = {"round": k} if k else {"initial_noise": method["initial_noise"]}
    if taught := lessons(method, k):
        asked = {name: taught[name] for name in ("targets", "num_masks")}
        own = {n: v for n, v in extraction.items() if n == "brightness"}
        return first | noisy | asked | own | seed
    if k:
        before = method["rounds"][k - 1]["mask_ratio"]
        masking = {"mask_ratio": before, **method["mask"]}
        return {**extraction, **noisy, "masking": masking, **seed, **first}
    if first["initial_noise"] == "true_noise":
        return first | noisy
    drawn = method["awgn"]
    if first["initial_noise"] == "awgn" and drawn["sigma"] != AUTO:
        return {**first, **drawn, **seed}
    # White, if it is asked for, or correlated as it is seen.
    own = {name: drawn[name] for name in ("count", "size")}
    return {**first, **noisy, **own, **seed}


def round_settings(method: Mapping[str, Any], k: int) -> Round:
    """Settings of round ``k``: only what its numbers depend on."""
    own, taught = method["rounds"][k], lessons(method, k)
    evaluation = method["evaluation"]
    ratio = evaluation["mask_ratio"]
    ratio = own["mask_ratio"] if ratio is None else ratio
    # Where they are not set, they are no keys: other trainings stay what they are.
    more = {"recharge": taught["recharge"]} if taught else {}
    if taught and taught["clean_share"]:
        more |= {"clean": method["clean"], "clean_share": taught["clean_share"]}
    more |= {name: method[name] for name in ("held_out",) if name in method}
    return Round(
        extract=_extract(method, k),
        train={
            "pool": method["noisy" if taught else "clean"],
            "network": method["network"],
            "training": _tracked(own_settings(method, "training", k)),
            "masking": {"mask_ratio": own["mask_ratio"], **method["mask"]},
            "clip": method["clip"],
            "seed": method["seed"],
            "round": k,
            **({"trials": method["trials"]} if own["mask_ratio"] == AUTO else {}),
            **more,
        },
        evaluate={
            # Without hidden pixels all predictions are one and the same.
            "num_masks": sorted(evaluation["num_masks"]) if ratio != 0 else [1],
            "masking": {"mask_ratio": ratio, **method["mask"]},
            "protocols": evaluation["protocols"],
            "seed": method["seed"],
            **({"of": evaluation["of"]} if "of" in evaluation else {}),
        },
    )


def measured_name(settings: Mapping[str, Any]) -> str:
    """A readable name that no other bank of measured noise has."""
    size = f"{settings['count']}x{settings['size']}px"
    kind = "white_" if settings["initial_noise"] == "awgn" else ""
    return f"{settings['pool']}_{kind}{size}_seed_{settings['seed']}"


def is_measured(extract: Mapping[str, Any]) -> bool:
    """Whether a first bank is drawn by what the noisy images show."""
    return "pool" in extract and "count" in extract


def awgn_name(settings: Mapping[str, Any]) -> str:
    """A readable name that no other bank of white noise has."""
    low, high = settings["sigma"]
    size = f"{settings['count']}x{settings['size']}px"
    return f"sigma_{decimal(low)}-{decimal(high)}_{size}_seed_{settings['seed']}"


def key(*parts: object) -> str:
    """Make one short text of settings, equal where they are.

    Short, as it becomes a part of the next one: that of a round, of the round's after it.
    """
    # As floats: 0 and 0.0 are one setting.
    plain = json.loads(json.dumps(parts), parse_int=float)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()

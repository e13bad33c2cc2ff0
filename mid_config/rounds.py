"""A round's settings: only what its numbers depend on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    training = _own(method, "training", k)
    return {name: training[name] for name in PARALLELISM}


def extraction_gpus(method: Mapping[str, Any], k: int) -> int:
    """How many GPUs, or processes on a CPU, share the extraction for round ``k``."""
    return int(_own(method, "extraction", k)["gpus"])


def _own(method: Mapping[str, Any], stage: str, k: int) -> dict[str, Any]:
    """A stage's settings in round ``k``."""
    return merge(method[stage], method["rounds"][k].get(stage, {}))


def _tracked(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in PARALLELISM}


def is_distilled(method: Mapping[str, Any], k: int) -> bool:
    """Whether round ``k`` learns from a teacher's predictions."""
    return k == 0 and method["initial_noise"] == "teacher"


def _extract(method: Mapping[str, Any], k: int) -> dict[str, Any]:
    """What the bank of round ``k`` depends on, besides the network that makes it."""
    seed, noisy = {"seed": method["seed"]}, {"pool": method["noisy"]}
    if k:
        before = method["rounds"][k - 1]["mask_ratio"]
        return {
            **_tracked(_own(method, "extraction", k)),
            **noisy,
            "masking": {"mask_ratio": before, **method["mask"]},
            **seed,
            "round": k,
        }
    first = {"initial_noise": method["initial_noise"]}
    if is_distilled(method, k):
        teacher = method["teacher"]
        return first | noisy | {n: teacher[n] for n in ("targets", "num_masks")} | seed
    return first | (
        method["awgn"] | seed if first["initial_noise"] == "awgn" else noisy
    )


def round_settings(method: Mapping[str, Any], k: int) -> Round:
    """Settings of round ``k``: only what its numbers depend on."""
    own, taught = method["rounds"][k], is_distilled(method, k)
    evaluation = method["evaluation"]
    ratio = evaluation["mask_ratio"]
    ratio = own["mask_ratio"] if ratio is None else ratio
    # Where they are not set, they are no keys: other trainings stay what they are.
    more = {"recharge": method["teacher"]["recharge"]} if taught else {}
    more |= {name: method[name] for name in ("held_out",) if name in method}
    return Round(
        extract=_extract(method, k),
        train={
            "pool": method["noisy" if taught else "clean"],
            "network": method["network"],
            "training": _tracked(_own(method, "training", k)),
            "masking": {"mask_ratio": own["mask_ratio"], **method["mask"]},
            "clip": method["clip"],
            "seed": method["seed"],
            "round": k,
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

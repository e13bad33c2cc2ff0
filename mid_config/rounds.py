"""A round's settings: only what its numbers depend on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from mid_config.loading import merge


@dataclass(frozen=True)
class Round:
    """One round of one variant, with the settings of its three stages."""

    extract: dict
    train: dict
    evaluate: dict


def round_settings(method: Mapping, k: int) -> Round:
    """Settings of round ``k``: only what its numbers depend on."""
    own = method["rounds"][k]
    before = method["rounds"][k - 1]["mask_ratio"] if k else None
    extract = {"first_bank": method["first_bank"]}
    if k:
        extract = {
            **merge(method["extraction"], own.get("extraction", {})),
            "pool": method["noisy"],
            "masking": {"ratio": before, **method["mask"]},
            "seed": method["seed"],
            "round": k,
        }
    elif method["first_bank"] == "awgn":
        extract |= {**method["awgn"], "seed": method["seed"]}
    else:
        extract |= {"pool": method["noisy"]}
    evaluation = method["evaluation"]
    ratio = evaluation["mask_ratio"]
    ratio = own["mask_ratio"] if ratio is None else ratio
    return Round(
        extract=extract,
        train={
            "pool": method["clean"],
            "network": method["network"],
            "training": merge(method["training"], own.get("training", {})),
            "masking": {"ratio": own["mask_ratio"], **method["mask"]},
            "clip": method["clip"],
            "seed": method["seed"],
            "round": k,
        },
        evaluate={
            # Without hidden pixels all predictions are one and the same.
            "masks": sorted(evaluation["masks"]) if ratio != 0 else [1],
            "masking": {"ratio": ratio, **method["mask"]},
            "protocols": evaluation["protocols"],
            "seed": method["seed"],
        },
    )


def key(*parts: object) -> str:
    """Make one text of settings, equal where they are."""
    # As floats: 0 and 0.0 are one setting.
    return json.dumps(json.loads(json.dumps(parts), parse_int=float), sort_keys=True)

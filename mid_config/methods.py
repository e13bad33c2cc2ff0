"""The compared methods of a config: completed by what their files say, and as rounds.

A method's trainings are rounds of its own, which the same rules make, save, resume and
score as MID's; equal ones of two methods are made once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mid_config import registry
from mid_config.merging import merge
from mid_config.paper import repetition
from mid_config.rounds import PARALLELISM, Round

# Keys of a training that mean nothing here: a method brings its loss, and one process.
NOT_HERE = (*PARALLELISM, "loss")
# Nothing is hidden from its networks by us.
UNMASKED = {"mask_ratio": 0}


@dataclass(frozen=True)
class Compared:
    """A method beside MID.

    Attributes
    ----------
    label, family, note
        What tables call it, its kind, and what the config says about it.
    rounds
        Its trainings; none: it has none.
    function, options
        Of a method without training: its file in mid_core/methods, and what it is given.
    """

    label: str
    family: str
    note: str
    rounds: tuple[Round, ...] = ()
    function: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def unfolded(entry: Mapping[str, Any], method: Mapping[str, Any]) -> Compared:
    """Return what a completed entry under ``compared`` stands for.

    Parameters
    ----------
    entry
        As ``completed`` returns it, with all defaults.
    method
        The config's section ``method``.
    """
    about = {name: entry[name] for name in ("label", "family", "note")}
    if "options" in entry:
        return Compared(**about, function=entry["method"], options=entry["options"])
    if "weights" in entry:
        read = {"weights": entry["weights"], "round": 0}
        return Compared(**about, rounds=(Round({}, read, _asked(entry, method)),))
    stages = enumerate(entry["stages"].values())
    rounds = (_round(stage, k, entry, method) for k, stage in stages)
    return Compared(**about, rounds=tuple(rounds))


def _round(
    stage: Mapping[str, Any],
    k: int,
    entry: Mapping[str, Any],
    method: Mapping[str, Any],
) -> Round:
    white = {"initial_noise": "awgn", **method["awgn"], "seed": entry["seed"]}
    pools = {role: entry[role] for role in stage["sees"] if role in entry}
    own: dict[str, Any] = {"pools": pools, "pool": next(iter(pools.values()))}
    own |= {"masking": UNMASKED, "seed": entry["seed"], "round": k}
    return Round(
        extract=white if "white" in stage["sees"] else {},
        train={**stage, **own},
        evaluate=_asked(entry, method),
    )


def _asked(entry: Mapping[str, Any], method: Mapping[str, Any]) -> dict[str, Any]:
    """How it is scored: one pass, nothing hidden."""
    return {
        "num_masks": [1],
        "masking": UNMASKED,
        "protocols": method["evaluation"]["protocols"],
        "seed": entry["seed"],
    }


def completed(
    entry: Mapping[str, Any], name: str, method: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an entry with all that its method's file says where it is silent.

    Parameters
    ----------
    entry
        As the config has it.
    name
        Of the entry: its method, too, unless it says another.
    method
        The config's section ``method``.

    Raises
    ------
    LookupError
        If it cannot be, with a sentence.
    """
    common = {role: method[role] for role in ("noisy", "clean", "seed")}
    common |= {"label": name, "note": ""}
    if "weights" in entry:
        useless = ("method", "options", "stages", *_FOR_ALL, "pairs")
        _refuse_useless(entry, useless, "published weights are taken as they are")
        return common | {"family": "supervised"} | dict(entry)
    own = entry.get("method", name)
    if own not in (known := registry.methods()):
        raise LookupError(
            f"there is no method '{own}' (there are: {', '.join(known)}): say under "
            "`method` which one is meant, or under `weights` which file"
        )
    file = registry.method(own)
    common |= {"method": own, "family": file["family"]}
    common |= {"label": file["label"]} if own == name else {}
    _refuse(entry, own, file)
    if "options" in file:
        options = merge(file["options"], entry.get("options", {}))
        return common | dict(entry) | {"options": options}
    stages, left = {}, {n: v for n, v in entry.items() if n not in _FOR_ALL}
    for stage, default in file["stages"].items():
        for_all = {name: entry[name] for name in _FOR_ALL if name in entry}
        changes = entry.get("stages", {}).get(stage, {})
        stages[stage] = merge(merge(default, for_all), changes)
    return common | left | {"stages": stages}


def again(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the trained methods once more for each further seed of ``paper.seeds``."""
    named, seeds = config["compared"], config.get("paper", {}).get("seeds", [])
    made = {repetition(name, seed) for name in named for seed in seeds}
    return {
        repetition(name, seed): {**one, "seed": seed}
        for name, one in named.items()
        for seed in seeds
        # A whole config has them already.
        if "stages" in one and name not in made
    }


# What an entry says about all of its stages.
_FOR_ALL = ("network", "training")


def _refuse(entry: Mapping[str, Any], own: str, file: Mapping[str, Any]) -> None:
    """Refuse changes that would change nothing, and truths that nobody named."""
    stages = file.get("stages", {})
    if stages:
        _refuse_useless(entry, ["options"], f"{own} has no options of its own")
    else:
        _refuse_useless(entry, ["stages", *_FOR_ALL], f"{own} is not trained")
    changes = entry.get("stages", {})
    if unknown := [stage for stage in changes if stage not in stages]:
        raise LookupError(
            f"'stages.{unknown[0]}' is not a training of {own} (there are: "
            f"{', '.join(stages)})"
        )
    is_supervised = any("pairs" in one["sees"] for one in stages.values())
    if not is_supervised:
        _refuse_useless(entry, ["pairs"], f"{own} sees no truths")
    elif "pairs" not in entry:
        raise LookupError(
            f"{own} is supervised: name under `pairs` the pool whose truths it may see"
        )


def _refuse_useless(entry: Mapping[str, Any], useless: Iterable[str], why: str) -> None:
    if wrong := [key for key in useless if key in entry]:
        raise LookupError(f"'{wrong[0]}' has no meaning here: {why}")


def schema_of(
    entry: Mapping[str, Any], definitions: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the schema of a completed entry: what its method's file says of it.

    Parameters
    ----------
    entry
        As ``completed`` returns it.
    definitions
        Those of the config's schema.
    """
    known = registry.method(entry["method"]) if "method" in entry else {}
    own = {}
    if "options" in known:
        own["options"] = _options_schema(known["options"])
    if "levels" in known:
        own["options"]["properties"]["level"] = {"enum": list(known["levels"])}
    if "stages" in known:
        training = dict(definitions["training"])
        usual = training["properties"].items()
        training["properties"] = {n: v for n, v in usual if n not in NOT_HERE}
        stages = {
            name: _stage_schema(one, training) for name, one in known["stages"].items()
        }
        own["stages"] = {"type": "object", "properties": stages}
    return {"type": "object", "properties": own, "$defs": definitions}


def _stage_schema(
    default: Mapping[str, Any], training: Mapping[str, Any]
) -> dict[str, Any]:
    own: dict[str, Any] = {key: {"const": default[key]} for key in ("does", "sees")}
    own |= {"version": {"type": "integer"}, "network": {"$ref": "#/$defs/network"}}
    own["training"] = training
    for part in ("options", "answer"):
        if part in default:
            own[part] = _options_schema(default[part])
    return {"type": "object", "additionalProperties": False, "properties": own}


def _options_schema(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Options of the kind that their defaults are."""
    properties = {name: _kind(value) for name, value in defaults.items()}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _kind(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, str):
        return {"type": "string"}
    if isinstance(value, list):
        return {"type": "array", "minItems": 1, "items": _kind(value[0])}
    return {"type": "integer" if isinstance(value, int) else "number", "minimum": 0}

"""What mid_core's networks, methods and data sets say of their keys, without importing them.

A config is checked on a login node in a second or two, and without torch: the tables of
names and each module's `KEYS` are read from their source text.
"""

import ast
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

PACKAGE = Path(__file__).parents[1] / "mid_core"


def constant(module: str, name: str) -> Any:
    """Return the value that a module of mid_core gives to a name, written out there.

    Parameters
    ----------
    module
        Path below mid_core, without ``.py``.
    """
    for node in ast.parse((PACKAGE / f"{module}.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise LookupError(f"mid_core/{module}.py has no constant {name}")


def networks() -> list[str]:
    """Names of the networks."""
    return list(constant("networks/__init__", "NETWORKS"))


def readers() -> list[str]:
    """Names of the data sets' readers."""
    return list(constant("datasets/__init__", "READERS"))


def methods() -> list[str]:
    """Names of the compared methods."""
    return list(constant("methods/__init__", "METHODS"))


def needs_no_training(name: str) -> bool:
    """Whether a compared method has this name, and denoises without a training."""
    return name in methods() and "stages" not in method(name)


@cache
def method(name: str) -> Mapping[str, Any]:
    """Return what a method's file says: its ``label`` and ``family``, and its trainings.

    These are ``stages``; or for a method without training its ``options``, changes to
    them that take a minute a megapixel, ``quick``, and what its option ``level`` may be,
    ``levels``. A stage that
    is another method's is named, as ``at_bsn.teacher``.
    """
    file = f"methods/{name}"
    found: dict[str, Any] = {
        key.lower(): constant(file, key) for key in ("LABEL", "FAMILY")
    }
    for key in ("STAGES", "OPTIONS", "QUICK"):
        with suppress(LookupError):
            found[key.lower()] = YAML(typ="safe").load(constant(file, key)) or {}
    if "level" in found.get("options", {}):
        # A file's own names, or those that every method without training takes.
        found["levels"] = constant("methods/levels", "NUMBERS")
        with suppress(LookupError):
            found["levels"] = constant(file, "LEVELS")
    for stage, own in found.get("stages", {}).items():
        if isinstance(own, str):
            other, its = own.split(".")
            found["stages"][stage] = method(other)["stages"][its]
    return found


def keys(module: str) -> dict[str, dict[str, Any]]:
    """Return the keys of a network or a data set, as JSON schema."""
    return dict(YAML(typ="safe").load(constant(module, "KEYS")))


def add_registered(definitions: dict[str, Any]) -> None:
    """Add every network and data set to the definitions of the config's schema."""
    _add(definitions, "network", "name", "networks", networks())
    _add(definitions, "pool", "reader", "datasets", readers())


def _add(
    definitions: dict[str, Any], part: str, key: str, folder: str, names: list[str]
) -> None:
    """Add what one key of a part of the config chooses, each with keys of its own."""
    whole = definitions[part]
    chosen = whole["properties"][key]
    chosen["enum"], whole["allOf"] = names, []
    for name in names:
        own = keys(f"{folder}/{name}")
        # Of a data set, where it does not say a default.
        required = [
            k for k in ("path", "part") if "default" not in own.get(k, "default")
        ]
        definitions[name] = {
            "additionalProperties": False,
            "required": required,
            "properties": {key: True, **own},
        }
        condition: dict[str, Any] = {"properties": {key: {"const": name}}}
        if chosen.get("default") != name:
            condition["required"] = [key]
        whole["allOf"].append({"if": condition, "then": {"$ref": f"#/$defs/{name}"}})

"""What mid_core's networks and data sets say of their keys, without importing them.

A config is checked on a login node in a second or two, and without torch: the tables of
names and each module's `KEYS` are read from their source text.
"""

import ast
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


def keys(module: str) -> dict[str, dict[str, Any]]:
    """Return the keys of a network or a data set, as JSON schema."""
    return YAML(typ="safe").load(constant(module, "KEYS"))


def add_registered(definitions: dict[str, Any]) -> None:
    """Add every network and reader to the definitions of the config's schema.

    Of a reader's keys, `path` and `part` are required where they have no default.
    """
    for part, key, folder, names in (
        ("network", "name", "networks", networks()),
        ("pool", "reader", "datasets", readers()),
    ):
        whole = definitions[part]
        chosen = whole["properties"][key]
        chosen["enum"], whole["allOf"] = names, []
        for name in names:
            own = keys(f"{folder}/{name}")
            needed = [
                k
                for k in ("path", "part")
                if "default" not in own.get(k, {"default": 0})
            ]
            definitions[name] = {
                "additionalProperties": False,
                "properties": {key: True, **own},
                "required": needed,
            }
            condition = {"properties": {key: {"const": name}}}
            if chosen.get("default") != name:
                condition["required"] = [key]
            whole["allOf"].append(
                {"if": condition, "then": {"$ref": f"#/$defs/{name}"}}
            )

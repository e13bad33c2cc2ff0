"""Settings over settings."""

from collections.abc import Mapping
from typing import Any

CHOOSING = ("name", "reader")


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``changes``; mappings merge, anything else replaces.

    So does a mapping with another ``name``, of a network, or ``reader``, of a data set:
    each has keys of its own.
    """
    merged = dict(base)
    for name, value in changes.items():
        old = merged.get(name)
        if (
            isinstance(value, Mapping)
            and isinstance(old, Mapping)
            and all(value.get(key, old.get(key)) == old.get(key) for key in CHOOSING)
        ):
            merged[name] = merge(old, value)
        else:
            merged[name] = value
    return merged

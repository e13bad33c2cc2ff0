"""Settings over settings."""

from collections.abc import Mapping


def merge(base: Mapping, changes: Mapping) -> dict:
    """Return ``base`` with ``changes``; mappings merge, anything else replaces.

    So does a mapping with another ``name``: what it names has keys of its own.
    """
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(old, Mapping)
        if both and value.get("name", old.get("name")) == old.get("name"):
            merged[key] = merge(old, value)
        else:
            merged[key] = value
    return merged

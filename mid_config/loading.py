"""Read config files so that a mistake stops at once, with its key and its line."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from mid_config.automatic import unfold
from mid_config.errors import ConfigError
from mid_config.merging import merge
from mid_config.methods import again, completed, schema_of
from mid_config.paper import paper_variants
from mid_config.reading import read_yaml
from mid_config.schema import check, fill_defaults, partial, plain, read_schema

COMMAND_LINE = "--config"
# What Snakemake leaves as text: on the command line everything inside mappings; of files
# numbers such as 1e-4, while a quoted "true" is meant as text there.
TEXT_FOR = {COMMAND_LINE: (int, float, bool, type(None))}
NUMBERS = (int, float)
# Sections that null switches off.
SWITCHED_OFF_BY_NULL = ("held_out", "paper", "submissions", "teacher")


def _typed(value: Any, kinds: tuple[type, ...]) -> Any:
    """Give values of these kinds their type back, which Snakemake leaves as text."""
    if isinstance(value, Mapping):
        return {key: _typed(inner, kinds) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_typed(inner, kinds) for inner in value]
    if not isinstance(value, str):
        return value
    # As YAML, a pattern such as *.png is a mistake, and a date no text.
    with suppress(YAMLError):
        typed = YAML(typ="safe").load(value)
        return typed if type(typed) in kinds else value
    return value


def load_config(
    paths: Sequence[Path], overrides: Mapping[str, Any], said_by: str = COMMAND_LINE
) -> dict[str, Any]:
    """Read config files, later ones over earlier ones, then ``overrides``.

    Keys and types are checked in each file alone; what is required, and what depends on
    other keys, in all of them together.

    Parameters
    ----------
    paths
        YAML files.
    overrides
        What was given on the command line, or by a Snakefile that uses ours.
    said_by
        By which of them, for a mistake.

    Returns
    -------
    Plain dictionary with every default filled in.

    Raises
    ------
    ConfigError
        At the first mistake.
    """
    rules = read_schema()
    # A variant is complete only with the method, and is checked so below.
    changes = {"additionalProperties": {"type": ["object", "null"]}}
    properties = rules["properties"] | {
        "variants": rules["properties"]["variants"] | changes
    }
    written = {str(path): read_yaml(Path(path)) for path in paths}
    given = overrides or not written
    typed = _typed(overrides, TEXT_FOR.get(said_by, NUMBERS))
    parts = written | ({said_by: typed} if given else {})
    merged: dict[str, Any] = {}
    part_rules = partial(rules)
    for name, content in parts.items():
        check(content, part_rules, name, {name: content})
        merged = merge(merged, plain(content))
    source = " + ".join(parts)
    check(merged, rules | {"properties": properties}, source, written)
    merged = _without_absent(merged)
    merged["method"] = unfold(_without_absent(merged["method"]))
    if "variants" in merged:
        own = merged["variants"].items()
        merged["variants"] = {name: unfold(changes or {}) for name, changes in own}
    filled: dict[str, Any] = fill_defaults(merged, rules, rules)
    if "paper" in filled:
        _add_paper(filled, source)
    method = {"$ref": "#/$defs/method", "$defs": rules["$defs"]}
    for name, changes in filled["variants"].items():
        whole = _without_absent(merge(filled["method"], changes or {}))
        check(whole, method, f"{source}, variant '{name}'")
        filled["variants"][name] = fill_defaults(whole, method, rules)
    _add_compared(filled, rules, source)
    return filled


def _without_absent(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the sections that are null: so a later file switches one off."""
    kept = {
        key: value
        for key, value in settings.items()
        if value is not None or key not in SWITCHED_OFF_BY_NULL
    }
    for section in kept.keys() & {"submissions", "compared"}:
        wanted = kept[section].items()
        kept[section] = {name: one for name, one in wanted if one is not None}
    return kept


def _add_paper(config: dict[str, Any], source: str) -> None:
    """Add the variants of the section ``paper``."""
    variants, base = config["variants"], config["paper"]["variant"]
    if base not in variants:
        raise ConfigError(
            f"{source}: paper.variant: '{base}' is not a variant (there are: "
            f"{', '.join(variants)})"
        )
    # The table of rounds is of the variants that the config itself names.
    config["tables"]["rounds"] = config["tables"]["rounds"] or list(variants)
    variants |= paper_variants(config)


def _add_compared(
    config: dict[str, Any], rules: Mapping[str, Any], source: str
) -> None:
    """Complete the compared methods by what their files say."""
    for name, entry in config["compared"].items():
        where = f"{source}, compared method '{name}'"
        try:
            whole = completed(entry, name, config["method"])
        except LookupError as error:
            raise ConfigError(f"{where}: {error.args[0]}") from error
        own = schema_of(whole, rules["$defs"])
        check(whole, own, where)
        config["compared"][name] = fill_defaults(whole, own, rules)
    config["compared"] |= again(config)

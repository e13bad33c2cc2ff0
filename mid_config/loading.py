"""Read config files so that a mistake stops at once, with its key and its line."""

import copy
import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from mid_config.automatic import unfold
from mid_config.errors import ConfigError
from mid_config.merging import merge
from mid_config.paper import paper_variants
from mid_config.reading import line_of, read_yaml
from mid_config.registry import add_registered

# Sections that null switches off.
SWITCHED_OFF_BY_NULL = ("held_out", "paper", "submissions", "teacher")

# Keys that were renamed, and how they are called now.
RENAMED = {
    "accumulate": "gradient_accumulation",
    "batch": "batch_size",
    "check_room": "check_disk_space",
    "ema": "ema_decay",
    "final_learning_rate": "min_learning_rate",
    "first_bank": "initial_noise",
    "fold": "pixel_unshuffle",
    "gradient_clip": "max_grad_norm",
    "masks": "num_masks",
    "patch": "patch_size",
    "ratio": "mask_ratio",
    "ratios": "mask_ratios",
    "rivals": "baselines",
}


def _sentence(error: ValidationError) -> tuple[list[str | int], str]:
    """Return the keys to the culprit, and what is wrong with it."""
    keys = list(error.absolute_path)
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = [key for key in error.instance if key not in known]
        if (renamed := RENAMED.get(unknown[0])) in known:
            return [*keys, unknown[0]], f"is called '{renamed}' now"
        close = difflib.get_close_matches(unknown[0], known, 1, 0.5)
        hint = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}"
        return [*keys, unknown[0]], f"is not a known key; {hint}"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return keys, f"lacks the key '{missing[0]}'"
    if error.validator == "type":
        wanted = error.validator_value
        wanted = wanted if isinstance(wanted, str) else " or ".join(wanted)
        return keys, f"must be of type {wanted}, not {error.instance!r}"
    if error.validator in ("enum", "const"):
        values = error.validator_value
        values = [str(v) for v in (values if isinstance(values, list) else [values])]
        close = difflib.get_close_matches(str(error.instance), values, 1, 0.5)
        hint = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(values)}"
        return keys, f"cannot be {error.instance!r}; {hint}"
    if error.validator == "pattern":
        named = "must be up to 80 letters, digits, - and _, the first a letter or digit"
        return keys, f"cannot be {error.instance!r}: a name {named}"
    return keys, error.message


def _resolve(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow the schema's references to where it is spelled out."""
    while "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    return schema


def _parts(
    value: Mapping[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    """Yield the schema, and what it says where its conditions hold."""
    schema = _resolve(schema, root)
    yield schema
    for part in schema.get("allOf", []):
        condition = {**part["if"], "$defs": root["$defs"]}
        if Draft202012Validator(condition).is_valid(value):
            yield _resolve(part["then"], root)


def fill_defaults(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]
) -> Any:
    """Return ``value`` with the schema's defaults where it is silent."""
    if not isinstance(value, Mapping):
        return value
    filled = dict(value)
    for part in _parts(value, schema, root):
        known, others = part.get("properties", {}), part.get("additionalProperties")
        known = {key: inner for key, inner in known.items() if inner is not True}
        if isinstance(others, Mapping):
            known |= dict.fromkeys(filled.keys() - known.keys(), others)
        for key, inner in known.items():
            inner = _resolve(inner, root)
            if key not in filled and "default" in inner:
                filled[key] = copy.deepcopy(inner["default"])
            if key in filled:
                filled[key] = fill_defaults(filled[key], inner, root)
    return filled


def plain(value: Any) -> Any:
    """Return the value in Python's own types, as a repr is stable only for those."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _typed(value: Any) -> Any:
    """Give numbers their type back: Snakemake leaves them as text inside mappings."""
    if isinstance(value, Mapping):
        return {key: _typed(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_typed(inner) for inner in value]
    if not isinstance(value, str):
        return value
    # As YAML, a pattern such as *.png is a mistake, and a date no text.
    with suppress(YAMLError):
        typed = YAML(typ="safe").load(value)
        return typed if isinstance(typed, int | float | None) else value
    return value


def check(
    content: Any,
    schema: Mapping[str, Any],
    source: str,
    files: Mapping[str, Any] | None = None,
) -> None:
    """Stop at the first mistake in ``content``.

    Parameters
    ----------
    content, schema
        What is checked, and against what.
    source
        Where it comes from.
    files
        The content of each file that it was merged from, for the line of a mistake.

    Raises
    ------
    ConfigError
        With the source, the line where it is known, the key, and a suggestion.
    """
    error = best_match(Draft202012Validator(schema).iter_errors(content))
    if error is None:
        return
    keys, problem = _sentence(error)
    for name, written in reversed(list((files or {}).items())):
        if line := line_of(written, keys):
            source = f"{name}, line {line}"
            break
    raise ConfigError(f"{source}: '{'.'.join(map(str, keys)) or 'config'}' {problem}")


@cache
def read_schema() -> dict[str, Any]:
    """Read the schema, and add the keys of every network and data set."""
    text = files("mid_config").joinpath("config.schema.yaml").read_text("utf-8")
    schema: dict[str, Any] = plain(YAML(typ="safe").load(text))
    add_registered(schema["$defs"])
    return schema


def partial(schema: Any) -> Any:
    """Return the schema for a part of the settings, which others complete.

    Nothing is required, and what depends on a key holds only where that key is given.
    """
    if isinstance(schema, list):
        return [partial(inner) for inner in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: partial(inner) for key, inner in schema.items() if key != "required"}
    if "if" in kept:
        kept["if"]["required"] = list(kept["if"]["properties"])
    return kept


def load_config(
    paths: Sequence[Path], overrides: Mapping[str, Any], said_by: str = "--config"
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
    parts = written | ({said_by: _typed(overrides)} if given else {})
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
    return filled


def _without_absent(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the sections that are null: so a later file switches one off."""
    kept = {
        key: value
        for key, value in settings.items()
        if value is not None or key not in SWITCHED_OFF_BY_NULL
    }
    if "submissions" in kept:
        wanted = kept["submissions"].items()
        kept["submissions"] = {name: one for name, one in wanted if one is not None}
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

"""The config's schema: mistakes as sentences, with their key and line, and defaults."""

import copy
import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from ruamel.yaml import YAML

from mid_config.errors import ConfigError
from mid_config.reading import line_of
from mid_config.registry import add_registered

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

"""Read config files so that a mistake stops at once, with its key and its line."""

import copy
import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from mid_config.errors import ConfigError
from mid_config.merging import merge
from mid_config.paper import paper_variants
from mid_config.registry import add_registered

# References in YAML can make a few lines unfold to more than any memory holds.
MOST_VALUES = 10_000

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


def read_yaml(path: Path) -> Any:
    """Read a YAML 1.2 file, in which 1e-4 is a number, remembering its lines.

    Raises
    ------
    ConfigError
        If the file is missing, is not YAML, gives a key twice, or holds infinite
        numbers, NaN, or more values than any config.
    """
    if not path.is_file():
        raise ConfigError(f"there is no config file at {path.absolute()}")
    try:
        content = YAML(typ="rt").load(path)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1
        text = path.read_text().splitlines()[line - 1].strip()
        raise ConfigError(
            f"{path}, line {line}: '{text.split(':')[0]}' is given twice; keep one"
        ) from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}, line {line}: {error.problem}") from error
    except (YAMLError, RecursionError) as error:
        why = " ".join(str(error).split())
        raise ConfigError(f"{path} is no config, but something else: {why}") from error
    if not isinstance(content, Mapping):
        raise ConfigError(f"{path} holds no settings")
    _check_values(path, content)
    return content


def _check_values(path: Path, content: Mapping[str, Any]) -> None:
    for number, (keys, value) in enumerate(_unfold(content, ())):
        if number > MOST_VALUES:
            raise ConfigError(f"{path} holds more than {MOST_VALUES} values")
        if isinstance(value, float) and not math.isfinite(value):
            where = f"{path}, line {_line(content, keys)}: '{'.'.join(map(str, keys))}'"
            raise ConfigError(f"{where} must be a finite number, not {value}")


def _unfold(value: Any, keys: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield every value with the keys that lead to it."""
    yield keys, value
    pairs = enumerate(value) if isinstance(value, list) else ()
    for key, inner in value.items() if isinstance(value, Mapping) else pairs:
        yield from _unfold(inner, (*keys, key))


def _line(content: Any, keys: Sequence[str | int]) -> int | None:
    """Line on which the innermost key that exists stands."""
    line = None
    for key in keys:
        try:
            position = (
                content.lc.key(key) if isinstance(key, str) else content.lc.item(key)
            )
            content = content[key]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
        line = position[0] + 1
    return line


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
    return YAML(typ="safe").load(value) if isinstance(value, str) else value


def check(content: Any, schema: Mapping[str, Any], source: str) -> None:
    """Stop at the first mistake in ``content``.

    Raises
    ------
    ConfigError
        With the source, the line where it is known, the key, and a suggestion.
    """
    error = best_match(Draft202012Validator(schema).iter_errors(content))
    if error is not None:
        keys, problem = _sentence(error)
        line = _line(content, keys)
        where = f"{source}, line {line}" if line else source
        raise ConfigError(
            f"{where}: '{'.'.join(map(str, keys)) or 'config'}' {problem}"
        )


@cache
def read_schema(path: Path) -> dict[str, Any]:
    """Read the schema, and add the keys of every network and data set."""
    schema: dict[str, Any] = plain(YAML(typ="safe").load(path))
    add_registered(schema["$defs"])
    return schema


def load_config(
    paths: Sequence[Path], schema: Path, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """Read config files, later ones over earlier ones, then ``overrides``.

    Parameters
    ----------
    paths
        YAML files.
    schema
        JSON schema, in YAML, without the keys of networks and data sets.
    overrides
        What was given on the command line.

    Returns
    -------
    Plain dictionary with every default filled in.

    Raises
    ------
    ConfigError
        At the first mistake.
    """
    rules = read_schema(schema)
    merged: dict[str, Any] = {}
    partial = {**rules, "required": []}
    for path in paths:
        content = read_yaml(Path(path))
        check(content, partial, str(path))
        merged = merge(merged, plain(content))
    merged = merge(merged, plain(_typed(overrides)))
    source = " + ".join(map(str, paths)) + (" + --config" if overrides else "")
    check(merged, rules, source)
    filled: dict[str, Any] = fill_defaults(merged, rules, rules)
    if "paper" in filled:
        _add_paper(filled, source)
    method = {"$ref": "#/$defs/method", "$defs": rules["$defs"]}
    for name, changes in filled["variants"].items():
        whole = merge(filled["method"], changes or {})
        check(whole, method, f"{source}, variant '{name}'")
        filled["variants"][name] = fill_defaults(whole, method, rules)
    return filled


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

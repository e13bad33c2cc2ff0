"""Read a YAML file as people write it, so that a mistake is told with its line."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from mid_config.errors import ConfigError

# References in YAML can make a few lines unfold to more than any memory holds.
MOST_VALUES = 200_000


def read_yaml(path: Path) -> Any:
    """Read a YAML 1.2 file, in which 1e-4 is a number, remembering its lines.

    Raises
    ------
    ConfigError
        If the file is missing or cannot be read, is not YAML in UTF-8, gives a key
        twice, or holds keys that are no text, infinite numbers, NaN, or more values
        than any config.
    """
    text = _text(path)
    try:
        content = YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1
        key = text.splitlines()[line - 1].strip().split(":")[0]
        raise ConfigError(
            f"{path}, line {line}: '{key}' is given twice; keep one"
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


def _text(path: Path) -> str:
    if not path.exists():
        raise ConfigError(f"there is no config file at {path.absolute()}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}, line {line}: this is not UTF-8; save the file as UTF-8"
        ) from error


def _check_values(path: Path, content: Mapping[str, Any]) -> None:
    for number, (keys, value) in enumerate(_unfold(content, ())):
        if number > MOST_VALUES:
            raise ConfigError(f"{path} holds more than {MOST_VALUES} values")
        if mistake := _mistake(value):
            line, name = line_of(content, keys), ".".join(map(str, keys))
            where = f"{path}, line {line}" if line else str(path)
            raise ConfigError(f"{where}: '{name or 'config'}' {mistake}")


def _mistake(value: Any) -> str:
    """Say what is wrong with a value, whatever its key; empty where nothing is."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"must be a finite number, not {value}"
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                return (
                    f"has the key {key!r}, but keys are names: write decimal numbers "
                    "with a point, and quote a name that is a number"
                )
    return ""


def _unfold(value: Any, keys: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield every value with the keys that lead to it."""
    yield keys, value
    pairs = enumerate(value) if isinstance(value, list) else ()
    for key, inner in value.items() if isinstance(value, Mapping) else pairs:
        yield from _unfold(inner, (*keys, key))


def line_of(content: Any, keys: Sequence[str | int]) -> int | None:
    """Line on which the last of the keys stands; None where they lead nowhere."""
    line = None
    for key in keys:
        try:
            position = (
                content.lc.key(key) if isinstance(key, str) else content.lc.item(key)
            )
            content = content[key]
        except (AttributeError, KeyError, IndexError, TypeError):
            return None
        line = position[0] + 1
    return line

"""A norm table as the text of its file, which the loader reads back unchanged."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any

from mhscreen.loading.read import read_definition
from mhscreen.problems import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mhscreen.definitions import NormTable

__all__ = ["norm_yaml"]

_PLAIN = re.compile(r"^[a-z][a-z0-9_]*$")
_BLOCKS = {"notes", "references", "scales", "strata"}
_INDENT = "  "


def norm_yaml(table: NormTable) -> str:
    """Return the text of ``norms/<instrument>/<id>.<version>.yaml``.

    Raises
    ------
    DefinitionError
        With every problem, if the loader would refuse the text.

    Examples
    --------
    >>> from mhscreen.loading import shipped_library
    >>> table = shipped_library().norm("sdq/shanghai-teacher@1").definition
    >>> norm_yaml(table).splitlines()[:2]
    ['schema: "mhscreen/norm/1"', 'id: "shanghai-teacher"']
    """
    content = table.model_dump(by_alias=True, exclude_defaults=True)
    text = "\n".join([*_mapping(content, ""), ""])
    _, problems = read_definition(text, f"{table.id}.{table.version}.yaml")
    if problems:
        raise DefinitionError(problems)
    return text


def _mapping(content: dict[str, Any], indent: str) -> Iterator[str]:
    for key, value in content.items():
        if key in _BLOCKS and value:
            yield f"{indent}{_key(key)}:"
            yield from _list(value, indent + _INDENT)
        else:
            yield f"{indent}{_key(key)}: {_flow(value)}"


def _list(values: Any, indent: str) -> Iterator[str]:
    for value in values:
        nested = isinstance(value, dict) and _BLOCKS & value.keys()
        if not nested:
            yield f"{indent}- {_flow(value)}"
            continue
        lines = list(_mapping(value, indent + _INDENT))
        yield f"{indent}- {lines[0].lstrip()}"
        yield from lines[1:]


def _flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value)


def _number(value: float) -> str:
    """Return a number without an exponent, whole ones without a point."""
    return str(int(value)) if value.is_integer() else f"{value:.12f}".rstrip("0")


def _key(key: str) -> str:
    return f'"{key}"' if key == "n" or not _PLAIN.match(key) else key

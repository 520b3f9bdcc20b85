"""JSON Schemas of the grammars, for editors and other systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mhscreen.definitions.cases import Cases
from mhscreen.loading.grammar import did_you_mean, one_of
from mhscreen.loading.library import KINDS
from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["json_schema"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of one grammar.

    Parameters
    ----------
    kind : str
        ``"instrument"``, ``"norm"``, ``"policy"``, ``"programme"`` or ``"cases"``.

    Raises
    ------
    UsageError
        If there is no such grammar.

    Examples
    --------
    >>> json_schema("norm")["title"]
    'mhscreen/norm/1'
    """
    models: dict[str, type[BaseModel]] = {**KINDS, "cases": Cases}
    if kind not in models:
        msg = f"there is no grammar {kind!r}: {one_of(models)}. {did_you_mean(kind, models)}"
        raise UsageError(msg.strip())
    name = f"mhscreen/{kind}/1"
    schema = models[kind].model_json_schema(by_alias=True)
    return {"$schema": _DIALECT, "$id": f"urn:{name.replace('/', ':')}", **schema, "title": name}

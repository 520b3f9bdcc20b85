"""What all definitions share: strict scalars, bilingual text, versions, sources, rights."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from mhscreen.definitions.words import field_words
from mhscreen.vocabulary import Evidence

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

__all__ = [
    "Count",
    "Date",
    "ExactRef",
    "Identifier",
    "Int",
    "Key",
    "Model",
    "Name",
    "Number",
    "Reference",
    "Rights",
    "Sourced",
    "Str",
    "Text",
    "Version",
    "parse_version",
]


class Model(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe every field by the text below it."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, words in field_words(cls).items():
            place = properties.get(cls.model_fields[name].alias or name)
            # What a model says of itself is not said again where it stands.
            if place and handler.resolve_ref_schema(place).get("description") != words:
                place["description"] = words
        return schema


def _date(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return dt.date.fromisoformat(value)
    msg = "a date is written YYYY-MM-DD"
    raise ValueError(msg)


Str = Annotated[str, Field(strict=True, min_length=1)]
Int = Annotated[int, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Date = Annotated[dt.date, BeforeValidator(_date)]

Identifier = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64)
]
"""The id of a definition: lower case, digits, single hyphens."""

Key = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=64)
]
"""The id of something inside a definition: lower case, digits, single underscores."""

Name = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[A-Za-z][A-Za-z0-9]*([_-][A-Za-z0-9]+)*$")
]
"""The id of a rule."""

Version = Annotated[
    str, StringConstraints(strict=True, pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$")
]
"""Three whole numbers, ``major.minor.patch``."""

ExactRef = Annotated[
    str,
    StringConstraints(
        strict=True,
        pattern=r"^[a-z][a-z0-9-]*(/[a-z][a-z0-9-]*)?@(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}$",
    ),
]
"""A definition at one exact version, ``phq9@1.0.0`` (a norm table: ``sdq/shanghai@1.0.0``)."""


class VersionNumber(NamedTuple):
    """A parsed version, compared number by number."""

    major: int
    minor: int
    patch: int


def parse_version(text: str) -> VersionNumber:
    """Parse ``major.minor.patch``.

    Examples
    --------
    >>> parse_version("1.10.0") > parse_version("1.9.3")
    True
    """
    major, minor, patch = (int(part) for part in text.split("."))
    return VersionNumber(major, minor, patch)


class Text(Model):
    """The same words in English and Simplified Chinese."""

    en: Str
    """English."""
    zh: Str
    """Simplified Chinese."""

    def label(self, language: str = "en") -> str:
        """Return the words in ``"en"`` or ``"zh"``."""
        return self.zh if language == "zh" else self.en


class Reference(Model):
    """A source, and what it supports."""

    id: Key
    """The name under which the file cites it."""
    citation: Str
    """Who, when, where."""
    doi: Str | None = None
    """Its DOI, without a host."""
    url: Str | None = None
    """Where it can be read."""
    read_on: Date | None = None
    """When somebody read it for this file; absent where it was read through another source."""
    supports: Annotated[tuple[Str, ...], Field(min_length=1)]
    """What it is cited for: items, key, missing rule, cut scores, norms, rights …"""


class Rights(Model):
    """Who holds the rights, and what may be shipped."""

    holder: Str
    """The rights holder."""
    terms: Str
    """The terms, in our own words."""
    key: Literal["shipped", "restricted"]
    """Whether the scoring key may be shipped."""
    wording: Literal["included", "withheld"]
    """Whether the item wording is in the file."""
    read_on: Date
    """When the terms were last read."""
    source: Key
    """The reference that states the terms."""


class Sourced(Model):
    """A claim with its source and how well it was checked."""

    source: Key
    """The reference that supports the claim."""
    evidence: Evidence
    """How well it was checked against its original."""

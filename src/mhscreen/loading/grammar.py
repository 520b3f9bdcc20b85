"""What the grammar says at a place, and pydantic's errors in our own words."""

from __future__ import annotations

import difflib
import re
import types
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from mhscreen.definitions import cases, common, policy, programme
from mhscreen.loading.yaml_reader import Document, Path, write_path
from mhscreen.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

__all__ = ["did_you_mean", "one_of", "pattern_of", "to_problems"]

_LONG = 60

_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "none_required": "null",
}
_LIMITS = {
    "greater_than_equal": ("ge", "at least {}"),
    "greater_than": ("gt", "above {}"),
    "less_than_equal": ("le", "at most {}"),
    "less_than": ("lt", "below {}"),
    "string_too_short": ("min_length", "a text that is not empty"),
    "string_too_long": ("max_length", "at most {} characters"),
    "finite_number": ("", "a finite number"),
}


def pattern_of(annotated: Any) -> str:
    """Return the pattern of a constrained text."""
    patterns = (getattr(meta, "pattern", None) for meta in annotated.__metadata__)
    return next(str(pattern) for pattern in patterns if pattern)


_PATTERNS = {
    pattern_of(common.Identifier): "lower-case letters and digits, joined by single hyphens",
    pattern_of(common.Key): "lower-case letters and digits, joined by single underscores",
    pattern_of(common.Name): "letters and digits, joined by single hyphens or underscores",
    pattern_of(common.Version): "a version of three numbers, like 1.0.0",
    pattern_of(common.ExactRef): "an id at an exact version, like phq9@1.0.0",
    pattern_of(policy.Dotted): "an instrument and what it holds, like phq9.total",
    pattern_of(programme.SlotName): "an instrument, or instrument@informant",
    pattern_of(programme.MonthDay): "a month and a day, like 09-30",
    pattern_of(programme.FieldPath): "a field of an entry, like critical_items.concern",
    pattern_of(cases.CriticalName): "a critical item, or critical item/concern",
    r"^([01]\d|2[0-3]):[0-5]\d$": "a time of day, like 17:00",
    r"^[A-Z]{2}(/[A-Z]{2})*$": "a country code of two capitals, like CN, or several, like AU/NL",
    r"^sha256:[0-9a-f]{64}$": "sha256: and 64 hexadecimal digits",
}


def one_of(names: Iterable[object]) -> str:
    """List what would be right.

    Examples
    --------
    >>> one_of(["self", "parent"])
    'one of: self, parent'
    """
    words = [str(name) for name in names]
    return words[0] if len(words) == 1 else f"one of: {', '.join(words)}"


def did_you_mean(name: object, names: Iterable[object]) -> str:
    """Hint at the known name that is most like a wrong one, or at nothing.

    Examples
    --------
    >>> did_you_mean("critcal_items", ["critical_items", "id"])
    "did you mean 'critical_items'?"
    """
    known = {str(n).lower(): str(n) for n in names}
    close = difflib.get_close_matches(str(name).lower()[:_LONG], known, n=1, cutoff=0.6)
    return f"did you mean '{known[close[0]]}'?" if close else ""


def to_problems(
    error: ValidationError, model: type[BaseModel], document: Document, file: str
) -> list[Problem]:
    """Say what a definition does that its grammar does not allow.

    Parameters
    ----------
    error : ValidationError
        What pydantic found.
    model : type of BaseModel
        The grammar.
    document : Document
        The data, with its places.
    file : str
        Its name.
    """
    # A value that fits no member of a union gives one error for each member: say it once.
    grouped: dict[tuple[Path, str], list[ErrorDetails]] = defaultdict(list)
    spots: dict[tuple[Path, str], _Spot] = {}
    for detail in error.errors(include_url=False):
        spot = _find(detail, model, document.data)
        key = spot.path, _sort(detail)
        grouped[key].append(detail)
        spots[key] = spot
    writer = _Writer(document, file)
    return [
        problem
        for (path, sort), details in grouped.items()
        if not document.ambiguous(path)  # already said by the reader, as MH106
        for problem in writer.write(spots[path, sort], sort, details)
    ]


def _sort(detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind in {"extra_forbidden", "missing"}:
        return kind
    if detail["loc"][-1:] == ("[key]",):
        return "key"
    return "union" if kind.startswith("union_tag") else "value"


class _Spot(NamedTuple):
    """Where an error is: the path in the data, and what the grammar allows there.

    `mapping` is the model of the innermost mapping that the path leads into.
    """

    path: Path
    members: tuple[Any, ...]
    mapping: type[BaseModel] | None


def _find(detail: ErrorDetails, model: type[BaseModel], data: Any) -> _Spot:
    """Follow pydantic's location through the grammar and the data together.

    The location also holds, for each union, the name of one member, and such a name may equal a
    key (`item: …` in a condition): only the grammar tells which is which.
    """
    path: Path = ()
    members: tuple[Any, ...] = (model,)
    mapping: type[BaseModel] | None = None
    location = detail["loc"][:-1] if detail["type"] == "missing" else detail["loc"]
    for step in location:
        if len(members) > 1:
            members = tuple(m for m in members if _is_model(m) and _telling(m) == step)
            continue
        if not members:
            continue
        (member,) = members
        if step == "[key]" and not _is_model(member):
            continue  # the key of a mapping is meant, not its value
        if _is_model(member):
            mapping = member
            field = _fields(member).get(str(step))
            members = () if field is None else _members(field.annotation)
        else:
            mapping = None
            members = _members(_inside(member, step))
        inner = dict(enumerate(data)) if isinstance(data, tuple) else data
        if isinstance(inner, dict) and step in inner:  # else one form stands for a list of one
            path, data = (*path, step), inner[step]
    return _Spot(path, members, mapping)


def _is_model(member: Any) -> bool:
    return isinstance(member, type) and issubclass(member, BaseModel)


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _telling(model: type[BaseModel]) -> str:
    """Return the key that tells a kind of condition or of case."""
    keys = _fields(model)
    return next((key for key in ("answers", "forms", "raw") if key in keys), next(iter(keys)))


def _members(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, without Annotated and None."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return tuple(m for member in get_args(annotation) for m in _members(member))
    return () if annotation is type(None) else (annotation,)


def _inside(annotation: Any, step: str | int) -> Any:
    """Return what a list or a mapping of the grammar holds."""
    arguments: tuple[Any, ...] = get_args(annotation)
    if get_origin(annotation) is tuple and isinstance(step, int):
        endless = len(arguments) > 1 and arguments[1] is ...
        return arguments[0 if endless else int(step)]
    return arguments[1] if get_origin(annotation) is dict else type(None)


class _Writer:
    """Writes the problems of one document."""

    def __init__(self, document: Document, file: str) -> None:
        self.document = document
        self.file = file

    def write(self, spot: _Spot, sort: str, details: list[ErrorDetails]) -> list[Problem]:
        path = spot.path
        if sort == "extra_forbidden":
            return [self.unknown_key(spot)]
        if sort == "missing":
            return [self.missing_key(path, detail) for detail in details]
        if sort == "union":
            return [self.unknown_kind(spot)]
        if sort == "key":
            return [self.bad_key(path, details)]
        wanted = [_WANTED[d["type"]] for d in details if d["type"] in _WANTED]
        if len(wanted) == len(details):
            return [self.wrong_type(path, list(dict.fromkeys(wanted)))]
        details = [d for d in details if d["type"] not in _WANTED and not self.only_broken(path, d)]
        return [self.bad_value(path, details)] if details else []

    def only_broken(self, path: Path, detail: ErrorDetails) -> bool:
        """Say whether a list is too short only because its broken entries do not count."""
        value = self.document.value(path)
        least = int(detail.get("ctx", {}).get("min_length") or 0)
        return detail["type"] == "too_short" and isinstance(value, tuple) and len(value) >= least

    def problem(
        self,
        code: str,
        path: Path,
        what: str,
        *,
        at_key: bool = False,
        expected: str = "",
        hint: str = "",
    ) -> Problem:
        place = self.document.key_place(path) if at_key else self.document.value_place(path)
        return Problem(code, what, expected, hint, self.file, *place, write_path(path))

    def unknown_key(self, spot: _Spot) -> Problem:
        path = spot.path
        mapping = self.document.value(path[:-1])
        known = sorted(_fields(spot.mapping)) if spot.mapping else []
        absent = [name for name in known if name not in mapping]
        return self.problem(
            "MH103",
            path,
            f"unknown key {self.quoted(path[-1])}",
            at_key=True,
            expected=one_of(known),
            hint=did_you_mean(path[-1], absent),
        )

    def missing_key(self, path: Path, detail: ErrorDetails) -> Problem:
        key = detail["loc"][-1]
        if isinstance(key, int):  # a list of a fixed length that is too short
            return self.problem("MH107", path, "too few entries", expected="exactly 2 entries")
        return self.problem("MH104", path, f"key '{key}' is missing")

    def unknown_kind(self, spot: _Spot) -> Problem:
        path = spot.path
        mapping = self.document.value(path)
        if not isinstance(mapping, dict):
            return self.wrong_type(path, ["a mapping"])
        kinds = [_telling(member) for member in spot.members]
        if not mapping:
            return self.problem("MH104", path, "an empty mapping", expected=one_of(kinds))
        hints = ((key, did_you_mean(key, kinds)) for key in mapping)
        key, hint = next(((k, h) for k, h in hints if h), (next(iter(mapping)), ""))
        return self.problem(
            "MH103",
            (*path, key),
            f"unknown key {self.quoted(key)}",
            at_key=True,
            expected=one_of(kinds),
            hint=hint,
        )

    def bad_key(self, path: Path, details: list[ErrorDetails]) -> Problem:
        expected, hint = self.allowed(path[-1], details)
        what = f"key {self.quoted(path[-1])} is not allowed"
        return self.problem("MH107", path, what, at_key=True, expected=expected, hint=hint)

    def wrong_type(self, path: Path, wanted: list[str]) -> Problem:
        value = self.document.value(path)
        text = self.document.text(path)
        number = isinstance(value, (int, float))  # true and false, too
        if value is None:
            what = "nothing stands here"
        elif isinstance(value, dict):
            what = "a mapping stands here"
        elif isinstance(value, tuple):
            what = "a list stands here"
        else:
            what = f"{self.quoted(text) if isinstance(value, str) else text} is {_called(value)}"
        hint = ""
        if isinstance(value, float) and value.is_integer() and "a whole number" in wanted:
            hint = f"write {int(value)}"
        elif number and "a text" in wanted:
            hint = f'put it in quotes: "{text}"'
        elif isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
            hint = "leave out the quotes"
        elif "a list" in wanted and value is not None:
            hint = "put it in a list: [ ]"
        return self.problem("MH105", path, what, expected=" or ".join(wanted), hint=hint)

    def bad_value(self, path: Path, details: list[ErrorDetails]) -> Problem:
        kinds = {detail["type"] for detail in details}
        value = self.document.value(path)
        expected, hint = self.allowed(value, details)
        if kinds <= {"too_short", "too_long"}:
            what = "too few entries" if "too_short" in kinds else "too many entries"
        elif isinstance(value, (dict, tuple)):
            what = "these keys do not go together"
        else:
            what = f"value {self.quoted(self.document.text(path))} is not allowed"
        return self.problem("MH107", path, what, expected=expected, hint=hint)

    def allowed(self, value: Any, details: list[ErrorDetails]) -> tuple[str, str]:
        """Return what the details allow, and what a wrong value may have meant."""
        names: list[str] = []
        words: list[str] = []
        for detail in details:
            kind, context = detail["type"], detail.get("ctx", {})
            if kind in {"enum", "literal_error"}:
                names += re.findall(r"'([^']*)'", str(context["expected"]))
            else:
                words.append(_allowance(kind, context))
        if names:
            words.insert(0, one_of(names))
        hint = did_you_mean(value, names) if isinstance(value, str) else ""
        return ", or ".join(dict.fromkeys(word for word in words if word)), hint

    @staticmethod
    def quoted(name: object) -> str:
        text = str(name)
        return repr(text if len(text) <= _LONG else text[: _LONG - 1] + "…")


def _allowance(kind: str, context: Mapping[str, Any]) -> str:
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(context["pattern"]), "another form")
    if kind in {"too_short", "too_long"}:
        least, most = context.get("min_length"), context.get("max_length")
        number = least if kind == "too_short" else most
        word = "at least" if kind == "too_short" else "at most"
        return f"{word} {number} {'entry' if number == 1 else 'entries'}"
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        limit = context.get(name)
        if isinstance(limit, float) and limit.is_integer():
            limit = int(limit)
        return words.format(limit)
    return str(context["error"]) if "error" in context else ""


def _called(value: object) -> str:
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, (int, float)):
        return "a number"
    return "a text"

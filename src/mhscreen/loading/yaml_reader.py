"""YAML text to plain data, with the place of every key and value.

Only what all YAML readers understand alike is accepted: a plain scalar that YAML 1.1 and 1.2
type differently is a problem, and so are tags, merge keys, second documents and keys that are
not text. The tree is built from the parser's events, so that depth and alias limits hold before
anything is expanded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from mhscreen.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MAX_ALIASES",
    "MAX_BYTES",
    "MAX_COPIES",
    "MAX_DEPTH",
    "Document",
    "Path",
    "Place",
    "decode",
    "read_yaml",
    "too_large",
    "write_path",
]

MAX_BYTES = 2_000_000
"""The largest file that is read."""
MAX_DEPTH = 40
"""The deepest nesting of lists and mappings."""
MAX_ALIASES = 100
"""The most aliases, each counted as often as it would be written out."""
MAX_COPIES = 100_000
"""The most values that all aliases together stand for."""

Path = tuple[str | int, ...]
"""Keys and list positions from the top of a file to a value."""

Place = tuple[int, int]
"""Line and column, both one-based."""

_AMBIGUOUS = (
    (re.compile(r"(?i)^(yes|no|on|off|y|n)$"), "a truth value or a text"),
    (re.compile(r"^[-+]?0[0-9_]+$"), "an octal number, a decimal number or a text"),
    (re.compile(r"(?i)^[-+]?0[xob][0-9a-f_]+$"), "a number or a text"),
    (re.compile(r"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$"), "a time, a number or a text"),
    (re.compile(r"^[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?$"), "a number or a text"),
    (re.compile(r"^[-+]?0[0-9_]+\.[0-9_]*$"), "a number or a text"),
    (re.compile(r"(?i)^[-+]?\.inf$|^\.nan$"), "a number or a text"),
    (re.compile(r"^=$"), "a text or a tag"),
)
_WHOLE = re.compile(r"^[-+]?[0-9]+$")
_DECIMAL = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_PLAIN_DECIMAL = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+][0-9]+)?$")
# Where there are more digits, readers that know only float64 round.
_WHOLE_DIGITS, _DIGITS = 15, 17
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_KEYS_ALLOWED = frozenset({"n", "y", "N", "Y"})  # unambiguous as keys: all keys are text


@dataclass(slots=True)
class _Node:
    """One value as composed: its data, its place, and the nodes below it."""

    data: Any
    place: Place
    text: str = ""
    children: dict[str | int, tuple[Place, _Node]] = field(default_factory=dict)
    ambiguous: bool = False
    aliases: int = 0
    size: int = 1
    height: int = 0

    def hold(self, key: str | int, place: Place, child: _Node) -> None:
        """Put a child below this node."""
        self.children[key] = place, child
        self.aliases += child.aliases
        self.size += child.size
        self.height = max(self.height, 1 + child.height)


@dataclass(frozen=True, slots=True)
class Document:
    """What one file says, and where it says it.

    Attributes
    ----------
    data : object
        Mappings as dict, lists as tuple, scalars as str, int, float, bool or None.
    """

    data: Any
    _root: _Node

    def _walk(self, path: Path) -> tuple[Place, _Node, bool]:
        place, node = self._root.place, self._root
        for step in path:
            if step not in node.children:
                return place, node, False
            place, node = node.children[step]
        return place, node, True

    def value_place(self, path: Path) -> Place:
        """Return where a value stands, or the innermost part of its path that exists."""
        return self._walk(path)[1].place

    def key_place(self, path: Path) -> Place:
        """Return where a key stands (of a list entry: the entry)."""
        return self._walk(path)[0]

    def text(self, path: Path) -> str:
        """Return a scalar as it was written, without its quotes."""
        return self._walk(path)[1].text

    def ambiguous(self, path: Path) -> bool:
        """Say whether a value was already refused as ambiguous."""
        return self._walk(path)[1].ambiguous

    def value(self, path: Path) -> Any:
        """Return the value at a path, or None where there is none."""
        _, node, found = self._walk(path)
        return node.data if found else None

    def lines(self, depth: int) -> Iterator[tuple[str, int]]:
        """Yield the written path and the line of everything down to a depth."""
        pending: list[tuple[Path, Place, _Node]] = [((), self._root.place, self._root)]
        while pending:
            path, place, node = pending.pop(0)
            if path:
                yield write_path(path), place[0]
            if len(path) < depth:
                pending.extend(((*path, k), p, n) for k, (p, n) in node.children.items())


class _Stopped(Exception):  # noqa: N818  (control flow inside this module)
    """The rest of the file cannot be read."""


def write_path(path: Path) -> str:
    """Write a path as people read it.

    Examples
    --------
    >>> write_path(("scales", 0, "missing", "min_answered"))
    'scales[0].missing.min_answered'
    """
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[\w-]{1,64}", step):
            text += f".{step}" if text else step
        else:
            text += f"[{step[:40]!r}]"
    return text


def too_large(size: int, file: str) -> Problem:
    """Return the problem of a file that is too large to be a definition."""
    return Problem(
        "MH108",
        f"the file has {size} bytes",
        expected=f"at most {MAX_BYTES} bytes",
        file=file,
        line=1,
        column=1,
    )


def decode(data: bytes, file: str) -> tuple[str | None, list[Problem]]:
    """Decode the bytes of a file, which must be UTF-8 (a byte order mark is skipped)."""
    if len(data) > MAX_BYTES:
        return None, [too_large(len(data), file)]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8", "replace")
        line, column = _place_of(good, len(good))
        problem = Problem(
            "MH101",
            "not UTF-8 text",
            expected="a text file in UTF-8",
            hint="save the file again as UTF-8",
            file=file,
            line=line,
            column=column,
        )
        return None, [problem]


def read_yaml(text: str, file: str) -> tuple[Document | None, list[Problem]]:
    r"""Read one YAML document.

    Parameters
    ----------
    text : str
        The text of the file.
    file : str
        Its name, for the problems.

    Returns
    -------
    Document or None
        None where the text could not be read to its end.
    list of Problem
        Everything found, in the order of the file.

    Examples
    --------
    >>> document, problems = read_yaml("id: phq9\nn: 012\n", "x.yaml")
    >>> document.data["id"], [str(p.code) for p in problems]
    ('phq9', ['MH106'])
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        return None, [too_large(size, file)]
    composer = _Composer(text, file)
    root = composer.document()
    problems = sorted(composer.problems, key=lambda p: (p.line or 0, p.column or 0))
    return (None if root is None else Document(root.data, root)), problems


class _Composer:
    """Builds the tree of one document from parser events."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.problems: list[Problem] = []
        self.anchors: dict[str, _Node | None] = {}
        self.aliases = 0
        self.copies = 0
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.events: Iterator[yaml.Event] = yaml.parse(text, Loader=loader)

    def report(
        self, code: str, place: Place, path: Path, what: str, *, expected: str = "", hint: str = ""
    ) -> None:
        problem = Problem(code, what, expected, hint, self.file, *place, write_path(path))
        self.problems.append(problem)

    def stop(
        self, code: str, place: Place, path: Path, what: str, *, expected: str = ""
    ) -> NoReturn:
        self.report(code, place, path, what, expected=expected)
        raise _Stopped

    def document(self) -> _Node | None:
        root: _Node | None = None
        try:
            for event in self.events:
                if isinstance(event, yaml.DocumentStartEvent):
                    if root is not None:
                        self.stop(
                            "MH109",
                            _place(event),
                            (),
                            "a second document begins",
                            expected="one document in a file",
                        )
                    root = self.node(next(self.events), (), 0)
        except _Stopped:
            return None
        except yaml.reader.ReaderError as error:
            place = _place_of(self.text, error.position)
            self.report("MH101", place, (), "a character that text may not hold")
            return None
        except yaml.YAMLError as error:
            # The C parser has its own limit, far above ours, which it may meet first.
            code = "MH108" if "nesting depth" in str(error) else "MH101"
            self.report(code, _error_place(error), (), _error_words(error))
            return None
        if root is None:
            self.report("MH101", (1, 1), (), "the file is empty")
        return root

    def node(self, event: yaml.Event, path: Path, depth: int) -> _Node:
        place = _place(event)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event.anchor or "", place, path, depth)
        if not isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)):
            self.stop("MH101", place, path, "the text ends in the middle of something")
        if event.tag is not None:
            self.report(
                "MH109",
                place,
                path,
                f"a tag {event.tag[:40]!r}",
                hint="leave the tag out, types follow from the grammar",
            )
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event, place, path)
        elif depth >= MAX_DEPTH:
            self.too_deep(place, path)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.sequence(place, path, depth)
        else:
            node = self.mapping(place, path, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, name: str, place: Place, path: Path, depth: int) -> _Node:
        if name not in self.anchors:
            self.stop("MH101", place, path, f"alias {name[:40]!r} names no anchor before it")
        target = self.anchors[name]
        if target is None:
            self.stop("MH109", place, path, f"alias {name[:40]!r} stands inside what it names")
        # What an alias stands for holds its own aliases: count them as if written out.
        aliases = 1 + target.aliases
        self.aliases += aliases
        self.copies += target.size
        if self.aliases > MAX_ALIASES or self.copies > MAX_COPIES:
            self.stop(
                "MH108",
                place,
                path,
                "too many aliases",
                expected=f"at most {MAX_ALIASES}, counted as if written out",
            )
        if depth + target.height > MAX_DEPTH:
            self.too_deep(place, path)
        return replace(target, place=place, aliases=aliases)

    def too_deep(self, place: Place, path: Path) -> NoReturn:
        self.stop(
            "MH108",
            place,
            path[:4],
            "lists and mappings are nested too deep",
            expected=f"at most {MAX_DEPTH} levels",
        )

    def sequence(self, place: Place, path: Path, depth: int) -> _Node:
        node = _Node((), place, height=1)
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            index = len(node.children)
            child = self.node(event, (*path, index), depth + 1)
            node.hold(index, child.place, child)
        node.data = tuple(child.data for _, child in node.children.values())
        return node

    def mapping(self, place: Place, path: Path, depth: int) -> _Node:
        node = _Node({}, place, height=1)
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key_place = _place(event)
            key = self.key(event, path, depth)
            inner = path if key is None else (*path, key)
            child = self.node(next(self.events), inner, depth + 1)
            if key is None:
                continue
            if key in node.children:
                first = node.children[key][0]
                self.report(
                    "MH102",
                    key_place,
                    inner,
                    f"key {_short(key)} stands twice in one mapping",
                    hint=f"the first is at line {first[0]}",
                )
                continue
            node.hold(key, key_place, child)
        node.data = {key: child.data for key, (_, child) in node.children.items()}
        return node

    def key(self, event: yaml.Event, path: Path, depth: int) -> str | None:
        """Return a key, or None where it cannot be used."""
        place = _place(event)
        if not isinstance(event, yaml.ScalarEvent):
            self.node(event, path, depth + 1)
            self.report("MH109", place, path, "a key that is not text", expected="a plain name")
            return None
        key: str = event.value
        if event.tag is not None:
            self.report("MH109", place, (*path, key), f"a tag {event.tag[:40]!r} on a key")
        if event.anchor is not None:
            self.anchors[event.anchor] = _Node(key, place, key)
        if event.style not in (None, ""):
            return key
        if key == "<<":
            self.report("MH109", place, path, "a merge key '<<'", hint="write the keys out")
            return None
        if key not in _KEYS_ALLOWED:
            value, reading = _typed(key)
            if reading:
                self.report_ambiguous(place, (*path, key), key, reading)
            elif not isinstance(value, str):
                self.report(
                    "MH109",
                    place,
                    (*path, key),
                    f"key {_short(key)} is not text",
                    expected="a plain name",
                    hint="put it in quotes",
                )
        return key

    def scalar(self, event: yaml.ScalarEvent, place: Place, path: Path) -> _Node:
        text: str = event.value
        if event.style not in (None, ""):
            return _Node(text, place, text)
        value, reading = _typed(text)
        if reading:
            self.report_ambiguous(place, path, text, reading)
        return _Node(value, place, text, ambiguous=bool(reading))

    def report_ambiguous(self, place: Place, path: Path, text: str, reading: str) -> None:
        self.report(
            "MH106",
            place,
            path,
            f"{_short(text)} may be read as {reading}",
            expected="a value that every YAML reader reads alike",
            hint=_plainer(text),
        )


def _typed(text: str) -> tuple[Any, str]:
    """Type a plain scalar; the second value names the readings of an ambiguous one."""
    if text in _WORDS:
        return _WORDS[text], ""
    readings = (reading for pattern, reading in _AMBIGUOUS if pattern.match(text))
    reading = next(readings, "")
    if reading or not _DECIMAL.match(text):
        return text, reading
    whole = bool(_WHOLE.match(text))
    if sum(char.isdigit() for char in text) > (_WHOLE_DIGITS if whole else _DIGITS):
        return text, "an exact or a rounded number"
    if whole:
        return int(text), ""
    if not _PLAIN_DECIMAL.match(text) or abs(float(text)) == float("inf"):
        return text, "a number or a text"
    return float(text), ""


def _plainer(text: str) -> str:
    if text.lower() in {"yes", "on", "y", "no", "off", "n"}:
        truth = "true" if text.lower() in {"yes", "on", "y"} else "false"
        return f"write {truth}, or put it in quotes if the text is meant"
    if re.search(r"\d", text):
        return "put it in quotes, or write the number in plain decimal digits"
    return "put it in quotes"


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")  # noqa: PLR2004


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def _place_of(text: str, position: int) -> Place:
    before = text[:position]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _error_place(error: yaml.YAMLError) -> Place:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _error_words(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or "cannot be read"
    return f"not well-formed YAML: {problem}"[:120]

"""YAML text to plain data, with the place of every key and value.

Only what all YAML readers understand alike is accepted: a plain scalar that YAML 1.1 and 1.2
type differently is a problem, and so are tags, merge keys, second documents and keys that are
not text. The tree is built from the parser's events, so that depth and alias limits hold before
anything is expanded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol

import yaml

from mhscreen.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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

_LINES_DEPTH = 2

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

_TRUTH = re.compile(r"(?i)^(yes|no|on|off|y|n)$")
_TRUTH_LENGTH = 3
# What is no truth value and begins with none of these is a text to every reader.
_NO_TEXT = frozenset("-+.=0123456789")
_AMBIGUOUS = (
    (re.compile(r"^[-+]?0[0-9_]+$"), "an octal number, a decimal number or a text"),
    (re.compile(r"(?i)^[-+]?0[xob][0-9a-f_]+$"), "a number or a text"),
    (re.compile(r"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$"), "a time, a number or a text"),
    (re.compile(r"^[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?$"), "a number or a text"),
    (re.compile(r"^[-+]?0[0-9_]+\.[0-9_]*$"), "a number or a text"),
    (re.compile(r"(?i)^[-+]?\.inf$|^\.nan$"), "a number or a text"),
    (re.compile(r"^=$"), "a text or a tag"),
)
_PLAIN_KEY = re.compile(r"[\w-]{1,64}")
# What nearly all numbers look like: no reading of it is in doubt.
_USUAL = re.compile(r"-?(?:0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?")
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
_PLAIN = frozenset({None, ""})  # how the two parsers call a scalar without quotes
_KEYS_ALLOWED = frozenset({"n", "y", "N", "Y"})  # unambiguous as keys: all keys are text


class _Mark(Protocol):
    """Where something begins, as either parser says it: both zero-based."""

    @property
    def line(self) -> int:
        """The line."""

    @property
    def column(self) -> int:
        """The column."""


class _Size(NamedTuple):
    """What an alias of a value would be written out as."""

    aliases: int
    values: int
    height: int


_NOTHING_BELOW: Mapping[str | int, tuple[Any, _Node]] = MappingProxyType({})


class _Node:
    """One value as composed: its data, where it begins, and the nodes below it.

    There is one for each value of each file, so it is no dataclass, and what only a few need is
    found when it is asked for.
    """

    __slots__ = ("ambiguous", "children", "data", "mark", "size", "text")

    def __init__(
        self,
        data: Any,
        mark: _Mark | None,
        text: str = "",
        children: Mapping[str | int, tuple[_Mark | None, _Node]] = _NOTHING_BELOW,
        *,
        ambiguous: bool = False,
        size: _Size | None = None,
    ) -> None:
        self.data = data
        self.mark = mark
        self.text = text
        self.children = children
        self.ambiguous = ambiguous
        self.size = size

    def measure(self) -> _Size:
        """Return how much this stands for; aliases below it are counted as if written out."""
        if self.size is None:
            below = [child.measure() for _, child in self.children.values()]
            self.size = _Size(
                sum(size.aliases for size in below),
                1 + sum(size.values for size in below),
                1 + max((size.height for size in below), default=0) if self.is_nest else 0,
            )
        return self.size

    @property
    def is_nest(self) -> bool:
        """Whether it is a list or a mapping."""
        return isinstance(self.data, (dict, tuple))

    def at(self, mark: _Mark | None, size: _Size) -> _Node:
        """Return the same value for an alias that stands elsewhere."""
        return _Node(self.data, mark, self.text, self.children, ambiguous=self.ambiguous, size=size)


@dataclass(frozen=True)
class Document:
    """What one file says, and where it says it.

    Places are wanted where something is wrong, which is seldom; they are found then.

    Attributes
    ----------
    data : object
        Mappings as dict, lists as tuple, scalars as str, int, float, bool or None.
    lines : tuple of (str, int)
        The written path and the line of everything at most two levels down.
    """

    data: Any
    lines: tuple[tuple[str, int], ...]
    _text: str

    @cached_property
    def _root(self) -> _Node:
        root = _Composer(self._text, "").document()
        if root is None:
            msg = "a text that could be read once cannot be read again"
            raise AssertionError(msg)
        return root

    def _walk(self, path: Path) -> tuple[_Mark | None, _Node, bool]:
        mark, node = self._root.mark, self._root
        for step in path:
            if step not in node.children:
                return mark, node, False
            mark, node = node.children[step]
        return mark, node, True

    def value_place(self, path: Path) -> Place:
        """Return where a value stands, or the innermost part of its path that exists."""
        return _place(self._walk(path)[1].mark)

    def key_place(self, path: Path) -> Place:
        """Return where a key stands (of a list entry: the entry)."""
        return _place(self._walk(path)[0])

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
        text = _join(text, step)
    return text


def _join(text: str, step: str | int) -> str:
    """Write one step further down."""
    if isinstance(step, int):
        return f"{text}[{step}]"
    if _PLAIN_KEY.fullmatch(step):
        return f"{text}.{step}" if text else step
    return f"{text}[{step[:40]!r}]"


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
    if root is None:
        return None, problems
    return Document(root.data, tuple(_lines(root, _LINES_DEPTH)), text), problems


def _lines(root: _Node, depth: int) -> Iterator[tuple[str, int]]:
    level: list[tuple[str, _Node]] = [("", root)]
    for _ in range(depth):
        below = []
        for above, node in level:
            for key, (mark, child) in node.children.items():
                written = _join(above, key)
                yield written, _place(mark)[0]
                below.append((written, child))
        level = below


class _Composer:
    """Builds the tree of one document from parser events."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.problems: list[Problem] = []
        self.anchors: dict[str, _Node | None] = {}
        self.aliases = 0
        self.copies = 0
        self.events = _events(text)

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
                            _place(event.start_mark),
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
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event.anchor or "", event.start_mark, path, depth)
        if not isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)):
            what = "the text ends in the middle of something"
            self.stop("MH101", _place(event.start_mark), path, what)
        if event.tag is not None:
            self.report(
                "MH109",
                _place(event.start_mark),
                path,
                f"a tag {event.tag[:40]!r}",
                hint="leave the tag out, types follow from the grammar",
            )
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event, path)
        elif depth >= MAX_DEPTH:
            self.too_deep(_place(event.start_mark), path)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.sequence(event.start_mark, path, depth)
        else:
            node = self.mapping(event.start_mark, path, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, name: str, mark: _Mark | None, path: Path, depth: int) -> _Node:
        place = _place(mark)
        if name not in self.anchors:
            self.stop("MH101", place, path, f"alias {name[:40]!r} names no anchor before it")
        target = self.anchors[name]
        if target is None:
            self.stop("MH109", place, path, f"alias {name[:40]!r} stands inside what it names")
        # What an alias stands for holds its own aliases: count them as if written out.
        size = target.measure()
        size = size._replace(aliases=1 + size.aliases)
        self.aliases += size.aliases
        self.copies += size.values
        if self.aliases > MAX_ALIASES or self.copies > MAX_COPIES:
            self.stop(
                "MH108",
                place,
                path,
                "too many aliases",
                expected=f"at most {MAX_ALIASES}, counted as if written out",
            )
        if depth + size.height > MAX_DEPTH:
            self.too_deep(place, path)
        return target.at(mark, size)

    def too_deep(self, place: Place, path: Path) -> NoReturn:
        self.stop(
            "MH108",
            place,
            path[:4],
            "lists and mappings are nested too deep",
            expected=f"at most {MAX_DEPTH} levels",
        )

    def sequence(self, mark: _Mark | None, path: Path, depth: int) -> _Node:
        children: dict[str | int, tuple[_Mark | None, _Node]] = {}
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            index = len(children)
            child = self.node(event, (*path, index), depth + 1)
            children[index] = child.mark, child
        data = tuple(child.data for _, child in children.values())
        return _Node(data, mark, children=children)

    def mapping(self, mark: _Mark | None, path: Path, depth: int) -> _Node:
        children: dict[str | int, tuple[_Mark | None, _Node]] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self.key(event, path, depth)
            inner = path if key is None else (*path, key)
            child = self.node(next(self.events), inner, depth + 1)
            if key is None:
                continue
            if key in children:
                first, _ = _place(children[key][0])
                self.report(
                    "MH102",
                    _place(event.start_mark),
                    inner,
                    f"key {_short(key)} stands twice in one mapping",
                    hint=f"the first is at line {first}",
                )
                continue
            children[key] = event.start_mark, child
        data = {key: child.data for key, (_, child) in children.items()}
        return _Node(data, mark, children=children)

    def key(self, event: yaml.Event, path: Path, depth: int) -> str | None:
        """Return a key, or None where it cannot be used."""
        mark = event.start_mark
        if not isinstance(event, yaml.ScalarEvent):
            self.node(event, path, depth + 1)
            what = "a key that is not text"
            self.report("MH109", _place(mark), path, what, expected="a plain name")
            return None
        key: str = event.value
        if event.tag is not None:
            what = f"a tag {event.tag[:40]!r} on a key"
            self.report("MH109", _place(mark), (*path, key), what)
        if event.anchor is not None:
            self.anchors[event.anchor] = _Node(key, mark, key)
        if event.style not in _PLAIN:
            return key
        if key == "<<":
            hint = "write the keys out"
            self.report("MH109", _place(mark), path, "a merge key '<<'", hint=hint)
            return None
        if key not in _KEYS_ALLOWED:
            value, reading = _typed(key)
            if reading:
                self.report_ambiguous(_place(mark), (*path, key), key, reading)
            elif value is not key:
                self.report(
                    "MH109",
                    _place(mark),
                    (*path, key),
                    f"key {_short(key)} is not text",
                    expected="a plain name",
                    hint="put it in quotes",
                )
        return key

    def scalar(self, event: yaml.ScalarEvent, path: Path) -> _Node:
        text: str = event.value
        if event.style not in _PLAIN:
            return _Node(text, event.start_mark, text)
        value, reading = _typed(text)
        if reading:
            self.report_ambiguous(_place(event.start_mark), path, text, reading)
        return _Node(value, event.start_mark, text, ambiguous=bool(reading))

    def report_ambiguous(self, place: Place, path: Path, text: str, reading: str) -> None:
        self.report(
            "MH106",
            place,
            path,
            f"{_short(text)} may be read as {reading}",
            expected="a value that every YAML reader reads alike",
            hint=_plainer(text),
        )


def _events(text: str) -> Iterator[yaml.Event]:
    """Yield what the parser finds; `yaml.parse` does the same and asks twice for each."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    yield from iter(loader.get_event, None)


def _typed(text: str) -> tuple[Any, str]:
    """Type a plain scalar; the second value names the readings of an ambiguous one."""
    if text in _WORDS:
        return _WORDS[text], ""
    if text[0] not in _NO_TEXT:
        two = len(text) <= _TRUTH_LENGTH and _TRUTH.match(text)
        return text, "a truth value or a text" if two else ""
    usual = _USUAL.fullmatch(text)
    if usual:
        return (float(text) if usual[1] else int(text)), ""
    readings = (reading for pattern, reading in _AMBIGUOUS if pattern.match(text))
    reading = next(readings, "")
    return (text, reading) if reading or not _DECIMAL.match(text) else _number(text)


def _number(text: str) -> tuple[Any, str]:
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


def _place(mark: _Mark | None) -> Place:
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

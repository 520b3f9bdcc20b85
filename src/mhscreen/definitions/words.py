"""What the source says of each field of a model: the text below it.

Pydantic can read these texts when a class is made, which is most of what importing the models
costs; nobody needs them before a schema is written.
"""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["field_words"]


@cache
def field_words(model: type) -> Mapping[str, str]:
    """Return the text below each field of a model; what it inherits, unless it says it anew.

    Examples
    --------
    >>> from mhscreen.definitions.common import Text
    >>> dict(field_words(Text))
    {'en': 'English.', 'zh': 'Simplified Chinese.'}
    """
    words: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if one.__module__.partition(".")[0] == __name__.partition(".")[0]:
            words |= _classes(one.__module__).get(one.__name__, {})
    return {name: text for name, text in words.items() if text}


@cache
def _classes(module: str) -> Mapping[str, Mapping[str, str]]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {one.name: dict(_texts(one)) for one in tree.body if isinstance(one, ast.ClassDef)}


def _texts(made: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in pairwise([*made.body, ast.Pass()]):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            said = below.value if isinstance(below, ast.Expr) else None
            text = said.value if isinstance(said, ast.Constant) else ""
            yield field.target.id, inspect.cleandoc(text) if isinstance(text, str) else ""

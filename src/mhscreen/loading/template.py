"""A first instrument file that loads, to be changed line by line."""

from __future__ import annotations

import re

from mhscreen.definitions.common import Identifier
from mhscreen.loading.grammar import pattern_of
from mhscreen.problems import UsageError

__all__ = ["new_cases_yaml", "new_instrument_yaml"]

_INSTRUMENT = """\
# An instrument: a published set of items with its scoring rules, at one version.
# Change every line that says "replace". Once it is released, never edit it: add a version.
schema: mhscreen/instrument/1
id: {id}
version: 0.1.0
title: {{en: "replace: the full name", zh: "待填：量表全称"}}
abbreviation: {abbreviation}
construct: {{en: "replace: what it measures", zh: "待填：测量内容"}}
recall: {{en: "replace: the time it asks about", zh: "待填：作答所指的时间范围"}}
informants: [self]                # self, parent, teacher, clinician
ages: {{from: 11, below: 19}}       # 'from' belongs to the range, 'below' does not
population: {{en: "replace: for whom", zh: "待填：适用对象"}}
rights:
  holder: "replace: who holds the rights"
  terms: "replace: the terms, in your own words"
  key: shipped
  wording: withheld               # then no item has a 'wording'
  read_on: 2000-01-01             # replace: when you last read the terms
  source: manual
references:
  - id: manual
    citation: "replace: who, when, where"
    supports: [rights, items, key, cut scores]
evidence: unverified              # cross_checked, one_source, own_choice, unverified
response_scales:
  frequency4:
    options:                      # in printed order; the score is the code unless stated
      - {{code: 0, label: {{en: "replace: never", zh: "待填：从不"}}}}
      - {{code: 1, label: {{en: "replace: sometimes", zh: "待填：有时"}}}}
      - {{code: 2, label: {{en: "replace: often", zh: "待填：经常"}}}}
      - {{code: 3, label: {{en: "replace: always", zh: "待填：总是"}}}}
items:
  - id: q1
    number: 1
    topic: {{en: "replace: topic", zh: "待填：主题"}}
    response_scale: frequency4
  - id: q2
    number: 2
    topic: {{en: "replace: topic", zh: "待填：主题"}}
    response_scale: frequency4
  - id: q3
    number: 3
    topic: {{en: "replace: topic", zh: "待填：主题"}}
    response_scale: frequency4
scales:
  - id: total
    title: {{en: Total, zh: 总分}}
    combine: sum                  # or another combiner; see the grammar
    items: [q1, q2, q3]
    reverse: [q3]                 # items keyed in reverse
    range: [0, 9]                 # checked against the key
    higher_is: worse
    source: manual
    evidence: unverified
    cut_sets:
      - id: manual
        population: {{en: "replace: in whom", zh: "待填：适用人群"}}
        source: manual
        evidence: unverified
        categories:               # a score at the cut belongs to the far side
          - {{id: low, label: {{en: Below the cut, zh: 未达划界分}}}}
          - {{id: high, label: {{en: At or above the cut, zh: 达到划界分}}, at_or_above: 6}}
"""

_CASES = """\
# Worked cases: answers, and what they must give. Work them out by hand.
schema: mhscreen/cases/1
for: {id}@0.1.0
cases:
  - name: every answer at the top, one of them keyed in reverse
    answers: {{all: 3}}
    expect:
      total: {{score: 6, answered: 3, low: 6, high: 6, category: high}}
  - name: one answer is missing, so there is no score but there are bounds
    answers: {{q1: 3, q2: 0}}
    expect:
      total: {{score: null, answered: 2, low: 3, high: 6}}
"""


def new_instrument_yaml(id: str) -> str:  # noqa: A002  (it is the id that the file states)
    """Return a first instrument file, ``instruments/<id>/0.1.0.yaml``.

    Raises
    ------
    UsageError
        If `id` cannot be the id of a definition.

    Examples
    --------
    >>> new_instrument_yaml("my-scale").splitlines()[3]
    'id: my-scale'
    """
    return _INSTRUMENT.format(id=_checked(id), abbreviation=f'"{id.upper()}"')


def new_cases_yaml(id: str) -> str:  # noqa: A002
    """Return its worked cases, ``instruments/<id>/0.1.0.cases.yaml``."""
    return _CASES.format(id=_checked(id))


def _checked(name: str) -> str:
    if not re.fullmatch(pattern_of(Identifier), name):
        msg = f"{name!r} cannot be an id: write lower-case letters and digits, joined by hyphens"
        raise UsageError(msg)
    return name

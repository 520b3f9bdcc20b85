"""Digests of the evidence that each entry rests on, and the ids that follow from them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen.entries.canonical import NAMESPACE
from mhscreen.steps.text_columns import (
    OwnTexts,
    Texts,
    distinct_rows,
    distinct_values,
    join_rows,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from hashlib import _Hash

    from numpy.typing import NDArray

    from mhscreen.plan.scoring import FormPlan
    from mhscreen.steps.bind import Forms
    from mhscreen.steps.text_columns import Part
    from mhscreen.steps.triage import Triage

__all__ = ["Digests", "EvidenceDigests", "entry_ids", "hex_digests"]

_BETWEEN = b"\x1f"
_DIGITS = [place for place in range(36) if place not in {8, 13, 18, 23}]
"""Where the digits of an id stand between the hyphens."""


class Digests(NamedTuple):
    """Digests of a pupil's own roster line, of the answers whatever their order, and of both.

    Each is a list of 64 hexadecimal digits by pupil.
    """

    roster: list[bytes]
    answers: list[bytes]
    evidence: list[bytes]


def hex_digests(messages: Iterable[bytes], before: bytes = b"") -> list[bytes]:
    """Return the SHA-256 of each message in hexadecimal digits.

    Parameters
    ----------
    messages : iterable of bytes
        What is hashed.
    before : bytes
        What stands before each message.
    """
    raw = b"".join(_digests(hashlib.sha256(before), messages))
    digits: list[bytes] = np.frombuffer(raw.hex().encode(), dtype="S64").tolist()
    return digits


def entry_ids(names: Iterable[bytes], before: bytes) -> list[bytes]:
    """Return what `mhscreen.entries.canonical.entry_id` makes of each name.

    Parameters
    ----------
    names : iterable of bytes
        The canonical JSON of what each id is of.
    before : bytes
        What each name begins with.
    """
    start = hashlib.sha1(NAMESPACE.bytes + before, usedforsecurity=False)
    raw = b"".join(digest[:16] for digest in _digests(start, names))
    numbers = np.frombuffer(raw, dtype=np.uint8).reshape(-1, 16).copy()
    numbers[:, 6] = numbers[:, 6] & 0x0F | 0x50  # version 5
    numbers[:, 8] = numbers[:, 8] & 0x3F | 0x80  # the variant of RFC 9562
    digits = np.frombuffer(numbers.tobytes().hex().encode(), dtype=np.uint8).reshape(-1, 32)
    texts = np.full((len(numbers), 36), ord("-"), dtype=np.uint8)
    texts[:, _DIGITS] = digits
    ids: list[bytes] = texts.view("S36").ravel().tolist()
    return ids


def _digests(start: _Hash, messages: Iterable[bytes]) -> Iterator[bytes]:
    for message in messages:
        one = start.copy()
        one.update(message)
        yield one.digest()


class EvidenceDigests:
    """The digests of pupils' own evidence, block by block."""

    def __init__(self, triage: Triage) -> None:
        batch = triage.normed.scores.batch
        self._batch = batch
        slots = zip(triage.plan.forms, batch.forms, strict=True)
        self._slots = [_Slot(form, forms) for form, forms in slots]
        # As their parts are sorted: each begins with the slot.
        self._slots.sort(key=lambda slot: slot.name)

    def of(self, block: slice) -> Digests:
        """Return the digests of the pupils of a block."""
        number = block.stop - block.start
        roster = hex_digests(join_rows(self._roster_lines(block), number))
        parts: list[Part] = [part for slot in self._slots for part in slot.parts(block)]
        answers = hex_digests(line[1:] for line in join_rows([b"", *parts], number))
        both = join_rows([OwnTexts(roster), b"sha256:", OwnTexts(answers)], number)
        return Digests(roster, answers, hex_digests(both, before=b"sha256:"))

    def _roster_lines(self, block: slice) -> list[Part]:
        roster, identity = self._batch.roster, self._batch.identity
        columns = [
            roster.city, roster.district, roster.school, roster.class_, roster.dormitory,
            roster.stage, roster.grade, roster.sex, roster.status,
            roster.birth_date, roster.age, roster.error, roster.duplicate, identity,
        ]  # fmt: skip
        parts: list[Part] = []
        for column in columns:
            parts += [_BETWEEN, _plain_texts(column[block])]
        return parts[1:]


class _Slot:
    """The forms of one slot, by pupil."""

    def __init__(self, form: FormPlan, forms: Forms) -> None:
        self.name = f"{form.slot}:".encode()
        self._forms = forms
        self._uses_time = form.quality is not None and form.quality.uses_time
        self._order: NDArray[np.int64] | None = None
        self._pupil = forms.pupil
        if (np.diff(forms.pupil) < 0).any():
            self._order = np.argsort(forms.pupil, kind="stable")
            self._pupil = forms.pupil[self._order]

    def parts(self, block: slice) -> list[Part]:
        """Return what each pupil of a block adds to the digest of the answers, if any does."""
        within = slice(*np.searchsorted(self._pupil, [block.start, block.stop]).tolist())
        pupil = self._pupil[within] - block.start
        if not len(pupil):
            return []
        forms = within if self._order is None else self._order[within]
        parts: list[Part] = [_BETWEEN + self.name, OwnTexts(self._answers(forms))]
        columns: list[NDArray[Any]] = [self._forms.administered_on[forms].astype(np.int64)]
        if self._uses_time:
            columns.append(self._forms.duration_s[forms])
        for column in columns:
            parts += [b":", _plain_texts(column)]
        texts = np.full(block.stop - block.start, b"", dtype=object)
        made = list(join_rows(parts, len(pupil)))
        texts[pupil] = made
        for one in np.flatnonzero(np.bincount(pupil) > 1).tolist():
            first, end = np.searchsorted(pupil, [one, one + 1]).tolist()
            texts[one] = b"".join(sorted(made[first:end]))
        return [OwnTexts(texts.tolist())]

    def _answers(self, forms: slice | NDArray[np.int64]) -> list[bytes]:
        width = len(self._forms.codes)
        data = np.ascontiguousarray(self._forms.codes[:, forms].T).tobytes()
        return hex_digests(data[end - width : end] for end in range(width, len(data) + 1, width))


def _plain_texts(column: NDArray[Any]) -> Texts:
    """Return values as Python writes them."""
    if column.dtype == object:
        return distinct_values(column.tolist(), lambda value: str(value).encode())
    same = distinct_rows([column], len(column))
    values = column[same.first]
    if values.dtype.kind == "M":
        values = values.astype("U")
    return Texts([str(value).encode() for value in values.tolist()], same.place)

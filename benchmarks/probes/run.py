"""Put the inputs on which scoring programs go wrong to every instrument and informant.

``python benchmarks/probes/run.py [folder …]`` (without a folder: the shipped library). Five probes:

- one answer only,
- nothing answered,
- an answer out of range, reported and left out,
- the items behind a gate absent though it is open, or its opener blank,
- blanks that leave an estimated score between two bands.

None may give a category that the blanks could still make worse, least of all the reassuring
first one, nor a score that no published rule allows, nor any number where nothing was answered.
The yardstick does not look at the bounds that the engine gives: each form that got a category is
completed with the worst answers to whatever is open, scored again, and must not do worse.
The exit code is 1 if a hazard was found.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import mhscreen as mh
from mhscreen.definitions import Instrument
from mhscreen.definitions.keys import item_direction, items_of, parts_of
from mhscreen.problems import ResponseError
from mhscreen.vocabulary import Direction, Informant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mhscreen.definitions.instrument import Item, Scale
    from mhscreen.loading import Library

    Form = Mapping[str, Any]  # item id to what is recorded; what it does not name is blank
    Columns = Mapping[str, Sequence[Any]]

BLANKS = (None, "", "NA", "nan")
ILLEGAL = (987_654, -987_654, 0.5, "not an answer")
SIMPLE = {"sum", "mean", "count", "weighted_sum", "maximum"}
PROBES = ("one answer", "nothing", "out of range", "gate", "between bands")
SHOWN = 6
"""How many answers of a form are printed."""


@dataclass(frozen=True)
class Probed:
    """What one probe found on one form of one instrument."""

    form: str
    probe: str
    forms: int
    hazards: tuple[str, ...]


class Score(Protocol):
    """Scores filled-in forms row for row, into columns as of `mhscreen.score_instrument`."""

    def __call__(
        self,
        instrument: Instrument,
        informant: Informant,
        forms: Sequence[Form],
        on_problem: str = "report",
    ) -> Columns:
        """Score forms; an answer that is not legal raises, or is reported and left out."""


def scorer(library: Library) -> Score:
    """Return a function that scores with `mhscreen.score_instrument`."""

    def score(
        instrument: Instrument,
        informant: Informant,
        forms: Sequence[Form],
        on_problem: str = "report",
    ) -> Columns:
        prefix = instrument.prefix(informant)
        answers = {
            f"{prefix}_{item.id}": [form.get(item.id) for form in forms]
            for item in instrument.items
        }
        found: Columns = mh.score_instrument(
            instrument.ref, answers, informant=informant, library=library, on_problem=on_problem
        )
        return found

    return score


def probe_library(library: Library) -> Iterator[Probed]:
    """Probe every form of every instrument that may be used."""
    score = scorer(library)
    for loaded in library:
        instrument = loaded.definition
        if isinstance(instrument, Instrument) and instrument.withdrawn is None:
            for informant in instrument.informants:
                yield from probe_form(instrument, informant, score)


def probe_form(instrument: Instrument, informant: Informant, score: Score) -> Iterator[Probed]:
    """Probe one informant's form of one instrument."""
    name = instrument.ref + (f" {informant}" if len(instrument.informants) > 1 else "")
    forms = list(one_answer(instrument))
    yield Probed(name, PROBES[0], len(forms), _hazards(instrument, informant, forms, score))
    forms = [dict.fromkeys((item.id for item in instrument.items), blank) for blank in BLANKS]
    yield Probed(name, PROBES[1], len(forms) + 1, _numbers(instrument, informant, forms, score))
    forms = list(out_of_range(instrument))
    hazards = _hazards(instrument, informant, forms, score)
    hazards += _let_through(instrument, informant, forms, score)
    yield Probed(name, PROBES[2], len(forms), hazards)
    forms = list(gates(instrument))
    yield Probed(name, PROBES[3], len(forms), _hazards(instrument, informant, forms, score))
    forms, hazards = [], ()
    for scale in instrument.scales_for(informant):
        rungs = list(between_bands(instrument, informant, scale))
        if rungs and not _comes_between(instrument, informant, scale, rungs, score):
            hazards += (f"{scale.id}: no form came between two bands",)
        forms += rungs
    hazards += _hazards(instrument, informant, forms, score)
    yield Probed(name, PROBES[4], len(forms), hazards)


# -- the five probes --------------------------------------------------------------------------


def one_answer(instrument: Instrument) -> Iterator[Form]:
    """Answer one item, at either end, and nothing else."""
    for item in instrument.items:
        for worst in (False, True):
            yield {item.id: end(instrument, item, worst=worst)}


def out_of_range(instrument: Instrument) -> Iterator[Form]:
    """Answer everything calmly, and one item with what is no answer."""
    mild = calm(instrument)
    for item in instrument.items:
        numeric = instrument.options(item.id).numbers is not None
        for answer in ILLEGAL:
            # Half a minute is a number that may be recorded.
            yield {**mild, item.id: -0.5 if numeric and answer == 0.5 else answer}


def gates(instrument: Instrument) -> Iterator[Form]:
    """Open each gate by each of its openers, or leave that blank; ask nothing behind it."""
    for gate in instrument.gates:
        for opener in gate.open_when_any:
            options = instrument.options(opener.item).options
            opening = [o.code for o in options if o.item_score >= opener.at_or_above]
            behind = _behind(instrument, gate.items)
            asked = {k: code for k, code in calm(instrument).items() if k not in behind}
            yield from ({**asked, opener.item: code} for code in (opening[0], None))


def _behind(instrument: Instrument, items: Sequence[str]) -> set[str]:
    """Return the items behind a gate and behind the gates that only they open."""
    behind = set(items)
    for _ in instrument.gates:
        for gate in instrument.gates:
            if all(opener.item in behind for opener in gate.open_when_any):
                behind |= set(gate.items)
    return behind


def between_bands(instrument: Instrument, informant: Informant, scale: Scale) -> Iterator[Form]:
    """Climb from the calmest form to the worst with as many blanks as still give an estimate."""
    most = _most_blanks(instrument, scale)
    if scale.cut_set_for(informant) is None or not most:
        return
    for number in sorted({1, max(len(part) for part in most)}):
        blank = {key for part in most for key in part[:number]}
        form = {**calm(instrument), **dict.fromkeys(blank)}
        yield dict(form)
        for key in items_of(instrument, scale):
            if key in blank:
                continue
            for option in _from_mild_to_worse(instrument, instrument.item(key)):
                form[key] = option
                yield dict(form)


def _most_blanks(instrument: Instrument, scale: Scale) -> list[tuple[str, ...]]:
    """Return, per scale with a rule for blanks, as many of its last items as may be blank."""
    parts = parts_of(scale)
    if scale.missing is None:
        return [one for name in parts for one in _most_blanks(instrument, instrument.scale(name))]
    items = items_of(instrument, scale)
    gated = {key for gate in instrument.gates for key in gate.items}
    free = [key for key in items if key not in gated][::-1]
    return [tuple(free[: len(items) - scale.missing.min_answered])]


# -- what no probe may give -------------------------------------------------------------------


def _numbers(
    instrument: Instrument, informant: Informant, forms: Sequence[Form], score: Score
) -> tuple[str, ...]:
    """Return the columns that hold a number or a category though nothing was answered."""
    return tuple(
        f"{name}: {value!r} where nothing was answered"
        for name, values in score(instrument, informant, [*forms, {}]).items()
        for value in dict.fromkeys(map(_plain, values))
        if value not in (None, "")
        and not (value == 0 and name.endswith("__answered"))
        and not name.endswith("__critical_open")  # that they are unanswered is what must be said
    )


def _hazards(
    instrument: Instrument, informant: Informant, forms: Sequence[Form], score: Score
) -> tuple[str, ...]:
    """Return the categories that a worse answer to a blank would change, and unruly scores."""
    if not forms:
        return ()
    prefix = instrument.prefix(informant)
    found = score(instrument, informant, forms)
    hazards, shown = [], []
    unanswered = [open_items(instrument, form) for form in forms]
    for scale in instrument.scales_for(informant):
        items = set(items_of(instrument, scale))
        scores = found[f"{prefix}__{scale.id}"]
        categories = found.get(f"{prefix}__{scale.id}__category", [None] * len(forms))
        for form, open_, number, category in zip(
            forms, unanswered, scores, categories, strict=True
        ):
            if not open_ & items:
                continue
            if _plain(category) is not None:
                shown.append((scale, form, category))
            if scale.combine in SIMPLE and scale.missing is None and _plain(number) is not None:
                hazards.append(f"{scale.id}: a score without a rule for blanks, {_words(form)}")
    worst = [complete(instrument, scale, form) for scale, form, _ in shown]
    completed = score(instrument, informant, worst) if worst else {}
    for place, (scale, form, category) in enumerate(shown):
        cut_set = scale.cut_set_for(informant)
        order = [one.id for one in cut_set.categories] if cut_set else []
        could = _plain(completed[f"{prefix}__{scale.id}__category"][place])
        if could is not None and order.index(could) > order.index(category):
            hazards.append(f"{scale.id}: '{category}', could be '{could}', {_words(form)}")
    return tuple(hazards)


def _let_through(
    instrument: Instrument, informant: Informant, forms: Sequence[Form], score: Score
) -> tuple[str, ...]:
    """Return the illegal answers that are taken where problems are to be raised."""
    passed = []
    for form in forms[: len(ILLEGAL)]:
        try:
            score(instrument, informant, [form], "raise")
        except ResponseError:
            continue
        passed.append(f"taken for an answer, {_words(form)}")
    return tuple(passed)


def _comes_between(
    instrument: Instrument,
    informant: Informant,
    scale: Scale,
    forms: Sequence[Form],
    score: Score,
) -> bool:
    """Return whether some estimate has blanks that reach into another band."""
    name = f"{instrument.prefix(informant)}__{scale.id}"
    found = score(instrument, informant, forms)
    rows = zip(
        found[name], found[f"{name}__category_low"], found[f"{name}__category_high"], strict=True
    )
    return any(_plain(number) is not None and low != high for number, low, high in rows)


# -- forms ------------------------------------------------------------------------------------


def open_items(instrument: Instrument, form: Form) -> set[str]:
    """Return the items without an answer that are asked, or may have to be."""
    scores: dict[str, int | None] = {}
    for item in instrument.items:
        codes = {str(o.code): o.item_score for o in instrument.options(item.id).options}
        scores[item.id] = codes.get(str(form.get(item.id)))
    if any(score is not None for score in scores.values()):
        for item in instrument.items:
            if item.blank_counts_as is not None and form.get(item.id) in BLANKS:
                scores[item.id] = item.blank_counts_as.score
    open_ = {key for key, score in scores.items() if score is None}
    for gate in instrument.gates:
        openers = [(scores[o.item], o.at_or_above, o.item in open_) for o in gate.open_when_any]
        if not any(asked if score is None else score >= cut for score, cut, asked in openers):
            open_ -= set(gate.items)
    return open_


def complete(instrument: Instrument, scale: Scale, form: Form) -> Form:
    """Give the worst answer to everything that is open, gates that open meanwhile included."""
    full = dict(form)
    while open_ := open_items(instrument, full):
        for key in open_:
            full[key] = end(instrument, instrument.item(key), worst=True)
        if scale.purpose == "validity":  # an item of such a scale alone has no worse end
            full |= {key: _worse_code(instrument, scale, key) for key in open_ & set(scale.items)}
    return full


def calm(instrument: Instrument) -> dict[str, Any]:
    """Return the form that gives least concern."""
    return {item.id: end(instrument, item, worst=False) for item in instrument.items}


def end(instrument: Instrument, item: Item, *, worst: bool) -> int | str:
    """Return the code of the mildest or the worst option of an item."""
    return _from_mild_to_worse(instrument, item)[-1 if worst else 0]


def _from_mild_to_worse(instrument: Instrument, item: Item) -> list[int | str]:
    options = sorted(instrument.options(item.id).options, key=lambda one: one.item_score)
    codes = [option.code for option in options]
    return codes if item_direction(instrument, item.id) is Direction.WORSE else codes[::-1]


def _worse_code(instrument: Instrument, scale: Scale, key: str) -> int | str:
    options = sorted(instrument.options(key).options, key=lambda one: one.item_score)
    upwards = (scale.higher_is is Direction.WORSE) != (key in scale.reverse)
    return options[-1 if upwards else 0].code


def _plain(value: Any) -> Any:
    """Return a value as itself, and None for NaN and the like."""
    return None if value is None or value != value else value  # noqa: PLR0124 - NaN


def _words(form: Form) -> str:
    named = [f"{key}={value!r}" for key, value in form.items() if value is not None]
    return ", ".join(named[:SHOWN]) + (" …" if len(named) > SHOWN else "")


# -- the table --------------------------------------------------------------------------------


def main(folders: Sequence[str] = ()) -> int:
    """Print what was found; return 1 if there is a hazard."""
    library = mh.load_library(*folders) if folders else mh.shipped_library()
    found = list(probe_library(library))
    names = list(dict.fromkeys(one.form for one in found))
    width = max(map(len, names), default=0)
    print(f"{'':{width}}  " + "  ".join(f"{probe:>13}" for probe in PROBES))
    for name in names:
        cells = [
            f"{len(one.hazards)} HAZARDS" if one.hazards else f"{one.forms} forms"
            for one in found
            if one.form == name
        ]
        print(f"{name:{width}}  " + "  ".join(f"{cell:>13}" for cell in cells))
    hazards = [f"{one.form}: {one.probe}: {what}" for one in found for what in one.hazards]
    print(*hazards, sep="\n", end="\n" if hazards else "")
    print(f"{sum(one.forms for one in found)} forms, {len(hazards)} hazards")
    return 1 if hazards else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The grammar of an instrument: items, keys, scales, cut scores, critical items, validity."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mhscreen.definitions.common import (
    Identifier,
    Int,
    Key,
    Model,
    Number,
    Reference,
    Rights,
    Sourced,
    Str,
    Text,
    Version,
)
from mhscreen.definitions.kinds import Irt, Level, Transform
from mhscreen.vocabulary import (
    Concern,
    Direction,
    Directness,
    Evidence,
    Informant,
    MissingReason,
    Validity,
    Window,
)

__all__ = [
    "Ages",
    "BlankRule",
    "Category",
    "CriticalItem",
    "CutSet",
    "Gate",
    "Instrument",
    "Item",
    "MissingCode",
    "MissingRule",
    "Numbers",
    "Option",
    "Published",
    "QualityCalibration",
    "QualityIndex",
    "ResponseScale",
    "Scale",
    "ValidityIndex",
    "Wording",
]

Code = Int | Str
Weight = Annotated[int, Field(strict=True, ge=1, le=1000)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]


class Option(Model):
    """One answer that may be given."""

    code: Code
    """What is recorded."""
    score: Int | None = None
    """The item score; absent where it equals the code."""
    label: Text
    """The words of the option; accepted as an answer, too."""
    aliases: tuple[Str, ...] = ()
    """Other spellings that are accepted as this answer."""

    @property
    def item_score(self) -> int:
        """The item score of this option."""
        if self.score is not None:
            return self.score
        return self.code if isinstance(self.code, int) else 0


class MissingCode(Model):
    """A recorded code that means that there is no answer, and why."""

    code: Code
    """What is recorded."""
    reason: MissingReason
    """Why there is no answer."""
    label: Text
    """The words for people; accepted as this code, too."""


class Numbers(Model):
    """Numbers are recorded instead of codes: minutes, hours, percent.

    Each belongs to the last option whose code it has reached, so a code is the number at which
    its band begins; the first is the smallest that may be recorded.
    """

    unit: Text
    """What is counted."""
    to: Number
    """The largest number that may be recorded; beyond it is no answer."""


class ResponseScale(Model):
    """The options of an item, in printed order; of numbers, from the smallest band up."""

    options: Annotated[tuple[Option, ...], Field(min_length=2, max_length=200)]
    """The answers that may be given."""
    missing_codes: tuple[MissingCode, ...] = ()
    """Recorded codes that stand for no answer."""
    numbers: Numbers | None = None
    """Where a number is recorded, and the options are bands of it."""

    @property
    def scores(self) -> tuple[int, ...]:
        """The item scores, in the order of the options."""
        return tuple(option.item_score for option in self.options)


class BlankRule(Sourced):
    """An instrument's own published rule for a blank item on a form that was filled in."""

    score: Int
    """The item score that a blank counts as."""


class Wording(Model):
    """The printed words of an item, in the languages whose official text was read."""

    en: Str
    """English."""
    zh: Str | None = None
    """Simplified Chinese; absent: use the printed form, never a translation made on the way."""

    def label(self, language: str = "en") -> str | None:
        """Return the words in ``"en"`` or ``"zh"``; None where they are not in the file."""
        return self.zh if language == "zh" else self.en


class Item(Model):
    """One question."""

    id: Key
    """Its name in columns, policies and entries."""
    number: Annotated[int, Field(strict=True, ge=1)]
    """Its number on the printed form, one-based."""
    topic: Text
    """What it is about, in our own words."""
    wording: Wording | None = None
    """The printed words, only where the rights allow."""
    response_scale: Key
    """A name under the instrument's `response_scales`."""
    blank_counts_as: BlankRule | None = None
    """What a blank counts as; absent: a blank is unanswered."""


class Opener(Model):
    """An answer that opens a gate."""

    item: Key
    """An item that is not behind the gate."""
    at_or_above: Int
    """The item score from which it opens."""


class Gate(Sourced):
    """Items that are asked only after certain answers.

    Closed means not applicable, open means required, undecided means unanswered.
    """

    id: Key
    """Its name."""
    items: Annotated[tuple[Key, ...], Field(min_length=1)]
    """The items behind the gate."""
    open_when_any: Annotated[tuple[Opener, ...], Field(min_length=1)]
    """The gate opens as soon as one of these holds (a blank that counts as an answer counts)."""
    closed_score: Int = 0
    """The item score of an item behind a closed gate."""


class Category(Model):
    """A band of a score. The first of a set has no bound; each further one begins at its cut."""

    id: Key
    """The published name, for data."""
    label: Text
    """The neutral words, for people."""
    at_or_above: Number | None = None
    """Where it begins, if higher is worse."""
    at_or_below: Number | None = None
    """Where it begins, if higher is better."""

    @property
    def cut(self) -> float | None:
        """The cut score, whichever way it points."""
        return self.at_or_above if self.at_or_above is not None else self.at_or_below


class CutSet(Sourced):
    """Cut scores for one population. A score at the cut belongs to the far side."""

    id: Key
    """The name under which a policy names it."""
    population: Text
    """The people in whom the cut scores were found."""
    informants: tuple[Informant, ...] = ()
    """The informants it holds for; empty: all of the instrument's."""
    categories: Annotated[tuple[Category, ...], Field(min_length=2, max_length=20)]
    """From the near side (no concern raised) to the far side."""


class MissingRule(Sourced):
    """When a scale with blanks still gets a score."""

    min_answered: Annotated[int, Field(strict=True, ge=1)]
    """The fewest answered items that allow a score."""
    method: Literal["prorate"] = "prorate"
    """``prorate``: each blank counts as the mean of the answered items."""


class Published(Sourced):
    """What a source reports of a scale in one group, for comparison with data of one's own.

    No norm: nobody's score is read against it.
    """

    population: Text
    """The group."""
    informants: tuple[Informant, ...] = ()
    """The informants it holds for; empty: all of the scale's."""
    n: Annotated[int, Field(strict=True, ge=1)] | None = None
    """How many there were."""
    mean: Number | None = None
    """The mean score, on the metric of this scale."""
    sd: Annotated[Number, Field(gt=0)] | None = None
    """Its standard deviation."""
    alpha: Annotated[Number, Field(le=1)] | None = None
    """Cronbach's alpha."""


class Scale(Sourced):
    """Keyed items combined into a raw score."""

    id: Key
    """Its name in columns, policies and entries."""
    title: Text
    """Its name for people."""
    combine: Literal[
        "sum",
        "mean",
        "weighted_sum",
        "count",
        "maximum",
        "sum_of_scales",
        "levels",
        "eap",
        "eap_from_sum",
    ]
    """The named combiner."""
    items: tuple[Key, ...] = ()
    """The items, in any order; none for ``sum_of_scales`` and ``levels``."""
    reverse: tuple[Key, ...] = ()
    """Those that are keyed in reverse (smallest + largest item score − item score)."""
    scales: tuple[Key, ...] = ()
    """The component scales of ``sum_of_scales``."""
    count_at_or_above: Int | None = None
    """For ``count``: the keyed item score from which an item counts."""
    count_exceptions: dict[Key, Int] = {}
    """For ``count``: items that count from another keyed item score."""
    weights: dict[Key, Weight] = {}
    """For ``weighted_sum``: what the keyed score of each item is multiplied by."""
    levels: tuple[Level, ...] = ()
    """For ``levels``: the decision rule; the score is the highest level that holds, else 0."""
    irt: Irt | None = None
    """For ``eap`` and ``eap_from_sum``: the item response model."""
    transform: Transform | None = None
    """Puts the raw score on another metric."""
    range: tuple[Number, Number]
    """The smallest and largest score after transform and rounding; checked against the key."""
    higher_is: Direction
    """What a higher score means."""
    informants: tuple[Informant, ...] = ()
    """The informants whose form has this scale; empty: all."""
    purpose: Literal["content", "validity"] = "content"
    """``validity`` scales say something about the answering, not about the pupil."""
    supplement: bool = False
    """Whether the questionnaire is also printed without it: where none of its items has a
    column, none is missed, and it has no score."""
    missing: MissingRule | None = None
    """Absent: every item is needed."""
    rounding: Literal["none", "half_up", "down"] = "none"
    """How a score that is no whole number is rounded, after the transform."""
    cut_sets: tuple[CutSet, ...] = ()
    """The first that fits the informant gives the category."""
    published: tuple[Published, ...] = ()
    """Means and reliabilities that sources report; they score nothing."""

    def cut_set_for(self, informant: Informant) -> CutSet | None:
        """Return the cut set that gives the category on an informant's form, if there is one."""
        fits = (c for c in self.cut_sets if not c.informants or informant in c.informants)
        return next(fits, None)

    def published_for(self, informant: Informant) -> tuple[Published, ...]:
        """Return the published figures that hold for an informant's form."""
        return tuple(p for p in self.published if not p.informants or informant in p.informants)


class CriticalItem(Sourced):
    """An item that a person must see on any positive answer, whatever the total says."""

    item: Key
    """The item."""
    concern: Concern
    """What it asks about."""
    window: Window
    """The time it asks about."""
    days: Annotated[int, Field(strict=True, ge=1)] | None = None
    """How many days a ``recent`` window covers."""
    at_or_above: Int
    """The item score from which it is positive."""
    directness: Directness
    """``indirect`` items ask for an interview that asks directly."""


class ValidityIndex(Sourced):
    """A rule under which a form is doubtful or invalid."""

    id: Key
    """Its name."""
    scale: Key
    """A scale whose purpose is `validity`."""
    at_or_above: Number
    """The score from which it is reached."""
    status: Validity
    """What the form then is: `questionable` or `invalid`."""


class QualityCalibration(Model):
    """How the value of a response-quality index was chosen."""

    false_alarm: Annotated[Number, Field(gt=0, lt=1)]
    """The largest share of honest forms, at any level of severity, on which any of the
    instrument's indices is reached."""
    method: Str
    """How: the model, the levels of severity, the number of forms, the seed, what came out."""
    power: Str | None = None
    """How many simulated careless forms are found, by kind."""
    real: Str | None = None
    """What share of real answers is called questionable, and whose they are; absent: none were
    at hand."""
    simulated: Literal[True]
    """The honest forms were simulated; nobody filled them in."""
    command: Str
    """The command that gives these values again."""


class QualityIndex(Sourced):
    """A generic sign of careless answering; a form on which it is reached is `questionable`.

    It never makes a form invalid and changes no tier, and a policy cannot read it. `longest_run`
    is the same recorded code on so many neighbouring items; `variability` the standard deviation
    of the places of the answers among the options, from 0 to 0.5; `even_odd` the correlation of
    two halves over the content scales; `person_fit` that of the answers with how concerning the
    answers to each item are on average; `share_answered` that of the items that count;
    `seconds_per_item` the time of the form by answered items. The first four leave out critical
    items, and the first two exempt a form with the least, or with the most, concerning answer to
    every symptom.
    """

    id: Key
    """Its name in columns."""
    index: Literal[
        "longest_run",
        "variability",
        "even_odd",
        "person_fit",
        "share_answered",
        "seconds_per_item",
    ]
    """The named index."""
    at_or_above: Number | None = None
    """Where it is reached: `longest_run`, or `variability` that is too large."""
    at_or_below: Number | None = None
    """Where it is reached: the others, or `variability` that is too small."""
    expected: dict[Key, Share] = {}
    """For `person_fit`: how concerning the answers to an item are on average, from 0 to 1."""
    calibration: QualityCalibration
    """How the value was chosen; the indices of an instrument are decided together."""

    @property
    def cut(self) -> float:
        """The value from which it is reached, whichever way it points."""
        value = self.at_or_above if self.at_or_above is not None else self.at_or_below
        return float("nan") if value is None else value


class Ages(Model):
    """Ages in completed years: ``from`` belongs to the range, ``below`` does not."""

    from_: Annotated[Number, Field(alias="from")]
    """The youngest age."""
    below: Number
    """The first age that is too old."""


class Instrument(Model):
    """A published set of items with its scoring rules, at one version."""

    schema_: Annotated[Literal["mhscreen/instrument/1"], Field(alias="schema")]
    """The grammar; the first key of the file."""
    id: Identifier
    """Its name in references, columns and file paths."""
    version: Version
    """The version of this definition, not of the printed form."""
    title: Text
    """Its full name."""
    abbreviation: Str
    """Its short name."""
    construct_: Annotated[Text, Field(alias="construct")]
    """What it measures."""
    recall: Text
    """The time the items ask about."""
    informants: Annotated[tuple[Informant, ...], Field(min_length=1)]
    """Who may fill it in; the first is the default."""
    ages: Ages
    """For whom it is made."""
    population: Text
    """In whom it was tried."""
    rights: Rights
    """Who holds the rights, and what may be shipped."""
    references: Annotated[tuple[Reference, ...], Field(min_length=1)]
    """The sources that the file cites."""
    evidence: Evidence
    """How well the item key was checked."""
    withdrawn: Str | None = None
    """Why this version must not be used any more."""
    notes: tuple[Str, ...] = ()
    """Disagreements between sources, known faults elsewhere, what was not obtained."""
    response_scales: dict[Key, ResponseScale]
    """The sets of options, by name."""
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=1000)]
    """The questions, in printed order."""
    gates: tuple[Gate, ...] = ()
    """Items that are asked only after certain answers."""
    scales: tuple[Scale, ...] = ()
    """Scores; a scale comes after its components."""
    critical_items: tuple[CriticalItem, ...] = ()
    """Items that a person must see on any positive answer."""
    validity_indices: tuple[ValidityIndex, ...] = ()
    """Rules under which a form is doubtful or invalid."""
    quality: tuple[QualityIndex, ...] = ()
    """Generic signs of careless answering."""

    @property
    def ref(self) -> str:
        """``id@version``."""
        return f"{self.id}@{self.version}"

    def item(self, key: str) -> Item:
        """Return the item with this id."""
        return next(item for item in self.items if item.id == key)

    def scale(self, key: str) -> Scale:
        """Return the scale with this id."""
        return next(scale for scale in self.scales if scale.id == key)

    def options(self, item: str) -> ResponseScale:
        """Return the response scale of an item."""
        return self.response_scales[self.item(item).response_scale]

    def scales_for(self, informant: Informant) -> tuple[Scale, ...]:
        """Return the scales of this informant's form."""
        return tuple(s for s in self.scales if not s.informants or informant in s.informants)

    def slot(self, informant: Informant) -> str:
        """Return the slot name: ``sdq@teacher``, or ``phq9`` where there is one informant."""
        return f"{self.id}@{informant}" if len(self.informants) > 1 else self.id

    def prefix(self, informant: Informant) -> str:
        """Return the column prefix: ``sdq_teacher``, or ``phq9`` where there is one informant."""
        return self.slot(informant).replace("@", "_").replace("-", "_")

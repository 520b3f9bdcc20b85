"""Simulate a district: pupils with a true level of distress, and the forms they might fill in.

Every answer comes from a graded response model: an item is answered further out the higher the
pupil's true level. The figures in `Assumptions` are our own choice, made so that the shares of
pupils flagged look like published ones; nothing simulated is a finding about anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from mhscreen.kernels.codes import BLANK
from mhscreen.kernels.irt import REACH
from mhscreen.kernels.packed import unpack
from mhscreen.problems import UsageError
from mhscreen.vocabulary import Informant, Requirement, Stage

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mhscreen.plan.plan import Plan
    from mhscreen.plan.scoring import FormPlan

__all__ = ["Assumptions", "Simulated", "simulate_answers", "simulate_pupils"]

Columns = dict[str, Any]
Missing = Literal["completely_at_random", "at_random", "not_at_random"]
Careless = Literal["by_chance", "one_option", "one_option_from_half_way"]

_PULL = 2.0  # the odds of a blank rise by a factor of about 7 from the first option to the last


@dataclass(frozen=True)
class Assumptions:
    """What the simulated district is like.

    Attributes
    ----------
    loading : float
        How much a pupil's general level shows in each questionnaire, 0 to 1.
    slope : float
        How sharply an item tells levels apart.
    first_step, step : float
        Where the second option becomes likely, and the distance between options, in standard
        deviations of the true level.
    critical_step : float
        How much further out critical items lie.
    observer_step : float
        How much further out an observer's items lie when the observer is asked about everybody.
    on_event : float
        Share of pupils for whom an on-event form is filed.
    absent, skipped, blank, careless : float
        Shares of pupils without any form, of forms not filed, of items left blank, and of
        forms answered without reading.
    careless_kind : {"by_chance", "one_option", "one_option_from_half_way"}
        What is answered without reading: any option; the same one throughout, but for the first,
        which on most forms is that of who has no complaints; by chance, then one option.
    pupils_per_class : int
    missing : {"completely_at_random", "at_random", "not_at_random"}
        What blanks depend on: nothing; the answer to the first item, which everybody gives; the
        answer that is then not given. The share of blanks stays near `blank`.
    agreement : float, optional
        How the levels that any two informants see in one pupil correlate, 0 to 1, in general and
        in what one questionnaire asks about; pupils see their true level. Scores agree less, by
        what they do not measure. By default all informants see the same general level. Across
        341 studies the mean correlation of reports was 0.28; 0.25 of internalising and 0.30 of
        externalising problems (De Los Reyes et al. 2015, Psychological Bulletin 141:858–900).
    item_parameters : bool
        Whether items of a scale with published parameters are answered by its item response
        model; a level of 0 is the mean of the model's prior, one standard deviation its own. The
        steps then say nothing of these items.

    Notes
    -----
    All defaults are our own choice.
    """

    loading: float = 0.75
    slope: float = 1.9
    first_step: float = 0.95
    step: float = 0.75
    critical_step: float = 1.55
    observer_step: float = 2.8
    on_event: float = 0.02
    absent: float = 0.02
    skipped: float = 0.01
    blank: float = 0.003
    careless: float = 0.01
    pupils_per_class: int = 42
    missing: Missing = "completely_at_random"
    careless_kind: Careless = "by_chance"
    agreement: float | None = None
    item_parameters: bool = False
    steps: Mapping[str, float] = field(default_factory=dict)
    """Further steps by instrument."""

    def __post_init__(self) -> None:
        """Refuse a kind that there is not, and an agreement that cannot be."""
        for name, kinds in (("missing", get_args(Missing)), ("careless_kind", get_args(Careless))):
            if getattr(self, name) not in kinds:
                msg = f"{name} is one of {', '.join(kinds)}, not {getattr(self, name)!r}"
                raise UsageError(msg)
        if self.agreement is not None and not 0 <= self.agreement <= 1:
            msg = f"agreement: a correlation from 0 to 1 is expected, not {self.agreement}"
            raise UsageError(msg)


@dataclass(frozen=True, eq=False, repr=False)
class Simulated:
    """A simulated district.

    Attributes
    ----------
    roster : dict of str to array
        The columns of a roster.
    responses : dict of str to dict of str to array
        The columns of each slot that has a form; recorded codes, None where blank.
    truth : ndarray of float64, shape (pupils,)
        Each pupil's true level, in standard deviations.
    levels : dict of str to ndarray of float64, shape (pupils,)
        By slot that has a form: the level from which the form was answered, as its informant sees
        it, in standard deviations; NaN where no form is filed.
    """

    roster: Columns
    responses: dict[str, Columns]
    truth: NDArray[np.float64]
    levels: dict[str, NDArray[np.float64]]

    def __repr__(self) -> str:
        return f"<Simulated: {len(self.truth)} pupils>"


def simulate_pupils(
    plan: Plan,
    pupils: int,
    rng: np.random.Generator,
    *,
    on: dt.date,
    assumptions: Assumptions | None = None,
) -> Simulated:
    """Simulate a district and the forms that a programme asks for.

    Parameters
    ----------
    plan : Plan
        The programme.
    pupils : int
        How many pupils.
    rng : numpy.random.Generator
        The only source of chance.
    on : date
        When the forms are filled in; ages follow from it.
    assumptions : Assumptions, optional
        What the district is like.

    Returns
    -------
    Simulated
        Subjects begin with ``SYN-``, schools with ``Synthetic``.
    """
    assume = assumptions or Assumptions()
    roster, group = _roster(plan, pupils, rng, on, assume)
    truth = rng.standard_normal(pupils)
    absent = rng.random(pupils) < assume.absent
    responses, levels = {}, {}
    seen = None if assume.agreement is None else _Views(truth, rng, assume)
    for slot, form in enumerate(plan.forms):
        use = plan.uses[group, slot]
        share = np.where(
            use == Requirement.REQUIRED.position,
            1 - assume.skipped,
            np.where(use == Requirement.ON_EVENT.position, assume.on_event, 0.0),
        )
        filed = np.flatnonzero((rng.random(pupils) < share) & ~absent)
        if seen is None:
            level = _level(truth[filed], rng.standard_normal(len(filed)), assume)
        else:
            level = seen.level(form)[filed]
        columns = _answers(form, level, rng, assume)
        if len(filed):
            levels[form.slot] = np.full(pupils, np.nan)
            levels[form.slot][filed] = level
            responses[form.slot] = {
                "subject": roster["subject"][filed],
                "administered_on": np.full(len(filed), on.isoformat(), dtype=object),
                **columns,
            }
    return Simulated(roster, responses, truth, levels)


class _Views:
    """What each informant sees in each pupil, in general and of what one questionnaire asks."""

    def __init__(
        self, truth: NDArray[np.float64], rng: np.random.Generator, assume: Assumptions
    ) -> None:
        self._rng, self._assume = rng, assume
        self._general = self._seen(truth)
        self._special: dict[str, dict[Informant, NDArray[np.float64]]] = {}

    def level(self, form: FormPlan) -> NDArray[np.float64]:
        """Return every pupil's level on a form."""
        if form.instrument not in self._special:
            own = self._rng.standard_normal(len(self._general[Informant.SELF]))
            self._special[form.instrument] = self._seen(own)
        special = self._special[form.instrument]
        return _level(self._general[form.informant], special[form.informant], self._assume)

    def _seen(self, own: NDArray[np.float64]) -> dict[Informant, NDArray[np.float64]]:
        """Return views of which any two correlate as agreed, one of them the pupil's own."""
        agreement = self._assume.agreement or 0.0
        # What observers share beyond the pupil's own view lifts their correlation from its square.
        shared = agreement / (1 + agreement)
        common = self._rng.standard_normal(len(own))
        seen = {Informant.SELF: own}
        for informant in Informant:
            if informant is not Informant.SELF:
                alone = self._rng.standard_normal(len(own))
                other = np.sqrt(shared) * common + np.sqrt(1 - shared) * alone
                seen[informant] = agreement * own + np.sqrt(1 - agreement**2) * other
        return seen


def _level(
    general: NDArray[np.float64], special: NDArray[np.float64], assume: Assumptions
) -> NDArray[np.float64]:
    level: NDArray[np.float64] = assume.loading * general + np.sqrt(1 - assume.loading**2) * special
    return level


def _roster(
    plan: Plan, pupils: int, rng: np.random.Generator, on: dt.date, assume: Assumptions
) -> tuple[Columns, NDArray[np.int64]]:
    """Return schools of one stage each, with classes of one grade each."""
    shares = {
        Stage.PRIMARY: (0.5, 1, 6),
        Stage.JUNIOR: (0.25, 7, 9),
        Stage.SENIOR: (0.17, 10, 12),
        Stage.VOCATIONAL: (0.08, 10, 12),
    }
    number = np.arange(pupils)
    stage_of, first, last = [], [], []
    bounds = np.cumsum([share for share, _, _ in shares.values()]) * pupils
    place = np.searchsorted(bounds, number, side="right").clip(max=len(shares) - 1)
    stage_of = np.array([str(stage) for stage in shares], dtype=object)[place]
    first = np.array([low for _, low, _ in shares.values()])[place]
    last = np.array([high for _, _, high in shares.values()])[place]
    seat = number // assume.pupils_per_class
    grade = first + seat % (last - first + 1)
    school = np.array(
        [
            f"Synthetic {stage} school {block}"
            for stage, block in zip(stage_of.tolist(), (seat // 24 + 1).tolist(), strict=True)
        ],
        dtype=object,
    )
    class_ = np.array([f"{g}-{s % 24 + 1}" for g, s in zip(grade, seat, strict=True)], dtype=object)
    age_days = ((grade + 5.9) * 365.25 + rng.random(pupils) * 365).astype(np.int64)
    born = np.datetime64(on, "D") - age_days
    group = np.array([plan.group(s, int(g)) for s, g in zip(stage_of, grade, strict=True)])
    return {
        "subject": np.array([f"SYN-{i + 1:06d}" for i in number], dtype=object),
        "city": np.full(pupils, "Synthetic city", dtype=object),
        "district": np.full(pupils, "Synthetic district", dtype=object),
        "school": school,
        "stage": stage_of,
        "grade": grade,
        "class": class_,
        "sex": np.where(rng.random(pupils) < 0.52, "male", "female").astype(object),  # noqa: PLR2004 - more boys than girls at school age
        "birth_date": born.astype("U10").astype(object),
    }, group


def _answers(
    form: FormPlan, level: NDArray[np.float64], rng: np.random.Generator, assume: Assumptions
) -> Columns:
    """Return the columns of one form, with recorded codes."""
    answers = simulate_answers(form, level, rng, assumptions=assume).astype(np.int64)
    answers[answers == BLANK] = -1
    return {
        f"{form.prefix}_{item.id}": np.array([*item.codes, None], dtype=object)[answer]
        for item, answer in zip(form.items, answers, strict=True)
    }


def simulate_answers(
    form: FormPlan,
    level: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    assumptions: Assumptions | None = None,
) -> NDArray[np.uint8]:
    """Answer every item of one form; items behind a closed gate stay blank.

    Parameters
    ----------
    form : FormPlan
        One informant's form of one instrument.
    level : ndarray of float64, shape (forms,)
        How much of what it asks about each pupil has, in standard deviations.
    rng : numpy.random.Generator
        The only source of chance.
    assumptions : Assumptions, optional
        How items are answered; ``careless`` and ``blank`` are shares.

    Returns
    -------
    ndarray of uint8, shape (items, forms)
        Response codes, see `mhscreen.kernels.codes`.
    """
    assume = assumptions or Assumptions()
    forms = len(level)
    careless = rng.random(forms) < assume.careless
    critical = {item.row for item in form.critical}
    further = assume.steps.get(form.instrument, 0.0)
    if form.informant is not Informant.SELF and critical:
        further += assume.observer_step
    modelled = _modelled(form, level, rng) if assume.item_parameters else {}
    place = np.zeros((len(form.items), forms), dtype=np.int64)
    for row, item in enumerate(form.items):
        if row in modelled:
            chance = rng.integers(len(item.scores), size=forms)
            place[row] = np.where(careless, chance, modelled[row])
            continue
        order = np.argsort(item.scores, kind="stable")
        steps = np.arange(len(order) - 1) * assume.step + assume.first_step + further
        if row in critical:
            steps = steps + assume.critical_step
        noise = rng.logistic(size=forms) / assume.slope
        rank = (level[:, None] + noise[:, None] > steps[None, :]).sum(axis=1)
        if not item.upwards:
            rank = len(order) - 1 - rank
        rank = np.where(careless, rng.integers(len(order), size=forms), rank)
        place[row] = order[rank]
    if assume.careless_kind != "by_chance":
        _answer_with_one_option(form, place, careless, rng, assume)
    blank = rng.random(place.shape) < _chances_of_blanks(form, place, assume)
    for gate in form.gates:
        opened = np.zeros(forms, dtype=bool)
        for row, cut in gate.openers:
            opened |= form.items[row].scores[place[row]] >= cut
        for row in gate.rows:
            blank[row] |= ~opened
    return np.where(blank, BLANK, place).astype(np.uint8)


def _modelled(
    form: FormPlan, level: NDArray[np.float64], rng: np.random.Generator
) -> dict[int, NDArray[np.int64]]:
    """Return by row the answers to items with published parameters, from the first such scale."""
    found: dict[int, NDArray[np.int64]] = {}
    for scale in form.scales:
        if scale.irt is None:
            continue
        points = scale.irt.grid.points
        middle = len(points) // 2
        sd = (points[-1] - points[middle]) / REACH
        trait = points[middle] + sd * (level if scale.upwards else -level)
        keyed = unpack(scale.tables).value
        for row, table, key in zip(scale.rows.tolist(), scale.irt.chances, keyed, strict=True):
            if row in found:
                continue
            # The last column stands for no answer; between points the chances are all but straight.
            below = np.cumsum(table[:, :-2], axis=1)
            drawn = rng.random(len(level))
            rank = sum(drawn >= np.interp(trait, points, one) for one in below.T)
            _, option = np.unique(key[: len(form.items[row].scores)], return_index=True)
            found[row] = option[rank]
    return found


def _answer_with_one_option(
    form: FormPlan,
    place: NDArray[np.int64],
    careless: NDArray[np.bool_],
    rng: np.random.Generator,
    assume: Assumptions,
) -> None:
    """Put one option into the forms of careless answerers, throughout or from half way on."""
    width = np.array([len(item.codes) for item in form.items])[:, None]
    chosen = np.minimum(rng.integers(1, int(width.max()), size=len(careless)), width - 1)
    first = 0 if assume.careless_kind == "one_option" else len(width) // 2
    place[first:, careless] = chosen[first:, careless]


def _chances_of_blanks(
    form: FormPlan, place: NDArray[np.int64], assume: Assumptions
) -> NDArray[np.float64]:
    """Return how likely each answer is left blank, shape (items, forms)."""
    if assume.missing == "completely_at_random" or not place.size:
        return np.full(place.shape, assume.blank)
    worse = np.empty(place.shape)
    for row, item in enumerate(form.items):
        scores = np.asarray(item.scores, dtype=np.float64)
        span = float(np.ptp(scores)) or 1.0
        share = (scores[place[row]] - scores.min()) / span
        worse[row] = share if item.upwards else 1 - share
    driver = worse if assume.missing == "not_at_random" else np.broadcast_to(worse[0], worse.shape)
    weight = np.exp(_PULL * driver)
    if assume.missing == "at_random":
        weight[0] = 0.0  # what blanks depend on is seen
    chances: NDArray[np.float64] = np.minimum(assume.blank * weight / weight.mean(), 1.0)
    return chances

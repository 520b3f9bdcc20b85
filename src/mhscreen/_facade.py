"""The façade: each verb takes frames in and hands noun or frame back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen import frames
from mhscreen.loading import load_library, shipped_library
from mhscreen.plan.norming import compile_norms
from mhscreen.plan.plan import Plan, compile_plan
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import ProblemLog, ResponseError, UsageError
from mhscreen.review.norms import NormComparison
from mhscreen.review.norms import compare_norms as _compare_norms
from mhscreen.simulation import Assumptions, simulate_pupils
from mhscreen.steps import bind as _bind
from mhscreen.steps import cells
from mhscreen.steps.answers import read_answers
from mhscreen.steps.cells import Moment, moment
from mhscreen.steps.columns import match_columns
from mhscreen.steps.emit import Entries
from mhscreen.steps.emit import emit as _emit
from mhscreen.steps.norm import NormedScores, norm, norm_scale
from mhscreen.steps.result_columns import (
    form_columns,
    norm_columns,
    normed_columns,
    scores_columns,
    triage_columns,
)
from mhscreen.steps.roster import ROSTER_COLUMNS, find_columns, subject_column
from mhscreen.steps.score import Scores, score, score_forms
from mhscreen.steps.screen import Screening
from mhscreen.steps.screen import screen as _screen
from mhscreen.steps.triage import Triage, triage
from mhscreen.vocabulary import Informant, Sex

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from mhscreen.loading import Library
    from mhscreen.steps.columns import ColumnNames
    from mhscreen.steps.tables import Table

__all__ = [
    "bind",
    "compare_norms",
    "compile_plan",
    "emit",
    "load_library",
    "norm",
    "score",
    "score_instrument",
    "screen",
    "shipped_library",
    "simulate",
    "to_frame",
    "triage",
]

Responses = Mapping[str, Any] | Any


def bind(
    plan: Plan,
    *,
    roster: Any,
    responses: Responses,
    at: Moment | None = None,
    columns: Mapping[str, ColumnNames] | None = None,
    on_problem: str = "raise",
) -> _bind.ResponseBatch:
    """Join responses with the roster.

    Parameters
    ----------
    plan : Plan
        A compiled programme.
    roster : dataframe
        One row per pupil: ``subject, school, stage, grade`` and optionally ``class, sex,
        birth_date`` (or ``age``), ``district, city, dormitory, status``.
    responses : dict of str to dataframe, or one dataframe
        By slot (``"phq9"``, ``"sdq@teacher"``), or one wide frame with columns such as
        ``phq9_1`` and ``sdq_teacher_1`` (also under ``"wide"``), or under ``"long"`` a frame
        ``subject, instrument, informant, item, response``.
    at : date, datetime or str, optional
        When the pupils are screened; ages are taken then where a form has no date.
    columns : dict, optional
        How columns are named, by slot: a pattern (``"P{number:02d}"``) or a map of heading to
        item id.
    on_problem : {"raise", "report"}
        Whether a problem refuses the batch (the default), or is listed in ``.problems`` and
        becomes an unanswered item. No pupil is ever dropped.

    Returns
    -------
    ResponseBatch

    Raises
    ------
    ResponseError
        With all problems at once.
    """
    when = None if at is None else moment(at, plan.programme.zone)
    batch = _bind.bind(
        plan,
        frames.to_table(roster, "roster"),
        list(_tables(responses)),
        at=when,
        columns=columns,
        on_problem=on_problem,
    )
    return replace(batch, like=frames.from_columns({}, like=roster))


def _tables(responses: Responses) -> Iterable[tuple[str, Table]]:
    """Tell frames by slot from one wide frame; a dict of columns is a frame, too."""
    if isinstance(responses, Mapping):
        by_slot = all(
            isinstance(value, Mapping) or hasattr(value, "columns") or hasattr(value, "schema")
            for value in responses.values()
        )
        if by_slot:
            for slot, frame in responses.items():
                yield str(slot), frames.to_table(frame, str(slot))
            return
    yield "wide", frames.to_table(responses, "wide")


def screen(
    plan: Plan,
    *,
    roster: Any,
    responses: Responses,
    at: Moment,
    columns: Mapping[str, ColumnNames] | None = None,
    on_problem: str = "raise",
) -> Screening:
    """Bind, score, norm, triage and enter: for those who want only the end.

    The parameters are those of `bind`; `at` is required, since it is the entries' time.

    Returns
    -------
    Screening
        ``.triage``, ``.entries`` (one per pupil on the roster), ``.unmatched``, ``.problems``.
    """
    batch = bind(
        plan, roster=roster, responses=responses, at=at, columns=columns, on_problem=on_problem
    )
    return _screen(plan, batch, moment(at, plan.programme.zone))


def emit(plan: Plan, triage: Triage, *, at: Moment) -> Entries:
    """Make the ledger entries of a batch.

    Parameters
    ----------
    plan : Plan
        The compiled programme.
    triage : Triage
        The evaluated batch.
    at : date, datetime or str
        The entries' time; a date is its midnight in the programme's zone.
    """
    return _emit(plan, triage, moment(at, plan.programme.zone))


def to_frame(result: Scores | NormedScores | Triage | Screening) -> Any:
    """Return a result as a dataframe of the kind that the roster came in, in roster order.

    Scores have one row per pupil (of several forms in a slot, the worse); a triage adds the
    roster, tiers, flags and rules.
    """
    if isinstance(result, Screening):
        return frames.from_columns(
            triage_columns(result.triage, at=result.at), like=result.triage.normed.scores.batch.like
        )
    if isinstance(result, Triage):
        return frames.from_columns(triage_columns(result), like=result.normed.scores.batch.like)
    if isinstance(result, NormedScores):
        return frames.from_columns(normed_columns(result), like=result.scores.batch.like)
    return frames.from_columns(scores_columns(result), like=result.batch.like)


def score_instrument(
    ref: str,
    frame: Any,
    *,
    informant: str | Informant | None = None,
    norm: str | None = None,
    columns: ColumnNames | None = None,
    at: Moment | None = None,
    library: Library | None = None,
    on_problem: str = "raise",
) -> Any:
    """Score one questionnaire, row for row, without a programme.

    Parameters
    ----------
    ref : str
        The instrument, ``"phq9"`` or with a version ``"phq9@1"``.
    frame : dataframe
        One form per row; columns such as ``phq9_1``, ``phq9_01`` or ``phq9_q1``. Other columns
        are left alone.
    informant : str, optional
        Needed where the instrument has several.
    norm : str, optional
        A norm table, ``"sdq/shanghai-teacher@1"``; it reads the columns ``sex``, ``age`` or
        ``birth_date``, and ``grade`` as it needs them.
    columns : str or dict, optional
        A pattern (``"PHQ{number}"``) or a map of heading to item id.
    at : date, datetime or str, optional
        The day on which an age is taken from ``birth_date``.
    library : Library, optional
        By default the shipped one.
    on_problem : {"raise", "report"}
        Whether an illegal answer or a missing column refuses the frame, or counts as
        unanswered.

    Returns
    -------
    dataframe
        Of the same kind, with ``subject`` where the frame has it, and per scale
        ``phq9__total``, ``phq9__total__answered``, ``__low``, ``__high``, ``__category`` ….
        NaN where nothing was answered, or where the missing rule gives no score.

    Examples
    --------
    >>> answers = {"phq9_1": [3, None], **{f"phq9_{i}": [1, None] for i in range(2, 10)}}
    >>> scores = score_instrument("phq9@1", answers)
    >>> scores["phq9__total"].tolist(), scores["phq9__total__answered"].tolist()
    ([11.0, nan], [9, 0])
    """
    source = library or shipped_library()
    instrument = source.instrument(ref).definition
    if informant is None and len(instrument.informants) > 1:
        msg = f"{instrument.id} needs informant=, one of: {', '.join(instrument.informants)}"
        raise UsageError(msg)
    form = compile_form(instrument, Informant(informant or instrument.informants[0]))
    table = frames.to_table(frame, form.slot)
    log = ProblemLog()
    matched, problems = match_columns(
        table, [form], None if columns is None else {form.slot: columns}, own=True, strict=False
    )
    log.extend(problems)
    log.extend(matched[form.slot].problems)
    heading = subject_column(table)
    whose = None
    if heading is not None:
        whose, _ = cells.map_column(table.columns[heading], cells.parse_text, None, "O")
    codes = read_answers(form, table, matched[form.slot].items, log, whose)
    if on_problem == "raise" and log.errors:
        raise ResponseError(log.errors)
    scored = score_forms(form, codes)
    result = {} if whose is None else {"subject": whose}
    result |= form_columns(form, scored)
    if norm is not None:
        sex, age, grade = _who(table, at)
        for plan in compile_norms(source.norm(norm).definition, form, 0):
            normed = norm_scale(plan, scored.scales[plan.scale], sex, age, grade)
            result |= norm_columns(form, normed)
    return frames.from_columns(result, like=frame)


def compare_norms(
    a: str,
    b: str,
    frame: Any,
    *,
    cuts: Sequence[float] = (65, 70),
    at: Moment | None = None,
    library: Library | None = None,
) -> NormComparison:
    """Tell who would move across a cut between two norm tables of one form, such as two editions.

    Parameters
    ----------
    a, b : str
        Two norm tables, ``"sdq/shanghai-teacher@1"``.
    frame : dataframe
        One form per row: raw scores named as in results (``sdq_teacher__total``) with ``sex``,
        ``age`` or ``birth_date``, and ``grade`` as the tables need them.
    cuts : sequence of float
        T scores above 50. Where a higher score is better, the mirrored cut (65: 35) is meant.
    at : date, datetime or str, optional
        The day on which an age is taken from ``birth_date``.
    library : Library, optional
        By default the shipped one.

    Returns
    -------
    NormComparison
        ``.summary()`` counts by scale, cut and stratum, ``.moves()`` names who moves; both are
        columns that every dataframe library takes.

    Raises
    ------
    UsageError
        If the tables do not belong together, or a score is no number.
    """
    table = frames.to_table(frame, "scores")
    heading = subject_column(table)
    subjects = None
    if heading is not None:
        subjects, _ = cells.map_column(table.columns[heading], cells.parse_text, None, "O")
    raw = {}
    for name, column in table.columns.items():
        if name.count("__") != 1:
            continue  # not a raw score
        raw[name], bad = cells.map_column(column, cells.parse_number, np.nan, "f8")
        if bad.any():
            msg = f"column {name} holds no number in row {table.row_number(int(bad.argmax()))}"
            raise UsageError(msg)
    sex, age, grade = _who(table, at)
    return _compare_norms(
        library or shipped_library(),
        a,
        b,
        raw,
        sex=sex,
        age=age,
        grade=grade,
        subjects=subjects,
        cuts=[float(cut) for cut in cuts],
    )


def _who(
    table: Table, at: Moment | None
) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.int8]]:
    """Return sex, age and grade of each row; −1 and NaN where not given or not understood."""
    headings = find_columns(table, ROSTER_COLUMNS)

    def read(name: str, parse: Any, default: Any, dtype: str) -> Any:
        if name not in headings:
            return np.full(table.rows, default, dtype=dtype)
        return cells.map_column(table.columns[headings[name]], parse, default, dtype)[0]

    sex = read("sex", lambda c: cells.parse_term(c, Sex, m="male", f="female"), -1, "i1")
    age = read("age", cells.parse_number, np.nan, "f8")
    if at is not None:
        born = read("birth_date", cells.parse_date, np.datetime64("NaT"), "M8[D]")
        day = np.full(table.rows, moment(at, "UTC"))
        age = cells.age_in_years(born, day, age)
    return sex, age, read("grade", cells.parse_grade, -1, "i1")


def simulate(
    plan: Plan,
    n: int,
    *,
    seed: int = 0,
    on: dt.date | str = "2026-10-15",
    assumptions: Assumptions | None = None,
    like: Any = None,
) -> tuple[Any, dict[str, Any]]:
    """Simulate a synthetic district and the answers a programme asks for.

    Parameters
    ----------
    plan : Plan
        The programme.
    n : int
        How many pupils.
    seed : int
        The same seed gives the same district.
    on : date or str
        When the forms are filled in.
    assumptions : Assumptions, optional
        What the district is like.
    like : dataframe, optional
        The kind of frame wanted; pandas by default.

    Returns
    -------
    roster : dataframe
        Subjects begin with ``SYN-``: nobody in it exists.
    responses : dict of str to dataframe
        By slot.
    """
    day = dt.date.fromisoformat(on) if isinstance(on, str) else on
    made = simulate_pupils(plan, n, np.random.default_rng(seed), on=day, assumptions=assumptions)
    return frames.from_columns(made.roster, like=like), {
        slot: frames.from_columns(columns, like=like) for slot, columns in made.responses.items()
    }

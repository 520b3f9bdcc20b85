"""The façade: each verb takes frames in and hands noun or frame back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, overload

import numpy as np

from mhscreen import frames
from mhscreen.ledger.cases import Cases
from mhscreen.ledger.due import WorkItem
from mhscreen.ledger.tables import case_columns, work_columns
from mhscreen.loading import shipped_library
from mhscreen.plan.norming import compile_norms
from mhscreen.plan.plan import Plan, withdrawn_problems
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import (
    DefinitionError,
    Problem,
    ProblemLog,
    ResponseError,
    UsageError,
    check_on_problem,
    expect,
)
from mhscreen.review.audit import audit_answers
from mhscreen.review.forecast import forecast as _forecast
from mhscreen.review.forecast import population_of_archive, population_of_triage
from mhscreen.review.norms import compare_norms as _compare_norms
from mhscreen.review.norms import raw_columns
from mhscreen.review.policy_check import check_policy as _check_policy
from mhscreen.review.policy_diff import diff_archive, diff_triages, plan_with, programme_of
from mhscreen.simulation import simulate_pupils
from mhscreen.steps import bind as _bind
from mhscreen.steps import cells
from mhscreen.steps.answers import read_answers, read_durations
from mhscreen.steps.cells import Moment, moment
from mhscreen.steps.columns import match_columns
from mhscreen.steps.emit import Entries
from mhscreen.steps.emit import emit as _emit
from mhscreen.steps.norm import NormedScores, norm_scale
from mhscreen.steps.result_columns import (
    critical_columns,
    entry_columns,
    form_columns,
    norm_columns,
    normed_columns,
    problem_columns,
    scores_columns,
    triage_columns,
)
from mhscreen.steps.roster import ROSTER_COLUMNS, find_columns, subject_column
from mhscreen.steps.score import Scores, score_forms
from mhscreen.steps.screen import Screening
from mhscreen.steps.screen import screen as _screen
from mhscreen.steps.triage import Triage
from mhscreen.vocabulary import Informant, ScreenTier, Sex, Stage, Validity

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from mhscreen.definitions import Instrument
    from mhscreen.interop.run_folder import FolderRun
    from mhscreen.ledger.replay import Replay
    from mhscreen.ledger.stores import Ledger
    from mhscreen.loading import Library
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.problems import OnProblem
    from mhscreen.psychometrics.norms import BuiltNorm, NormAbout
    from mhscreen.psychometrics.norms.drift import NormDrift
    from mhscreen.review.affected import AffectedPupil
    from mhscreen.review.audit import Audit
    from mhscreen.review.forecast import Forecast
    from mhscreen.review.norms import NormComparison
    from mhscreen.review.policy_check import PolicyCheck
    from mhscreen.review.policy_diff import PolicyDiff
    from mhscreen.simulation import Assumptions
    from mhscreen.steps.columns import ColumnNames
    from mhscreen.steps.score import FormScores
    from mhscreen.steps.tables import Table

__all__ = [
    "affected",
    "audit",
    "bind",
    "build_norm",
    "check_policy",
    "compare_norms",
    "compare_with_norm",
    "diff_policies",
    "emit",
    "forecast",
    "replay",
    "score_instrument",
    "screen",
    "screen_files",
    "screen_stream",
    "simulate",
    "to_frame",
]

Responses = Mapping[str, Any] | Any


class DataFrame(Protocol):
    """What every kind of dataframe has."""

    @property
    def columns(self) -> Any:
        """The columns, or their names."""


Frame = TypeVar("Frame", bound=DataFrame)


def bind(
    plan: Plan,
    *,
    roster: Any,
    responses: Responses,
    at: Moment | None = None,
    columns: Mapping[str, ColumnNames] | None = None,
    on_problem: OnProblem = "raise",
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
    UsageError
        For a call that cannot be meant.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster = {"subject": ["A1"], "school": ["S"], "stage": ["junior"], "grade": [8]}
    >>> answers = {"gad7": {"subject": ["A1"], **{f"gad7_{n}": [1] for n in range(1, 8)}}}
    >>> mh.bind(plan, roster=roster, responses=answers, at="2026-10-15")
    <ResponseBatch: 1 pupils, 1 forms, qingdao-2023@1.0.0>
    """
    expect("plan", plan, Plan)
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
    on_problem: OnProblem = "raise",
) -> Screening:
    """Bind, score, norm, triage and enter: for those who want only the end.

    The parameters are those of `bind`; `at` is required, since it is the entries' time.

    Returns
    -------
    Screening
        ``.triage``, ``.entries`` (one per pupil on the roster), ``.unmatched``, ``.problems``.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 40)
    >>> mh.screen(plan, roster=roster, responses=answers, at="2026-10-15")
    <Screening: 40 pupils, 0 unmatched, qingdao-2023@1.0.0>
    """
    batch = bind(
        plan, roster=roster, responses=responses, at=at, columns=columns, on_problem=on_problem
    )
    return _screen(plan, batch, moment(at, plan.programme.zone))


def screen_stream(
    plan: Plan,
    *,
    roster: Any,
    batches: Iterable[Responses],
    at: Moment,
    columns: Mapping[str, ColumnNames] | None = None,
    on_problem: OnProblem = "raise",
) -> Iterator[Screening]:
    """Screen batches of answers as they come, and never hold more than one.

    For files use `screen_files`, which takes answers in any order.

    Parameters
    ----------
    plan : Plan
        A compiled programme.
    roster : dataframe
        All pupils, as for `bind`.
    batches : iterable
        Responses as for `bind`, again and again. A batch holds all that its pupils have handed
        in: no pupil is in two. If forms say who filled them in (columns ``birth_date``, ``sex``,
        ``class``), the batches are gone through twice, and must be a list or such.
    at : date, datetime or str
        When the pupils are screened: the entries' time.
    columns : dict, optional
        How columns are named, by slot.
    on_problem : {"raise", "report"}
        As for `bind`, batch for batch.

    Yields
    ------
    Screening
        One for each batch, its pupils in roster order; then those of the pupils who are in none.
        Their entries are those of `screen`, to the byte. The last also says, in ``.problems``,
        which shares of a school or class look implausible.

    Raises
    ------
    UsageError
        If a pupil is in two batches, or the batches must be gone through twice and cannot.
    ResponseError
        With all problems of a batch at once.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 40)
    >>> halves = [
    ...     {slot: frame[frame["subject"].isin(half["subject"])] for slot, frame in answers.items()}
    ...     for half in (roster[:20], roster[20:])
    ... ]
    >>> stream = mh.screen_stream(plan, roster=roster, batches=halves, at="2026-10-15")
    >>> sum(len(result.entries) for result in stream)
    40
    """
    from mhscreen.interop.stream import BatchStream

    expect("plan", plan, Plan)
    check_on_problem(on_problem)
    stream = BatchStream(
        plan,
        frames.to_table(roster, "roster"),
        moment(at, plan.programme.zone),
        columns,
        on_problem,
        frames.from_columns({}, like=roster),
    )
    tables = _EachAsTables(batches)
    once = iter(batches) is batches
    if not once:
        stream.look_at(tables)
    return stream.screen(tables, looked_at=not once)


class _EachAsTables:
    """Batches as lists of tables, made when they are gone through."""

    def __init__(self, batches: Iterable[Responses]) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[list[tuple[str, Table]]]:
        for batch in self._batches:
            yield list(_tables(batch))


def emit(plan: Plan, triage: Triage, *, at: Moment, key: bytes | None = None) -> Entries:
    """Make the ledger entries of a batch.

    Parameters
    ----------
    plan : Plan
        The compiled programme.
    triage : Triage
        The evaluated batch.
    at : date, datetime or str
        The entries' time; a date is its midnight in the programme's zone.
    key : bytes, optional
        From `read_key`. With it entries refer to pupils by pseudonyms; without, by the roster's
        ``subject``.

    Raises
    ------
    UsageError
        If the triage was not made with this plan, or the key is too short.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 40)
    >>> scores = mh.score(plan, mh.bind(plan, roster=roster, responses=answers))
    >>> entries = mh.emit(plan, mh.triage(plan, mh.norm(plan, scores)), at="2026-10-15")
    >>> next(iter(entries))["cycle_id"]
    'qingdao-2023/2026-2027/autumn'
    """
    expect("plan", plan, Plan)
    return _emit(plan, triage, moment(at, plan.programme.zone), key=key)


def screen_files(
    plan: Plan,
    *,
    roster: str | os.PathLike[str],
    responses: str | os.PathLike[str],
    at: Moment,
    out: str | os.PathLike[str],
    archive_csv: bool = False,
    columns: Mapping[str, ColumnNames] | None = None,
    chunk: int | None = None,
    workers: int = 1,
    temporary: str | os.PathLike[str] | None = None,
) -> FolderRun:
    """Screen a district from its files, and write the results into a folder: all, or none.

    Problems are reported, never raised, unless the roster cannot be used. The files may be larger
    than memory. A run that was killed goes on where it was when it is started again.

    Parameters
    ----------
    plan : Plan
        A compiled programme.
    roster : path
        CSV, TSV, Parquet, Arrow or Excel; one row per pupil.
    responses : path
        A folder of such files, each named by its slot, or ``wide`` or ``long``; or one file.
    at : date, datetime or str
        When the pupils are screened: the entries' time.
    out : path
        The folder for the results, new or not.
    archive_csv : bool
        Whether the archive is also written as CSV.
    columns : dict, optional
        How columns are named, by slot; as for `bind`.
    chunk : int, optional
        About how many pupils are screened at once: it decides how much memory a run needs, and
        changes no byte of the results.
    workers : int
        How many processes screen them. With several, a script calls this below
        ``if __name__ == "__main__":``.
    temporary : path, optional
        A folder for what the run has to keep meanwhile, which is pupils' answers; by default a
        hidden one beside `out`. It is removed, unless the process is stopped.

    Returns
    -------
    FolderRun
        ``.files``, ``.problems``, ``.urgent``, ``.tiers_by_school``, ``.record``; of what may be
        long it holds the beginning, and the files hold all.

    Raises
    ------
    UsageError
        If a path is not there, or results would be written among the answers or over an input.
    ResponseError
        If the roster cannot be read, is empty or lacks a required column. Nothing is written.

    Examples
    --------
    >>> import mhscreen as mh
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 40)
    >>> with TemporaryDirectory() as name:
    ...     folder = Path(name)
    ...     roster.to_csv(folder / "pupils.csv", index=False)
    ...     (folder / "answers").mkdir()
    ...     for slot, frame in answers.items():
    ...         frame.to_csv(folder / "answers" / f"{slot}.csv", index=False)
    ...     run = mh.screen_files(
    ...         plan, roster=folder / "pupils.csv", responses=folder / "answers",
    ...         at="2026-10-15", out=folder / "out",
    ...     )
    >>> run.files
    ('urgent.csv', 'archive.parquet', 'ledger.jsonl', 'unmatched.jsonl', 'problems.csv', 'run.json')
    """
    from mhscreen.interop import run_folder

    expect("plan", plan, Plan)
    return run_folder.screen_files(
        plan,
        roster=roster,
        responses=responses,
        at=at,
        out=out,
        archive_csv=archive_csv,
        columns=columns,
        chunk=run_folder.CHUNK if chunk is None else chunk,
        workers=workers,
        temporary=temporary,
    )


def replay(
    plan: Plan,
    ledger: Ledger,
    *,
    roster: str | os.PathLike[str],
    responses: str | os.PathLike[str],
    at: Moment,
    columns: Mapping[str, ColumnNames] | None = None,
) -> Replay:
    """Make the screening entries of a run again from its files, and compare with the ledger.

    Parameters
    ----------
    plan : Plan
        The programme, compiled at the versions of the first time.
    ledger : Ledger
        An open ledger.
    roster, responses : path
        The files of the first time.
    at : date, datetime or str
        The entries' time.
    columns : dict, optional
        As for `screen_files`.

    Returns
    -------
    Replay
        How many came out byte for byte; of the others which input, or else which field, is not
        as it was.

    Raises
    ------
    UsageError
        If a path is not there, or the ledger has no screening entry of that time.
    ResponseError
        If the roster cannot be read, is empty or lacks a required column.
    """
    from mhscreen.interop.run_folder import screen_again
    from mhscreen.ledger.replay import replay_entries

    expect("plan", plan, Plan)
    again = screen_again(plan, roster=roster, responses=responses, at=at, columns=columns)
    return replay_entries(ledger, again.entries)


def affected(ref: str, ledger: Ledger) -> list[AffectedPupil]:
    """Return the pupils whose current screening entries rest on a definition.

    Parameters
    ----------
    ref : str
        An instrument, a norm table, a policy or a programme: ``phq9@1.0.0``, ``phq9@1``, ``phq9``.
    ledger : Ledger
        An open ledger.

    Raises
    ------
    UsageError
        If `ref` is no reference.
    """
    from mhscreen.review.affected import affected_pupils

    return affected_pupils(ref, ledger.entries())


def to_frame(
    result: Scores
    | NormedScores
    | Triage
    | Screening
    | Entries
    | Cases
    | Sequence[WorkItem]
    | Sequence[Problem],
    *,
    like: Any = None,
) -> Any:
    """Return a result as a dataframe.

    Scores have one row per pupil, in roster order (of several forms in a slot, the worse); a
    triage adds the roster, tiers, flags and rules. Entries have one row each, without what only
    the whole entry says: the scores of each form, and the evidence of each rule. Cases, work items
    and problems have one row each.

    Parameters
    ----------
    result : Scores, NormedScores, Triage, Screening, Entries, Cases, or list
        What a step gave, a work list, or the ``.problems`` of a batch, a screening or an error.
    like : dataframe, optional
        The kind of frame wanted; by default the kind that the roster came in, and for problems
        pandas.

    Raises
    ------
    UsageError
        For anything else.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 40)
    >>> result = mh.screen(plan, roster=roster, responses=answers, at="2026-10-15")
    >>> mh.to_frame(result)["subject"].equals(roster["subject"])
    True
    >>> len(mh.to_frame(result.entries)), len(mh.to_frame(result.problems))
    (40, 0)
    """
    columns, usual = _columns_of(result)
    return frames.from_columns(columns, like=usual if like is None else like)


def _columns_of(result: object) -> tuple[dict[str, Any], object]:
    """Return the columns of a result, and the kind of frame that it comes back in."""
    if isinstance(result, Screening):
        columns = triage_columns(result.triage, at=result.at)
        return columns, result.triage.normed.scores.batch.like
    if isinstance(result, Triage):
        return triage_columns(result), result.normed.scores.batch.like
    if isinstance(result, Entries):
        return entry_columns(result), result.triage.normed.scores.batch.like
    if isinstance(result, NormedScores):
        return normed_columns(result), result.scores.batch.like
    if isinstance(result, Scores):
        return scores_columns(result), result.batch.like
    return _rows_of(result), None


def _rows_of(result: object) -> dict[str, Any]:
    """Return the columns of what comes from no frame: cases, a work list, problems."""
    if isinstance(result, Cases):
        return case_columns(result)
    if isinstance(result, tuple | list):
        if result and all(isinstance(one, WorkItem) for one in result):
            return work_columns(result)
        if all(isinstance(one, Problem) for one in result):
            return problem_columns(result)
    msg = (
        "result: Scores, NormedScores, Triage, Screening, Entries, Cases, work items or problems "
        "are expected, "
        f"not {type(result).__name__}"
    )
    raise UsageError(msg)


@overload
def score_instrument(
    ref: str,
    frame: Mapping[str, Any],
    *,
    informant: str | Informant | None = None,
    norm: str | None = None,
    columns: ColumnNames | None = None,
    at: Moment | None = None,
    library: Library | None = None,
    on_problem: OnProblem = "raise",
) -> dict[str, Any]: ...
@overload
def score_instrument(
    ref: str,
    frame: Frame,
    *,
    informant: str | Informant | None = None,
    norm: str | None = None,
    columns: ColumnNames | None = None,
    at: Moment | None = None,
    library: Library | None = None,
    on_problem: OnProblem = "raise",
) -> Frame: ...
def score_instrument(
    ref: str,
    frame: Any,
    *,
    informant: str | Informant | None = None,
    norm: str | None = None,
    columns: ColumnNames | None = None,
    at: Moment | None = None,
    library: Library | None = None,
    on_problem: OnProblem = "raise",
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
        NaN where nothing was answered, or where the missing rule gives no score. Of an instrument
        with critical items, ``phq9__critical_items`` and ``phq9__critical_open`` name those that
        are positive and those that are unanswered: who must be seen, whatever the score.

    Raises
    ------
    DefinitionError
        If there is no such instrument or norm, if it is withdrawn, or if the norm was made for
        another form.
    ResponseError
        With all problems at once.
    UsageError
        For a call that cannot be meant, such as an informant that the instrument does not have.

    Examples
    --------
    >>> answers = {"phq9_1": [3, None], **{f"phq9_{i}": [1, None] for i in range(2, 10)}}
    >>> scores = score_instrument("phq9@1", answers)
    >>> scores["phq9__total"].tolist(), scores["phq9__total__answered"].tolist()
    ([11.0, nan], [9, 0])
    """
    check_on_problem(on_problem)
    source = library or shipped_library()
    instrument = source.instrument(ref).definition
    who = _informant(instrument, informant)
    norms = [] if norm is None else [source.norm(norm).definition]
    withdrawn = withdrawn_problems(instrument, *norms)
    if withdrawn:
        raise DefinitionError(withdrawn)
    form = compile_form(instrument, who)
    plans = [plan for one in norms for plan in compile_norms(one, form, 0)]
    table = frames.to_table(frame, form.slot)
    scored, whose = _scored(form, table, columns, on_problem)
    result = {} if whose is None else {"subject": whose}
    result |= form_columns(form, scored)
    result |= critical_columns(form, scored)
    if plans:
        sex, age, grade = _who(table, at)
        for plan in plans:
            normed = norm_scale(plan, scored.scales[plan.scale], sex, age, grade)
            result |= norm_columns(form, normed)
    return frames.from_columns(result, like=frame)


def _scored(
    form: FormPlan, table: Table, columns: ColumnNames | None, on_problem: OnProblem
) -> tuple[FormScores, NDArray[np.object_] | None]:
    """Return the scores of a table of one form, row for row, and whose they are."""
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
    durations = None
    if form.quality is not None and form.quality.uses_time:
        durations = read_durations(table, log)
    if on_problem == "raise" and log.errors:
        raise ResponseError(log.errors)
    return score_forms(form, codes, durations), whose


def _informant(instrument: Instrument, informant: str | Informant | None) -> Informant:
    """Return whose form it is, which must be said where the instrument has several."""
    allowed = ", ".join(instrument.informants)
    if informant is None and len(instrument.informants) > 1:
        msg = f"{instrument.id} needs informant=, one of: {allowed}"
        raise UsageError(msg)
    if informant is not None and informant not in instrument.informants:
        msg = f"{instrument.ref} has no form for informant '{informant}'; it has: {allowed}"
        raise UsageError(msg)
    return Informant(informant or instrument.informants[0])


def audit(
    ref: str,
    frame: Any,
    *,
    informant: str | Informant | None = None,
    columns: ColumnNames | None = None,
    library: Library | None = None,
) -> Audit:
    """Compare a data set with an instrument: coding, keys, and what sources report.

    Parameters
    ----------
    ref : str
        The instrument, ``"phq9"`` or with a version ``"phq9@1"``.
    frame : dataframe
        One form per row, as for `score_instrument`.
    informant : str, optional
        Needed where the instrument has several.
    columns : str or dict, optional
        A pattern (``"PHQ{number}"``) or a map of heading to item id.
    library : Library, optional
        By default the shipped one.

    Returns
    -------
    Audit
        ``.remarks`` is what to look at; ``.scale_table()`` and ``.item_table()`` are columns that
        every dataframe library takes. It holds shares and correlations, never an answer.

    Raises
    ------
    ResponseError
        If no column holds an item.
    UsageError
        If there is no such informant.
    """
    instrument = (library or shipped_library()).instrument(ref).definition
    who = _informant(instrument, informant)
    table = frames.to_table(frame, instrument.slot(who))
    return audit_answers(instrument, who, table, columns)


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
        ``age`` or ``birth_date``, and ``grade`` as the tables need them. Other columns are not
        read.
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

    Examples
    --------
    >>> import mhscreen as mh
    >>> scores = {
    ...     "rcads47_self__depression": [8, 17], "sex": ["f", "m"], "grade": [8, 8], "age": [13, 14]
    ... }
    >>> found = mh.compare_norms("rcads47/us-self@1", "rcads47/netherlands-self@1", scores)
    >>> found.summary()["forms"][0], found.moves()["subject"]
    (2, [])
    """
    table = frames.to_table(frame, "scores")
    heading = subject_column(table)
    subjects = None
    if heading is not None:
        subjects, _ = cells.map_column(table.columns[heading], cells.parse_text, None, "O")
    library = library or shipped_library()
    raw = {}
    for name in raw_columns(library, a):
        if name not in table.columns:
            continue
        raw[name], bad = cells.map_column(table.columns[name], cells.parse_number, np.nan, "f8")
        if bad.any():
            msg = f"column {name} holds no number in row {table.row_number(int(bad.argmax()))}"
            raise UsageError(msg)
    sex, age, grade = _who(table, at)
    return _compare_norms(
        library,
        a,
        b,
        raw,
        sex=sex,
        age=age,
        grade=grade,
        subjects=subjects,
        cuts=[float(cut) for cut in cuts],
    )


def build_norm(
    ref: str,
    frame: Any,
    about: NormAbout,
    *,
    by: Sequence[Literal["sex", "grade", "age"]] = (),
    informant: str | Informant | None = None,
    scales: Sequence[str] | None = None,
    method: str = "auto",
    age_bands: Sequence[float] = (),
    margins: Mapping[str, Mapping[Any, float]] | None = None,
    asked: int | None = None,
    smallest: float | None = None,
    seed: int = 0,
    columns: ColumnNames | None = None,
    at: Moment | None = None,
    library: Library | None = None,
    on_problem: OnProblem = "raise",
) -> BuiltNorm:
    """Build a norm table from answers; it is descriptive and moves no tier.

    Parameters
    ----------
    ref : str
        The instrument, ``"phq9@1.0.0"``.
    frame : dataframe
        One form per row, as for `score_instrument`, with ``sex``, ``grade``, ``age`` or
        ``birth_date`` as `by` needs them. With a column ``school`` the pupils of one school count
        as sampled together.
    about : NormAbout
        What the table says of its sample; see `mhscreen.psychometrics.norms`.
    by : sequence of {"sex", "grade", "age"}
        What the table tells apart; grade or age, not both.
    informant : str, optional
        Needed where the instrument has several.
    scales : sequence of str, optional
        By default every content scale with a score.
    method : str
        ``auto`` chooses by cross-validation among ``empirical``, ``log_linear``,
        ``beta_binomial``, ``shash``, ``lms`` and ``taylor``.
    age_bands : sequence of float
        With age: where each band begins, and where the last one ends.
    margins : dict, optional
        Counts or shares of the population for raking, by ``sex``, ``grade`` or another column:
        ``{"sex": {"male": 5200, "female": 4800}}``.
    asked : int, optional
        How many pupils were to answer.
    smallest : float, optional
        The smallest effective size of a group.
    seed : int
        Deals pupils to the folds of the cross-validation.
    columns : str or dict, optional
        A pattern (``"PHQ{number}"``) or a map of heading to item id.
    at : date, datetime or str, optional
        The day on which an age is taken from ``birth_date``.
    library : Library, optional
        By default the shipped one.
    on_problem : {"raise", "report"}
        Whether an illegal answer refuses the frame, or counts as unanswered.

    Returns
    -------
    BuiltNorm
        ``.to_yaml()``, ``.to_frame()``, ``.plot()``, ``.problems``.

    Raises
    ------
    AnalysisError
        If the sample cannot bear it: groups too small, margins that cannot be met, a model
        without an end.
    ResponseError
        With all problems of the answers at once.
    UsageError
        For a call that cannot be meant.
    """
    from mhscreen.psychometrics.norms import NormSample
    from mhscreen.psychometrics.norms import build_norm as _build_norm

    check_on_problem(on_problem)
    instrument = (library or shipped_library()).instrument(ref).definition
    who = _informant(instrument, informant)
    form = compile_form(instrument, who)
    table = frames.to_table(frame, form.slot)
    scored, _ = _scored(form, table, columns, on_problem)
    content = {scale.id for scale in instrument.scales if scale.purpose == "content"}
    wanted = [one for one in scored.scales if one.scale in (content if scales is None else scales)]
    kept = [one for one in wanted if not np.isnan(one.score).all()]
    sex, age, grade = _who(table, at)
    sample = NormSample(
        {one.scale: one.score for one in kept},
        sex,
        age,
        grade,
        school=_texts(table, "school"),
        invalid=scored.validity == Validity.INVALID.position,
        estimated={one.scale: one.estimated for one in kept},
        groups=_groups(table, set(margins or {}) - {"sex", "grade"}),
        asked=asked,
    )
    return _build_norm(
        instrument,
        who,
        sample,
        about,
        by=by,
        scales=None if scales is None else list(scales),
        method=method,
        age_bands=age_bands,
        margins=margins,
        smallest=smallest,
        rng=np.random.default_rng(seed),
    )


def compare_with_norm(
    norm: str,
    frame: Any,
    *,
    columns: ColumnNames | None = None,
    composition: Mapping[str, Mapping[Any, float]] | None = None,
    percentile_margin: float = 5.0,
    sd_margin: float = 0.2,
    at: Moment | None = None,
    library: Library | None = None,
    on_problem: OnProblem = "raise",
) -> NormDrift:
    """Tell whether a sample lies further from a norm than matters, as a whole and by stratum.

    Parameters
    ----------
    norm : str
        The norm table, ``"sdq/shanghai-teacher@1"``.
    frame : dataframe
        Answers, one form per row, as for `build_norm`.
    columns : str or dict, optional
        A pattern (``"PHQ{number}"``) or a map of heading to item id.
    composition : dict, optional
        The composition that the sample is weighted to, so that other grades or more girls than
        before are not taken for drift: ``{"grade": {7: 5200, 8: 5100}}``; counts or shares of
        ``sex``, ``grade``, ``age`` in whole years, or a further column.
    percentile_margin, sd_margin : float
        The smallest difference that matters, in percentile points or standard deviations.
    at : date, datetime or str, optional
        The day on which an age is taken from ``birth_date``.
    library : Library, optional
        By default the shipped one.
    on_problem : {"raise", "report"}
        Whether an illegal answer refuses the frame, or counts as unanswered.

    Returns
    -------
    NormDrift
        ``.to_frame()`` says of each stratum ``moved``, ``not moved`` or ``cannot tell``.
    """
    from mhscreen.psychometrics.norms.drift import compare_with_norm as _compare_with_norm

    check_on_problem(on_problem)
    source = library or shipped_library()
    table_of_norm = source.norm(norm).definition
    instrument = source.instrument(table_of_norm.instrument).definition
    form = compile_form(instrument, table_of_norm.informant)
    table = frames.to_table(frame, form.slot)
    scored, _ = _scored(form, table, columns, on_problem)
    sex, age, grade = _who(table, at)
    return _compare_with_norm(
        source,
        norm,
        {one.scale: one.score for one in scored.scales},
        sex=sex,
        age=age,
        grade=grade,
        school=_texts(table, "school"),
        groups=_groups(table, set(composition or {}) - {"sex", "grade", "age"}),
        composition=composition,
        percentile_margin=percentile_margin,
        sd_margin=sd_margin,
    )


def _texts(table: Table, name: str) -> NDArray[np.object_] | None:
    """Return a column of the roster as text, None where there is none."""
    heading = find_columns(table, {name: ROSTER_COLUMNS[name]}).get(name)
    if heading is None:
        return None
    found: NDArray[np.object_] = cells.map_column(
        table.columns[heading], cells.parse_text, "not known", "O"
    )[0]
    return found


def _groups(table: Table, names: Iterable[str]) -> dict[str, NDArray[np.object_]]:
    """Return further columns as text, for raking."""
    found = {}
    for name in sorted(names):
        if name not in table.columns:
            msg = f"margins name '{name}', and there is no such column"
            raise UsageError(msg)
        found[name] = cells.map_column(table.columns[name], cells.parse_text, "not known", "O")[0]
    return found


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


@overload
def simulate(
    plan: Plan,
    n: int,
    *,
    seed: int = 0,
    on: dt.date | str = "2026-10-15",
    assumptions: Assumptions | None = None,
    truth: Literal[False] = False,
    like: Any = None,
) -> tuple[Any, dict[str, Any]]: ...
@overload
def simulate(
    plan: Plan,
    n: int,
    *,
    seed: int = 0,
    on: dt.date | str = "2026-10-15",
    assumptions: Assumptions | None = None,
    truth: Literal[True],
    like: Any = None,
) -> tuple[Any, dict[str, Any], Any]: ...
def simulate(
    plan: Plan,
    n: int,
    *,
    seed: int = 0,
    on: dt.date | str = "2026-10-15",
    assumptions: Assumptions | None = None,
    truth: bool = False,
    like: Any = None,
) -> tuple[Any, dict[str, Any]] | tuple[Any, dict[str, Any], Any]:
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
    truth : bool
        Whether to hand out the true levels, too.
    like : dataframe, optional
        The kind of frame wanted; pandas by default.

    Returns
    -------
    roster : dataframe
        Subjects begin with ``SYN-``: nobody in it exists.
    responses : dict of str to dataframe
        By slot.
    levels : dataframe
        Only with `truth`. For each ``subject`` the true level (``truth``), and under the name of
        each slot the level from which that form was answered, as its informant sees it; in
        standard deviations, NaN where no form is filed.

    Raises
    ------
    UsageError
        For a number below 0, or what is no day.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 3, like={})
    >>> roster["subject"].tolist(), sorted(answers)[:2]
    (['SYN-000001', 'SYN-000002', 'SYN-000003'], ['observer@parent', 'observer@teacher'])
    >>> _, _, levels = mh.simulate(plan, 3, truth=True, like={})
    >>> sorted(levels)[-2:]
    ['subject', 'truth']
    """
    expect("plan", plan, Plan)
    for name, number in (("n", n), ("seed", seed)):
        if number < 0:
            msg = f"{name}: 0 or more is expected, not {number}"
            raise UsageError(msg)
    try:
        day = dt.date.fromisoformat(on) if isinstance(on, str) else on
    except ValueError:
        msg = "on: a day is expected, such as 2026-10-15"
        raise UsageError(msg) from None
    made = simulate_pupils(plan, n, np.random.default_rng(seed), on=day, assumptions=assumptions)
    roster = frames.from_columns(made.roster, like=like)
    responses = {
        slot: frames.from_columns(columns, like=like) for slot, columns in made.responses.items()
    }
    if not truth:
        return roster, responses
    levels = {"subject": made.roster["subject"], "truth": made.truth, **made.levels}
    return roster, responses, frames.from_columns(levels, like=like)


def check_policy(
    ref: str, *, programme: str | None = None, library: Library | None = None
) -> PolicyCheck:
    """Go through every cell that the thresholds of a policy cut, three-valued, none sampled.

    Parameters
    ----------
    ref : str
        The policy, ``"three-tier-cn@1"``.
    programme : str, optional
        A programme under it: whether it requires a form that no rule reads.
    library : Library, optional
        By default the shipped one.

    Returns
    -------
    PolicyCheck
        ``.findings``: gaps, contradictions, dead rules and worse answers that lower a tier, each
        with answers that show it. What these words mean: `mhscreen.review.policy_check`.

    Raises
    ------
    DefinitionError
        If there is no such policy or programme, or it cannot be compiled.
    UsageError
        If the programme uses another policy, or the cells are too many to be gone through.

    Examples
    --------
    >>> import mhscreen as mh
    >>> mh.check_policy("sdq-multi-informant@1").findings
    ()
    """
    return _check_policy(library or shipped_library(), ref, programme)


def diff_policies(
    a: str,
    b: str,
    *,
    on: Any = None,
    roster: Any = None,
    responses: Responses | None = None,
    at: Moment | None = None,
    programme: str | None = None,
    columns: Mapping[str, ColumnNames] | None = None,
    library: Library | None = None,
) -> PolicyDiff:
    """Tell which pupils change tier under another policy, and by which rules.

    Parameters
    ----------
    a, b : str
        Two policies; A is the one that an archive was made with.
    on : dataframe, optional
        An archive: ``archive.parquet``, or `to_frame` of a triage. It holds scores, but neither
        answers nor ages: rules that read items or norms must be the same in both policies.
    roster, responses : dataframe, dict of str to dataframe, optional
        In place of an archive, as for `bind`: both policies are then run in full. Problems are
        those of `screen`; what cannot be read is unanswered.
    at : date, datetime or str, optional
        When the pupils are screened, with answers.
    programme : str, optional
        Who is screened with what; by default the one programme that uses A.
    columns : dict, optional
        How columns are named, by slot.
    library : Library, optional
        By default the shipped one.

    Returns
    -------
    PolicyDiff
        ``.table()`` tier by tier, ``.moves()`` by pupil, ``.not_compared()``.

    Raises
    ------
    UsageError
        If neither or both are given, or an archive does not hold what a changed rule reads.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 40)
    >>> archive = mh.to_frame(mh.screen(plan, roster=roster, responses=answers, at="2026-10-15"))
    >>> mh.diff_policies("three-tier-cn@1", "three-tier-cn@1", on=archive)
    <PolicyDiff: three-tier-cn@1.0.0, three-tier-cn@1.0.0, 0 pupils move>
    """
    if (on is None) == (roster is None and responses is None):
        msg = "give either an archive, or a roster with responses"
        raise UsageError(msg)
    library = library or shipped_library()
    programme = programme or programme_of(library, a)
    plans = [plan_with(library, programme, one) for one in (a, b)]
    if on is not None:
        return diff_archive(plans[0], plans[1], frames.to_table(on, "archive"))
    if roster is None or responses is None or at is None:
        msg = "with answers, a roster, responses and a time are needed"
        raise UsageError(msg)
    first, second = (
        screen(
            one, roster=roster, responses=responses, at=at, columns=columns, on_problem="report"
        ).triage
        for one in plans
    )
    return diff_triages(first, second)


def forecast(
    policy: str,
    *,
    start: dt.date | str,
    programme: str | None = None,
    on: Any = None,
    enrolment: Mapping[str, int] | None = None,
    base_rate: float | None = None,
    sensitivity: float | None = None,
    specificity: float | None = None,
    hours: Mapping[str, float] | None = None,
    counsellors: float = 1.0,
    hours_per_week: float = 10.0,
    simulated: int = 5000,
    seed: int = 0,
    assumptions: Assumptions | None = None,
    library: Library | None = None,
) -> Forecast:
    """Forecast a season: pupils per tier and week, hours against capacity, hits and misses.

    Parameters
    ----------
    policy : str
        The policy, ``"three-tier-cn@1"``.
    start : date or str
        The first day of screening; the deadlines are those of the programme.
    programme : str, optional
        Who is screened with what; by default the one programme that uses the policy.
    on : dataframe, optional
        An archive of real pupils who were screened under this policy; by default pupils are
        simulated.
    enrolment : dict of str to int, optional
        Pupils by stage; by default those of the archive or of the simulation.
    base_rate : float, optional
        The share of pupils who are cases, for the predictive value and the missed cases.
    sensitivity, specificity : float, optional
        Of the policy at general or higher. By default estimated on simulated pupils, which is
        agreement with a simulated level, not with a disorder.
    hours : dict of str to float, optional
        Hours of a first interview by tier shown; by default our own guesses.
    counsellors, hours_per_week : float
        How many there are, and the hours that each has for first interviews in a full week.
    simulated : int
        How many pupils to simulate.
    seed : int
        The same seed gives the same forecast.
    assumptions : Assumptions, optional
        What the simulated district is like.
    library : Library, optional
        By default the shipped one.

    Returns
    -------
    Forecast
        ``.table()`` by week, ``.accuracy``, ``.warnings``: warnings, never caps.

    Raises
    ------
    UsageError
        If the day is in no window of the programme, a stage or tier does not exist, or a number
        cannot be meant.

    Examples
    --------
    >>> import mhscreen as mh
    >>> season = mh.forecast(
    ...     "three-tier-cn@1", start="2026-10-08", enrolment={"junior": 1500}, base_rate=0.08,
    ...     sensitivity=0.895, specificity=0.775, simulated=300, programme="qingdao-2023@1",
    ... )
    >>> round(season.accuracy.flagged), round(season.accuracy.missed)
    (418, 13)
    """
    library = library or shipped_library()
    plan = plan_with(library, programme or programme_of(library, policy), policy)
    try:
        day = dt.date.fromisoformat(start) if isinstance(start, str) else start
        stages = None if enrolment is None else {Stage(k): v for k, v in enrolment.items()}
        by_tier = None if hours is None else {ScreenTier(k): v for k, v in hours.items()}
    except ValueError as error:
        msg = f"start, enrolment or hours: {error}"
        raise UsageError(msg) from None
    if on is not None:
        population = population_of_archive(frames.to_table(on, "archive"), plan.policy)
    elif simulated <= 0:
        msg = f"simulated: 1 or more is expected, not {simulated}"
        raise UsageError(msg)
    else:
        made = simulate_pupils(
            plan, simulated, np.random.default_rng(seed), on=day, assumptions=assumptions
        )
        result = screen(
            plan, roster=made.roster, responses=made.responses, at=day, on_problem="report"
        )
        population = population_of_triage(result.triage, made.truth)
    return _forecast(
        plan.programme,
        plan.policy.ref,
        population,
        start=day,
        enrolment=stages,
        base_rate=base_rate,
        sensitivity=sensitivity,
        specificity=specificity,
        hours=by_tier,
        counsellors=counsellors,
        hours_per_week=hours_per_week,
    )

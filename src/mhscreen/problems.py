"""What can be wrong, said once: the catalogue of problem codes, problems, and exceptions.

A `Problem` says place, what, expected, hint and code. It never holds an answer or a name:
whoever makes one passes places and codes only. Problems are collected, never printed or
raised one by one; `DefinitionError`, `ResponseError` and `AnalysisError` carry all of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = [
    "CATALOGUE",
    "AnalysisError",
    "DefinitionError",
    "MhscreenError",
    "OnProblem",
    "Problem",
    "ProblemKind",
    "ProblemLog",
    "ResponseError",
    "StoppedError",
    "UsageError",
    "check_on_problem",
    "expect",
]

OnProblem = Literal["raise", "report"]
"""Whether a problem refuses the call, or is listed while the call goes on."""


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One line of the catalogue.

    Attributes
    ----------
    code : str
        ``MH`` and three digits: 1xx reading YAML, 2xx what a definition says, 3xx
        libraries and plans, 4xx responses, 5xx roster, 6xx runs, 7xx psychometrics, 8xx ledger,
        9xx results of other scorers.
    slug : str
        The code in words.
    meaning : str
        One sentence for the reader of the problem-code page.
    consequence : str
        What the engine does when it goes on (``on_problem="report"``) or refuses.
    severity : str
        ``"error"`` refuses under ``on_problem="raise"``; ``"warning"`` is only reported.
    """

    code: str
    slug: str
    meaning: str
    consequence: str
    severity: str = "error"


_MOST_NAMED = 1000  # rows with one problem that are named one by one
_EXAMPLES = 10  # rows that are named where there are more
_MOST_SHOWN = 20  # problems in the text of an exception

_REFUSED = "The file is refused; nothing is compiled from it."
_NOTHING = "Nothing is computed."
_NOT_CHECKED = "Nothing is checked; there is no verdict."
_UNANSWERED = "The item counts as unanswered with that reason; the rules do the rest."

_KINDS = (
    ProblemKind(
        "MH101", "yaml-syntax", "The file is not well-formed YAML or not UTF-8 text.", _REFUSED
    ),
    ProblemKind("MH102", "duplicate-key", "A mapping holds the same key twice.", _REFUSED),
    ProblemKind("MH103", "unknown-key", "A key that the grammar does not know.", _REFUSED),
    ProblemKind("MH104", "missing-key", "A key that the grammar requires is absent.", _REFUSED),
    ProblemKind("MH105", "wrong-type", "A value of another type than the grammar asks.", _REFUSED),
    ProblemKind(
        "MH106",
        "ambiguous-scalar",
        "An unquoted scalar that YAML readers guess differently (no, 012, 12:30).",
        _REFUSED,
    ),
    ProblemKind(
        "MH107", "bad-value", "A value outside what the grammar allows at this place.", _REFUSED
    ),
    ProblemKind(
        "MH108",
        "too-much-yaml",
        "Too large a file, too deep a nesting, or too many aliases.",
        _REFUSED,
    ),
    ProblemKind(
        "MH109",
        "yaml-feature",
        "A YAML feature that definitions may not use (a tag, merge key or a second document).",
        _REFUSED,
    ),
    ProblemKind(
        "MH110", "unknown-schema", "The first key does not name a grammar of this engine.", _REFUSED
    ),
    ProblemKind(
        "MH201",
        "dangling-reference",
        "A name points to something the file does not define.",
        _REFUSED,
    ),
    ProblemKind("MH202", "repeated-id", "Two things of one kind have the same id.", _REFUSED),
    ProblemKind(
        "MH203", "range-mismatch", "The stated range is not the one that the key gives.", _REFUSED
    ),
    ProblemKind(
        "MH204",
        "mixed-direction",
        "An item or component would count in both directions (a reverse key is missing or "
        "too many).",
        _REFUSED,
    ),
    ProblemKind(
        "MH205", "bad-cuts", "Categories do not run from the near side to the far side.", _REFUSED
    ),
    ProblemKind(
        "MH206",
        "not-upward-closed",
        "A comparison points to the better side of its score or item.",
        _REFUSED,
    ),
    ProblemKind(
        "MH207",
        "unreachable-comparison",
        "A comparison that every answer or no answer satisfies.",
        _REFUSED,
    ),
    ProblemKind("MH208", "no-source", "A claim names no source that the file lists.", _REFUSED),
    ProblemKind(
        "MH209", "wording-withheld", "Wording is present though the rights withhold it.", _REFUSED
    ),
    ProblemKind(
        "MH210", "norm-not-monotone", "Derived scores do not move with the raw score.", _REFUSED
    ),
    ProblemKind("MH211", "strata-overlap", "Two strata hold the same pupil.", _REFUSED),
    ProblemKind("MH212", "wrong-key", "A norm table was made for another scoring key.", _REFUSED),
    ProblemKind("MH213", "case-failed", "A worked case does not give what it says.", _REFUSED),
    ProblemKind("MH214", "no-cases", "A definition has no worked cases.", _REFUSED),
    ProblemKind(
        "MH215",
        "misplaced-file",
        "The file's place does not agree with its id and version.",
        _REFUSED,
    ),
    ProblemKind(
        "MH301",
        "unknown-definition",
        "No definition with that id and version.",
        "The plan is not compiled.",
    ),
    ProblemKind(
        "MH302",
        "version-conflict",
        "Two definitions pin different versions of one instrument.",
        "The plan is not compiled.",
    ),
    ProblemKind(
        "MH303",
        "unverified-claim",
        "The plan uses a claim marked unverified that the programme does not accept by name.",
        "The plan is not compiled.",
    ),
    ProblemKind(
        "MH304",
        "withdrawn",
        "A withdrawn definition is named.",
        "Nothing is compiled from it, nothing is scored with it.",
    ),
    ProblemKind(
        "MH305",
        "same-version-twice",
        "Two files define the same id and version.",
        "The library is not loaded.",
    ),
    ProblemKind(
        "MH306",
        "informant-not-allowed",
        "The instrument has no form for this informant.",
        "The plan is not compiled.",
    ),
    ProblemKind("MH401", "illegal-code", "An answer is not in the response scale.", _UNANSWERED),
    ProblemKind(
        "MH402",
        "missing-column",
        "An item has no column.",
        "The item counts as not presented on every form of the file.",
    ),
    ProblemKind(
        "MH403", "unknown-column", "A column is not understood.", "It is not read.", "warning"
    ),
    ProblemKind(
        "MH404",
        "two-columns",
        "Two columns claim the same item.",
        "Neither is read; the item counts as unanswered.",
    ),
    ProblemKind(
        "MH405",
        "no-subject-column",
        "No column says whose form it is.",
        "Every form is triaged into the unmatched list.",
    ),
    ProblemKind(
        "MH406",
        "subject-blank",
        "A form does not say whose it is.",
        "It is triaged into the unmatched list.",
    ),
    ProblemKind(
        "MH407",
        "off-roster",
        "A form's subject is not on the roster.",
        "It is scored and triaged into the unmatched list.",
    ),
    ProblemKind(
        "MH408",
        "duplicate-form",
        "More than one form of a pupil in one slot.",
        "Each is evaluated whole; the higher tier stands.",
    ),
    ProblemKind(
        "MH409",
        "wrong-stage",
        "A questionnaire that the programme does not use for this pupil.",
        "Its critical items count, its totals and norms do not.",
    ),
    ProblemKind(
        "MH410",
        "behind-closed-gate",
        "An item is answered though its gate is closed.",
        "The answer is read.",
        "warning",
    ),
    ProblemKind(
        "MH411",
        "unknown-slot",
        "A questionnaire that the programme does not name.",
        "It is not read; its pupils are flagged as errors, its strangers are listed as unmatched.",
    ),
    ProblemKind("MH412", "empty-input", "A table without rows.", "There is nothing to read in it."),
    ProblemKind(
        "MH413",
        "bad-date",
        "A date is not understood, or a form cannot have been submitted then.",
        "It counts as not given.",
    ),
    ProblemKind(
        "MH414",
        "identity-mismatch",
        "Birth date, sex or class on a form disagree with the roster.",
        "The form is evaluated for the pupil it names; the pupil is flagged for a person.",
    ),
    ProblemKind(
        "MH415",
        "unknown-item",
        "A long table names a questionnaire, item or informant that does not exist.",
        "The row is not read; the pupil it names is flagged as an error.",
    ),
    ProblemKind(
        "MH416",
        "repeated-answer",
        "A long table answers one item of one pupil again, on what is not the same form.",
        "A second form begins there; each is evaluated whole and the higher tier stands.",
    ),
    ProblemKind(
        "MH417",
        "outside-age-range",
        "A pupil is outside the ages the instrument is made for.",
        "The form is scored all the same.",
        "warning",
    ),
    ProblemKind(
        "MH418",
        "ambiguous-column",
        "A column fits more than one questionnaire or informant.",
        "It is not read.",
    ),
    ProblemKind(
        "MH419",
        "foreign-column",
        "A column that answers an item of another questionnaire.",
        "It is not read; the pupils with something in it are flagged as errors.",
    ),
    ProblemKind(
        "MH420",
        "unexpected-form",
        "A form of a pupil whom the roster calls absent, on leave, declined or without consent.",
        "It is evaluated; is it this pupil's, and may it be used?",
        "warning",
    ),
    ProblemKind(
        "MH421",
        "supplement-left-out",
        "No item of a supplement has a column.",
        "It counts as printed without it: its scales have no score; the rest is scored.",
        "warning",
    ),
    ProblemKind(
        "MH501",
        "roster-column-missing",
        "The roster lacks a required column.",
        "Nothing is written: without it pupils cannot be told apart or placed.",
    ),
    ProblemKind(
        "MH502",
        "duplicate-pupil",
        "A subject stands on the roster more than once.",
        "One entry; where the lines differ it is flagged as an error: they may be two pupils.",
    ),
    ProblemKind(
        "MH503",
        "roster-subject-blank",
        "A line of the roster has no subject.",
        "It is entered under its file and row, flagged as an error; no form can be matched to it.",
    ),
    ProblemKind(
        "MH504",
        "bad-roster-value",
        "A value on the roster is not understood.",
        "It counts as not given; without stage or grade the pupil is flagged as an error.",
    ),
    ProblemKind(
        "MH505",
        "no-group",
        "The programme has no questionnaires for this stage and grade.",
        "The pupil is entered and flagged as an error.",
    ),
    ProblemKind(
        "MH601",
        "unreadable-file",
        "A file cannot be read as the kind its name says, or has no heading row.",
        "It is not read. Pupils whom its rows name are flagged as errors, where that can be told; "
        "the others are entered as they are without it.",
    ),
    ProblemKind(
        "MH602",
        "file-encoding",
        "A text file is not UTF-8 but reads as GB18030.",
        "It is read as GB18030.",
        "warning",
    ),
    ProblemKind(
        "MH603",
        "ragged-row",
        "A row has more or fewer cells than the heading.",
        "Its answers are not read; the pupil it names is flagged as an error.",
    ),
    ProblemKind(
        "MH604",
        "pupil-error",
        "One pupil could not be evaluated.",
        "The pupil is entered with the flag 'error'; the batch goes on.",
    ),
    ProblemKind(
        "MH605",
        "implausible-share",
        "A school's shares lie outside the expected range.",
        "Nothing is changed: look for miscoding, coaching or overload.",
        "warning",
    ),
    ProblemKind(
        "MH606",
        "repeated-heading",
        "Two columns of a file have the same heading.",
        "Neither is read.",
    ),
    ProblemKind(
        "MH701",
        "not-an-answer",
        "A column to be analysed holds something that is no number, or outside the stated range.",
        _NOTHING,
    ),
    ProblemKind("MH702", "constant-item", "Everybody gave the same answer to an item.", _NOTHING),
    ProblemKind(
        "MH703",
        "empty-category",
        "An answer option inside the range of an item that nobody chose.",
        "The item is analysed with the options that were chosen.",
        "warning",
    ),
    ProblemKind(
        "MH704",
        "perfectly-correlated",
        "Two items whose answers determine each other.",
        _NOTHING,
    ),
    ProblemKind("MH705", "too-few-forms", "Fewer forms than the analysis needs.", _NOTHING),
    ProblemKind(
        "MH706",
        "singular-matrix",
        "A matrix that has to be inverted is singular, or is none that data can have.",
        _NOTHING,
    ),
    ProblemKind("MH707", "one-group", "Groups are to be compared and there is only one.", _NOTHING),
    ProblemKind("MH708", "cannot-rake", "No weights give the sample the stated margins.", _NOTHING),
    ProblemKind(
        "MH709",
        "did-not-converge",
        "A fit stopped before it reached its end.",
        "No figure of the fit is given.",
    ),
    ProblemKind("MH710", "no-overlap", "Two items that no form answers both.", _NOTHING),
    ProblemKind(
        "MH711", "bad-weights", "Weights that are missing, negative or all nought.", _NOTHING
    ),
    ProblemKind(
        "MH712",
        "against-the-scale",
        "An item runs against the other items of its scale: is it reversed?",
        "It is analysed as it is keyed.",
        "warning",
    ),
    ProblemKind(
        "MH713",
        "improper-solution",
        "A fit ended at a variance below nought or a correlation beyond one.",
        "The figures are given; they are not to be interpreted.",
        "warning",
    ),
    ProblemKind(
        "MH714",
        "too-high-in-small-samples",
        "A coefficient that comes out too high where forms are few.",
        "It is given, and is not to be quoted alone.",
        "warning",
    ),
    ProblemKind(
        "MH715",
        "options-out-of-order",
        "Those who chose a higher option of an item score clearly lower on the other items.",
        "It is analysed as it is coded.",
        "warning",
    ),
    ProblemKind(
        "MH716",
        "copied-item",
        "Two items whose answers determine each other, in an analysis that can bear it.",
        "The figures are given; they count one thing twice.",
        "warning",
    ),
    ProblemKind(
        "MH720",
        "partly-examined",
        "Only some pupils were examined, and the design does not allow the figures.",
        _NOTHING,
    ),
    ProblemKind(
        "MH721",
        "one-outcome",
        "Hardly anybody examined has, or is without, the condition.",
        _NOTHING,
    ),
    ProblemKind(
        "MH722",
        "contaminated-criterion",
        "The criterion was, or may have been, set by someone who knew the score.",
        "The figures are given and labelled.",
        "warning",
    ),
    ProblemKind(
        "MH723",
        "left-out",
        "Pupils were left out of an analysis because something about them is not known.",
        "The figures hold for the others.",
        "warning",
    ),
    ProblemKind("MH724", "no-such-cut", "No cut reaches what was asked of it.", _NOTHING),
    ProblemKind(
        "MH725",
        "mixed-forms",
        "Scores of different versions, recall windows or informants, or estimated ones, would be "
        "compared.",
        _NOTHING,
    ),
    ProblemKind(
        "MH726",
        "small-cell",
        "A group has too few pupils for a norm.",
        "It gets none: its pupils are not normed.",
        "warning",
    ),
    ProblemKind(
        "MH727",
        "norms-cross",
        "Fitted norms do not rise with the raw score: percentile curves cross.",
        _NOTHING,
    ),
    ProblemKind(
        "MH728",
        "norm-bias",
        "What is not known of a norm sample, or speaks against it.",
        "It stands in the notes of the norm table.",
        "warning",
    ),
    ProblemKind(
        "MH729",
        "no-such-distribution",
        "No distribution of the kind asked for fits the scores.",
        _NOTHING,
    ),
    ProblemKind(
        "MH730",
        "empty-cell",
        "A group that never gave one of the answers to an item that is to be compared.",
        "The item is not compared.",
        "warning",
    ),
    ProblemKind(
        "MH731",
        "anchors-unsettled",
        "The items that anchor a comparison of groups changed from round to round.",
        "The last round is given; its anchors may themselves differ between the groups.",
        "warning",
    ),
    ProblemKind(
        "MH801",
        "bad-entry",
        "What is to be entered does not satisfy the schema of its type.",
        "Nothing of the file is entered.",
    ),
    ProblemKind(
        "MH802",
        "absent-entry",
        "An entry names another one that the ledger does not hold.",
        "It is kept; what it names may still arrive.",
        "warning",
    ),
    ProblemKind(
        "MH803",
        "step-down-refused",
        "A person's decision lowers a case further, or on less, than the policy allows.",
        "The case keeps its tier until a decision satisfies the policy.",
    ),
    ProblemKind(
        "MH804",
        "closure-refused",
        "A case was closed from a higher tier, or after fewer follow-ups, than the policy allows.",
        "The case stays open until a closure satisfies the policy.",
    ),
    ProblemKind(
        "MH805",
        "broken-chain",
        "An entry does not have the content that its hash, or its successor, was made over.",
        "Nothing is changed: find out who changed the ledger.",
    ),
    ProblemKind(
        "MH806",
        "changed-batch",
        "A stored batch does not have the root over its entries: one was removed or changed.",
        "Nothing is changed: find out who changed the ledger.",
    ),
    ProblemKind(
        "MH807",
        "other-content",
        "An entry has the id of another one and other content.",
        "It is not entered; the one that is there stays.",
    ),
    ProblemKind(
        "MH808",
        "erasure-refused",
        "Entries are to be erased of a pupil who is on legal hold or has an open severe or major "
        "case.",
        "Nothing is erased: the protection of life, and the law, go first.",
    ),
    ProblemKind(
        "MH901",
        "unreadable-results",
        "Results of a scorer cannot be read: no heading, no vectors, a command that failed.",
        _NOT_CHECKED,
    ),
    ProblemKind(
        "MH902", "missing-vector", "A vector of the kit has no row in the results.", _NOT_CHECKED
    ),
    ProblemKind("MH903", "repeated-vector", "A vector has two rows.", _NOT_CHECKED),
    ProblemKind(
        "MH904", "unknown-vector", "A row or a file is of no vector of the kit.", _NOT_CHECKED
    ),
    ProblemKind("MH905", "unknown-output", "A column is no output of the form.", _NOT_CHECKED),
    ProblemKind(
        "MH906", "bad-output", "A cell is no number, or none of an output's words.", _NOT_CHECKED
    ),
    ProblemKind(
        "MH907", "not-this-kit", "A kit is absent, changed, or of other definitions.", _NOT_CHECKED
    ),
    ProblemKind(
        "MH908",
        "bad-waiver",
        "A waiver names no clause or form, gives no reason, or waives an unsafe result.",
        _NOT_CHECKED,
    ),
)

CATALOGUE: dict[str, ProblemKind] = {kind.code: kind for kind in _KINDS}
"""Every problem code, in order."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, with its place.

    Attributes
    ----------
    code : str
        A key of `CATALOGUE`.
    what, expected, hint : str
        What is wrong, what would be right, what to do. Never an answer, never a name.
    file, path : str
        Where: the file (or the name of the table), and the place inside it.
    line, column : int or None
        One-based place in a text file.
    row : int or None
        One-based row of a table, not counting the heading.
    subject : str
        The pupil's reference, where one pupil is concerned.
    """

    code: str
    what: str
    expected: str = ""
    hint: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None
    path: str = ""
    row: int | None = None
    subject: str = ""

    def __post_init__(self) -> None:
        """Refuse a code that the catalogue does not hold."""
        if self.code not in CATALOGUE:
            msg = f"no problem code {self.code}"
            raise KeyError(msg)

    @property
    def kind(self) -> ProblemKind:
        """The line of the catalogue."""
        return CATALOGUE[self.code]

    @property
    def severity(self) -> str:
        """``"error"`` or ``"warning"``."""
        return self.kind.severity

    @property
    def place(self) -> str:
        """Where, in the words of a compiler: ``file:line:column`` or ``file, row 17``."""
        parts = [self.file] if self.file else []
        if self.line is not None:
            parts = [":".join([*parts, str(self.line), str(self.column or 1)])]
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.subject:
            parts.append(f"subject {self.subject}")
        return ", ".join(parts)

    def at(self, **place: object) -> Problem:
        """Return the same problem at another place."""
        return replace(self, **place)  # type: ignore[arg-type]

    def __str__(self) -> str:
        """Return up to three lines: the problem, what was expected, a hint."""
        head = ": ".join(part for part in (self.place, self.path, self.what) if part)
        lines = [f"{head}  [{self.code} {self.kind.slug}]"]
        if self.expected:
            lines.append(f"    expected: {self.expected}")
        if self.hint:
            lines.append(f"    hint:     {self.hint}")
        return "\n".join(lines)


@dataclass
class ProblemLog:
    """Collects problems in the order in which they were found.

    Attributes
    ----------
    problems : list of Problem
        What was found.
    most_named : int
        Up to how many rows with one problem are named one by one; of more only examples are.
    tally : Counter
        Counts that decide what is said of many problems together, for a log that is kept in
        parts: ``(what is counted, file, path)``.
    """

    problems: list[Problem] = field(default_factory=list)
    most_named: int = _MOST_NAMED
    tally: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, code: str, what: str, **where: object) -> None:
        """Add one problem; `where` holds the other attributes of `Problem`."""
        self.problems.append(Problem(code, what, **where))  # type: ignore[arg-type]

    def add_rows(
        self,
        code: str,
        what: str,
        rows: Sequence[int],
        place: Callable[[int], dict[str, object]],
        **where: object,
    ) -> None:
        """Add a problem for each row; of a flood only some examples, and how many more there are.

        Parameters
        ----------
        code, what : str
            As for `add`.
        rows : sequence of int
            The rows.
        place : callable
            From a row to the attributes of `Problem` that are its own: which row it is, and whose.
        **where
            The attributes that all of them share.

        Examples
        --------
        >>> log = ProblemLog()
        >>> log.add_rows("MH401", "not a legal answer", range(30_000), lambda row: {"row": row + 1})
        >>> len(log), log.problems[-1].what
        (11, 'not a legal answer … and 29990 more rows')
        """
        named = rows if len(rows) <= self.most_named else rows[:_EXAMPLES]
        shared = {"code": code, "what": what, **where}
        for row in named:
            self.problems.append(Problem(**{**shared, **place(row)}))  # type: ignore[arg-type]
        if len(named) < len(rows):
            self.add(code, f"{what} … and {len(rows) - len(named)} more rows", **where)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Add several problems."""
        self.problems.extend(problems)

    @property
    def errors(self) -> list[Problem]:
        """The problems that are not mere warnings."""
        return [problem for problem in self.problems if problem.severity == "error"]

    def counts(self) -> dict[str, int]:
        """Return how often each code occurs, in the order of the codes."""
        return dict(sorted(Counter(problem.code for problem in self.problems).items()))

    def __iter__(self) -> Iterator[Problem]:
        """Iterate over the problems."""
        return iter(self.problems)

    def __len__(self) -> int:
        """Return the number of problems."""
        return len(self.problems)


class MhscreenError(Exception):
    """The base of every error that this library raises on purpose."""


class UsageError(MhscreenError, ValueError):
    """A call that cannot be meant: wrong arguments, an unknown name."""


class StoppedError(MhscreenError):
    """A run that was stopped from outside before its end, and can go on where it was."""


def expect(name: str, value: object, *kinds: type) -> None:
    """Check that an argument is of the kind that is meant.

    Raises
    ------
    UsageError
        If it is not; with the kinds, never with the value.

    Examples
    --------
    >>> expect("plan", "qingdao-2023", int)
    Traceback (most recent call last):
    mhscreen.problems.UsageError: plan: int is expected, not str
    """
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        msg = f"{name}: {wanted} is expected, not {type(value).__name__}"
        raise UsageError(msg)


def check_on_problem(on_problem: str) -> None:
    """Check what is to happen with a problem.

    Raises
    ------
    UsageError
        If it is neither ``"raise"`` nor ``"report"``.
    """
    if on_problem not in ("raise", "report"):
        msg = f"on_problem is 'raise' or 'report', not {on_problem!r}"
        raise UsageError(msg)


class _ProblemsError(MhscreenError):
    """An error that carries all its problems; its text names the first of them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """Return the first problems, one after the other, and the number of all."""
        number = len(self.problems)
        lines = [str(problem) for problem in self.problems[:_MOST_SHOWN]]
        if number > _MOST_SHOWN:
            lines.append(f"… and {number - _MOST_SHOWN} more")
        return "\n".join([*lines, f"{number} problem{'' if number == 1 else 's'}"])


class DefinitionError(_ProblemsError):
    """Definitions that cannot be used; for their authors."""


class ResponseError(_ProblemsError):
    """Responses or a roster that cannot be used as they are; for operators."""


class AnalysisError(_ProblemsError):
    """Answers that an analysis cannot use, or a fit that came to no end; for analysts."""

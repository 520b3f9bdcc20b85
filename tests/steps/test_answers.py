"""Answers: a flood of illegal ones is counted exactly, and named by a few examples."""

import numpy as np
import pytest

import mhscreen as mh
from mhscreen.definitions.checksums import scale_key_checksum
from mhscreen.kernels.codes import BLANK, ILLEGAL
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import ProblemLog
from mhscreen.steps.answers import read_answers
from mhscreen.steps.tables import Table, encode
from mhscreen.vocabulary import Informant

OFFSET = "coding offset?"


@pytest.fixture
def read(plan):
    """Read columns of a slot, by item; return the codes and the problems."""

    def run(slot, columns):
        form = plan.forms[plan.slot(slot)]
        rows = len(next(iter(columns.values())))
        cells = {item: encode(column) for item, column in columns.items()}
        log = ProblemLog()
        headings = {form.row(item): item for item in columns}
        subject = np.array([f"A{row}" for row in range(rows)], dtype=object)
        return read_answers(form, Table("t", cells, rows), headings, log, subject), log.problems

    return run


def test_up_to_a_thousand_illegal_answers_of_a_column_are_named_one_by_one(read):
    _, problems = read("mht", {"q1": [7] * 1000, "q2": [0] * 1000})
    assert [(p.row, p.subject) for p in problems[:2]] == [(1, "A0"), (2, "A1")]
    assert len(problems) == 1000


def test_of_more_some_are_named_and_the_rest_counted_exactly(read):
    codes, problems = read("mht", {"q1": [0, *[7] * 1001], "q2": [7, *[0] * 1001]})
    assert (codes == ILLEGAL).sum() == 1002
    first, last = problems[:10], problems[10]
    assert [p.row for p in first] == list(range(2, 12))
    assert last.what == "not a legal answer … and 991 more rows"
    assert (last.code, last.path, last.row, last.subject) == ("MH401", "mht.q1", None, "")
    assert [(p.path, p.row) for p in problems[11:]] == [("mht.q2", 1)]


@pytest.mark.parametrize("above", [2, "2", 2.0, "２"])
def test_codes_that_all_begin_one_too_high_are_hinted_at(read, above):
    _, problems = read("mht", {"q1": [1, above] * 30, "q2": [above, 1] * 30})
    assert all(p.hint.startswith(OFFSET) for p in problems)


@pytest.mark.parametrize(
    "columns",
    [
        {"q1": [1, 2] * 30, "q2": [1, 3] * 30},  # another illegal answer
        {"q1": [1] * 50 + [2]},  # a slip
        {"q1": [-1] * 60},
        {"q1": ["x"] * 60},
    ],
)
def test_other_illegal_answers_are_no_offset(read, columns):
    _, problems = read("mht", columns)
    assert problems
    assert not any(OFFSET in p.hint for p in problems)


def test_items_whose_codes_are_words_know_no_offset(read):
    _, problems = read("observer@teacher", {"raised_concern": ["5"] * 60})
    assert len(problems) == 60
    assert not any(OFFSET in p.hint for p in problems)


# -- numbers: minutes, hours, percent -------------------------------------------------------------


@pytest.fixture
def read_psqi(library):
    """Read one column of the PSQI with times as numbers; return the response codes and problems."""
    form = compile_form(library.instrument("psqi-minutes@1").definition, Informant.SELF)

    def run(item, cells):
        log = ProblemLog()
        codes = read_answers(
            form, Table("t", {item: encode(cells)}, len(cells)), {form.row(item): item}, log
        )
        return codes[form.row(item)].tolist(), log.problems

    return run


def test_a_number_belongs_to_the_last_band_that_it_has_reached(read_psqi):
    codes, problems = read_psqi("q2", [0, 15, 15.9, 16, "30.5", 31, "60", 61, 1440, "１６"])
    assert codes == [0, 0, 0, 1, 1, 2, 2, 3, 3, 1]
    assert problems == []


def test_bands_of_a_number_may_score_downwards(read_psqi):
    codes, _ = read_psqi("q4", [299, 300, 420, 421])
    assert codes == [0, 1, 2, 3]  # the item scores are 3, 2, 1 and 0


@pytest.mark.parametrize("cell", [100.01, -1, "85 %", "late", 987654, "1e999"])
def test_a_number_out_of_its_range_and_what_is_none_are_problems_and_no_answer(read_psqi, cell):
    codes, problems = read_psqi("efficiency", [cell, 85])
    assert codes == [ILLEGAL, 3]
    assert [(p.code, p.expected) for p in problems] == [
        ("MH401", "a number from 0 to 100 (percent)")
    ]
    assert str(cell) not in str(problems[0])


def test_a_blank_number_is_a_blank(read_psqi):
    codes, problems = read_psqi("q2", [None, "", float("nan")])
    assert codes == [BLANK] * 3
    assert problems == []


def test_a_blank_number_leaves_every_band_open(library):
    answers = {
        f"psqi_minutes_{item.id}": [0]
        for item in library.instrument("psqi-minutes@1").definition.items
    }
    times = {"q2": None, "q4": 480, "efficiency": 90}
    found = mh.score_instrument(
        "psqi-minutes", answers | {f"psqi_minutes_{k}": [v] for k, v in times.items()}
    )
    for scale, high in (("c2", 2), ("total", 2)):  # more than an hour alone makes a latency of 2
        name = f"psqi_minutes__{scale}"
        assert np.isnan(found[name][0])
        assert (found[f"{name}__low"][0], found[f"{name}__high"][0]) == (0, high)


def test_a_norm_is_bound_to_where_the_bands_begin(library):
    psqi = library.instrument("psqi-minutes@1").definition
    scale = psqi.response_scales["latency"]
    moved = (scale.options[0], scale.options[1].model_copy(update={"code": 15}), *scale.options[2:])
    other = psqi.model_copy(
        update={
            "response_scales": psqi.response_scales
            | {"latency": scale.model_copy(update={"options": moved})}
        }
    )
    assert scale_key_checksum(psqi, "c2") != scale_key_checksum(other, "c2")
    assert scale_key_checksum(psqi, "c3") == scale_key_checksum(other, "c3")

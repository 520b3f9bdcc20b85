"""The hazard probes: no shipped instrument reassures blindly, and a blind scorer is found out."""

import importlib.util
import sys
from pathlib import Path

import pytest

from mhscreen.vocabulary import Informant

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def probes():
    spec = importlib.util.spec_from_file_location(
        "hazard_probes", ROOT / "benchmarks" / "probes" / "run.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def hazardous(probes, library):
    """Return the probes that find a hazard when scores are tampered with on their way."""

    def run(ref, before=lambda _, form: form, after=lambda columns: columns):
        instrument = library.instrument(ref).definition
        real = probes.scorer(library)

        def score(instrument, informant, forms, on_problem="report"):
            forms = [before(instrument, form) for form in forms]
            return after(dict(real(instrument, informant, forms, on_problem)))

        informant = Informant(instrument.informants[0])
        return {one.probe for one in probes.probe_form(instrument, informant, score) if one.hazards}

    return run


def test_no_shipped_instrument_gives_a_category_that_a_blank_could_make_worse(
    probes, library, capsys
):
    assert probes.main() == 0
    table = capsys.readouterr().out
    for loaded in library:
        if loaded.kind == "instrument":
            assert loaded.definition.ref in table


@pytest.mark.parametrize("ref", ["phq9@1.0.0", "phq9@1.1.0", "gad7@1.0.0", "audit@1", "crafft@1"])
def test_an_honest_scorer_is_no_hazard(hazardous, ref):
    assert hazardous(ref) == set()


def test_a_blank_read_as_no_is_found_by_every_probe(hazardous, probes):
    def fill(instrument, form):
        return {
            **probes.calm(instrument),
            **{k: v for k, v in form.items() if v not in (*probes.BLANKS, *probes.ILLEGAL)},
        }

    assert hazardous("phq9@1.0.0", fill) == set(probes.PROBES) - {"gate"}
    assert "gate" in hazardous("audit@1", fill)


def test_an_illegal_answer_read_as_the_lowest_is_found(hazardous, probes):
    def clip(_, form):
        return {k: 0 if v in probes.ILLEGAL else v for k, v in form.items()}

    assert hazardous("gad7@1.0.0", clip) == {"out of range"}


def test_the_band_of_an_estimate_is_found_where_the_blanks_reach_into_a_worse_one(hazardous):
    def band(columns):
        return columns | {"phq9__total__category": columns["phq9__total__category_low"]}

    assert "between bands" in hazardous("phq9@1.0.0", after=band)


def test_a_form_that_nobody_filled_in_has_no_lowest_score(hazardous):
    def zero(columns):
        return {
            name: [0 if v is None or v != v else v for v in values]  # noqa: PLR0124 - NaN
            if name.endswith("total")
            else values
            for name, values in columns.items()
        }

    assert "nothing" in hazardous("gad7@1.0.0", after=zero)


def test_the_program_fails_where_there_is_a_hazard(probes, library, monkeypatch, capsys):
    hazard = probes.Probed("gad7@1.0.0", "one answer", 1, ("total: 'minimal'",))
    monkeypatch.setattr(probes, "probe_library", lambda _: iter([hazard]))
    assert probes.main() == 1
    assert "gad7@1.0.0: one answer: total: 'minimal'" in capsys.readouterr().out

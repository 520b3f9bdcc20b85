"""DIF agrees with R (dif.R, irt.R), and on the PROMIS anxiety items with what is published."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from mhscreen.psychometrics import dif

HERE = Path(__file__).parent
R = json.loads((HERE / "dif.json").read_text("utf-8"))
IRT = json.loads((HERE / "irt.json").read_text("utf-8"))


def two_groups():
    """Return the columns of two_groups.csv as numbers, NaN where blank."""
    with (HERE / "two_groups.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}


FORMS = two_groups()
ITEMS = [name for name in FORMS if name != "group"]
BINARY = {
    name: column if name == "group" else np.where(np.isnan(column), np.nan, column >= 2)
    for name, column in FORMS.items()
}


@pytest.mark.parametrize("key, forms", [("regression", FORMS), ("regression_binary", BINARY)])
def test_regressions_are_those_of_polr_and_glm(key, forms):
    """polr stops at a relative change of 1e-8 of the deviance, some 1e-4 of it."""
    found = dif.find_dif_logistic(forms, "group", rounds=0)
    assert found.forms == R["forms"]
    for place, item in enumerate(ITEMS):
        wanted = R[key][item]
        for name in ("uniform", "non_uniform", "total"):
            assert getattr(found, name)[place] == pytest.approx(wanted[name], abs=1e-3)
        assert found.nagelkerke[place] == pytest.approx(wanted["nagelkerke"], abs=1e-6)
        assert found.mcfadden[place] == pytest.approx(wanted["mcfadden"], abs=1e-6)
        assert found.group_effect[place, 0] == pytest.approx(wanted["group"], abs=1e-3)
        assert found.coefficient_change[place] == pytest.approx(wanted["change"], abs=1e-3)


@pytest.mark.parametrize("key, forms", [("mantel", FORMS), ("mantel_binary", BINARY)])
def test_mantels_test_is_the_score_test_of_a_conditional_regression(key, forms):
    found = dif.find_dif_mantel(forms, "group", rounds=0)
    for place, item in enumerate(ITEMS):
        wanted = R[key][item]
        assert found.statistic[place, 0] == pytest.approx(wanted["statistic"], rel=1e-6)
        assert found.overall[place] == pytest.approx(wanted["statistic"], rel=1e-6)
        difference = found.mean_difference[place, 0]
        assert difference == pytest.approx(wanted["mean_difference"], abs=1e-8)
        if "log_odds" in wanted:  # the table of R has the reference first
            assert wanted["mantelhaen"] == pytest.approx(found.statistic[place, 0], rel=1e-6)
            assert found.log_odds[place, 0] == pytest.approx(wanted["log_odds"], abs=1e-8)


def test_likelihood_ratios_are_those_of_mirt():
    """mirt ends below the maximum in several groups (test_irt.py), both times by about the same."""
    found = dif.find_dif_irt(FORMS, "group", rounds=0)
    wanted = IRT["likelihood_ratio"]["statistic"]
    np.testing.assert_allclose(found.statistic, [wanted[item] for item in ITEMS], atol=0.05)


def test_the_items_that_were_simulated_to_differ_are_found_by_whom_they_can_be():
    """q3 is harder in the second group; q6 discriminates less, which asks for a model."""
    irt = dif.find_dif_irt(FORMS, "group")
    assert [item for item, flag in zip(ITEMS, irt.flagged, strict=True) if flag] == ["q3", "q6"]
    regression = dif.find_dif_logistic(FORMS, "group", alpha=0.05, min_effect=0)
    flagged = [item for item, flag in zip(ITEMS, regression.flagged, strict=True) if flag]
    assert "q3" in flagged
    assert set(flagged) <= {"q3", "q6"}
    mantel = dif.find_dif_mantel(FORMS, "group")
    assert [item for item, flag in zip(ITEMS, mantel.flagged, strict=True) if flag] == ["q3"]


@pytest.mark.parametrize(
    "group, published",
    [("age", {9, 11, 18, 24}), ("gender", {6, 7, 19, 20}), ("education", set())],
)
def test_promis_anxiety_items_are_flagged_as_lordif_flags_them(data, group, published):
    """Flags of lordif 0.4-2 at its settings: p < 0.01 for both kinds together, EAP matched.

    lordif merges categories that a group chose fewer than five times, and so does this test, from
    the top; which neighbour takes them moves the p of items at the edge by up to a hundredth.
    """
    columns = data("promis_anxiety_lordif/anxiety.csv")
    label = np.array([float(cell) for cell in columns[group]])
    items = {}
    for place in range(1, 30):
        cells = np.array([float(cell or "nan") for cell in columns[f"R{place}"]])
        for top in (5, 4, 3):
            rare = any(np.sum(cells[label == one] == top) < 5 for one in (0, 1))
            if rare:
                cells = np.where(cells == top, top - 1, cells)
        items[f"R{place}"] = cells
    found = dif.find_dif_logistic(items, label, match="trait", alpha=0.01, min_effect=0)
    p = dict(zip(range(1, 30), found.total_p, strict=True))
    assert all(p[item] < 0.02 for item in published)
    assert all(p[item] > 0.006 for item in p.keys() - published)
    assert all(p[item] > 0.01 for item in p.keys() - published) or group == "age"

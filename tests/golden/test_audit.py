"""On real, public answers an audit sees the reversals and shifts that are known to be there."""

import re
from pathlib import Path

import pytest

import mhscreen as mh

STUDENTS = "mhp_students_phq9_gad7_pss10/mhp.csv"
BIG_FIVE = {"a": ("A1",), "c": ("C4", "C5"), "e": ("E1", "E2"), "n": (), "o": ("O2", "O5")}
ALPHA = {"a": 0.70, "c": 0.72, "e": 0.76, "n": 0.81, "o": 0.60}
"""As the manual of the package with the data prints it."""


def against(audit):
    return {r.item for r in audit.remarks if r.remark == "negative_item_rest"}


def own(tmp_path, name, text):
    home = tmp_path / "instruments" / name
    home.mkdir(parents=True, exist_ok=True)
    (home / "1.0.0.yaml").write_text(text, encoding="utf-8")
    return mh.load_library(tmp_path)


def test_stress_of_students_shows_that_their_items_stand_in_another_order(data):
    columns = data(STUDENTS)
    answers = {f"pss10_{n}": columns[f"pss{n}"] for n in range(1, 11)}
    found = mh.audit("pss10@1", answers)
    assert against(found) == {"q4", "q6"}  # theirs are 5 to 8, the printed ones 4, 5, 7 and 8
    theirs = {"q4": "pss6", "q6": "pss4"}
    names = {theirs.get(f"q{n}", f"pss{n}"): f"q{n}" for n in range(1, 11)}
    (total,) = mh.audit("pss10@1", {h: columns[h] for h in names}, columns=names).scales
    assert not any(one.against for one in total.items)
    assert total.alpha > found.scales[0].alpha + 0.3


def test_a_total_of_students_that_forgot_the_reversal_is_seen(data, library, tmp_path):
    shipped = library.instrument("pss10@1")
    text = (Path(shipped.folder) / shipped.file).read_text(encoding="utf-8")
    plain = text.replace("    reverse: [q4, q5, q7, q8]\n", "")
    assert plain != text
    columns = data(STUDENTS)
    names = {f"pss{n}": f"q{n}" for n in range(1, 11)}
    answers = {heading: columns[heading] for heading in names}
    found = mh.audit("pss10@1", answers, columns=names, library=own(tmp_path, "pss10", plain))
    authors = [float(total) for total in columns["stress_value"]]
    assert found.scales[0].mean == pytest.approx(sum(authors) / len(authors))
    lowest = sorted(found.scales[0].items, key=lambda one: one.correlation)[:4]
    assert {one.item for one in lowest} == {"q5", "q6", "q7", "q8"}


def big_five(flip=()):
    """A definition for tests only: item numbers and keys of the description of the data."""
    lines = [
        "schema: mhscreen/instrument/1", "id: bfi", "version: 1.0.0",
        "title: {en: Five traits, zh: 五项特质}", "abbreviation: BFI",
        "construct: {en: Traits, zh: 特质}", "recall: {en: None, zh: 无}", "informants: [self]",
        "ages: {from: 3, below: 100}", "population: {en: As found, zh: 数据中的作答者}",
        "rights:", "  holder: none", "  terms: key only", "  key: shipped",
        "  wording: withheld", "  read_on: 2026-11-26", "  source: data_set",
        "references: [{id: data_set, citation: description of the data, supports: [key]}]",
        "evidence: own_choice", "response_scales:", "  six:", "    options:",
        *(f"      - {{code: {n}, label: {{en: Option {n}, zh: 选项{n}}}}}" for n in range(1, 7)),
        "items:",
    ]  # fmt: skip
    for place, trait in enumerate(BIG_FIVE):
        lines += [
            f"  - {{id: {trait}{n}, number: {5 * place + n}, topic: {{en: Item {trait}{n}, "
            f"zh: 条目 {trait}{n}}}, response_scale: six}}"
            for n in range(1, 6)
        ]
    lines.append("scales:")
    for trait, keyed in BIG_FIVE.items():
        reverse = sorted({item.lower() for item in keyed} ^ {i for i in flip if i[0] == trait})
        lines += [
            f"  - id: big_{trait}", f"    title: {{en: Trait {trait}, zh: 特质 {trait}}}",
            "    combine: sum", f"    items: [{', '.join(f'{trait}{n}' for n in range(1, 6))}]",
            f"    reverse: [{', '.join(reverse)}]", "    range: [5, 30]",
            "    higher_is: better", "    source: data_set", "    evidence: own_choice",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def traits(data, tmp_path, flip=()):
    columns = data("bfi_psych/bfi.csv")
    names = {h: h.lower() for h in columns if re.fullmatch("[ACENO][1-5]", h)}
    library = own(tmp_path, "bfi", big_five(flip))
    return mh.audit("bfi@1", {h: columns[h] for h in names}, columns=names, library=library)


def test_big_five_keys_fit_and_give_the_published_alphas(data, tmp_path):
    found = traits(data, tmp_path)
    assert found.remarks == ()
    for scale in found.scales:
        assert scale.alpha == pytest.approx(ALPHA[scale.scale[-1]], abs=0.012)


@pytest.mark.parametrize(
    "item", [f"{trait}{n}" for trait in "acen" for n in range(1, 6) if f"{trait}{n}" != "a4"]
)
def test_a_turned_big_five_key_is_named(data, tmp_path, item):
    assert item in against(traits(data, tmp_path, flip=(item,)))


def test_codes_from_one_of_the_dass_are_seen_where_the_key_begins_at_nought(data, tmp_path):
    columns = data("dass42_openpsychometrics/dass42.csv")
    heading = re.compile(r"dass(\d+)_[DAS]")
    names = {h: f"q{m[1]}" for h in columns if (m := heading.fullmatch(h))}
    answers = {h: columns[h] for h in names}
    stored = Path(__file__).parent / "definitions" / "instruments" / "dass42" / "1.0.0.yaml"
    text = stored.read_text(encoding="utf-8")
    official = re.sub(r"code: \d, score: (\d)", r"code: \1", text)
    library = own(tmp_path / "a", "dass42", official)
    shifted = mh.audit("dass42@1", answers, columns=names, library=library)
    offsets = {r.item: r.value for r in shifted.remarks if r.remark == "coding_offset"}
    assert offsets == {f"q{n}": 1 for n in range(1, 43)}
    library = own(tmp_path / "b", "dass42", text)
    right = mh.audit("dass42@1", answers, columns=names, library=library)
    assert right.remarks == ()
    assert [scale.alpha > 0.9 for scale in right.scales] == [True] * 3

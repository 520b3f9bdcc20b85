"""The catalogue: every instrument is listed with its rights, and has a page that hides nothing."""

import pytest

from mhscreen.explain.catalogue import list_instruments, write_page


def test_every_instrument_is_listed_once(library):
    refs = [line.ref for line in list_instruments(library)]
    assert refs == [loaded.ref for loaded in library.of_kind("instrument")]
    assert len(refs) == len(set(refs)) >= 60


def test_the_list_counts_what_is_not_verified(library):
    lines = {line.ref: line for line in list_instruments(library)}
    assert lines["cries8@1.0.0"].unverified > 0
    assert lines["gad7@1.0.0"].unverified == 0


def test_the_list_names_the_norm_tables(library):
    lines = {line.ref: line for line in list_instruments(library)}
    assert "sdq/shanghai-teacher@1.0.0" in lines["sdq@1.0.0"].norms


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_names_every_scale_cut_critical_item_and_source(library, language):
    for loaded in library.of_kind("instrument"):
        one = loaded.definition
        page = write_page(library, one.ref, language)
        names = [scale.id for scale in one.scales] + [item.item for item in one.critical_items]
        names += [cuts.id for scale in one.scales for cuts in scale.cut_sets]
        names += [reference.id for reference in one.references]
        assert [name for name in names if name not in page] == []
        assert one.rights.holder in page


def test_no_instrument_ships_wording_that_its_rights_withhold(library):
    for loaded in library.of_kind("instrument"):
        one = loaded.definition
        if one.rights.wording == "withheld":
            assert not any(item.wording for item in one.items)


def test_wording_that_the_rights_include_is_on_the_page_in_the_languages_it_is_in(library):
    lines = {line.ref: line for line in list_instruments(library)}
    for loaded in library.of_kind("instrument"):
        one = loaded.definition
        words = [item.wording.en for item in one.items if item.wording]
        assert bool(words) == (one.rights.wording == "included") == bool(lines[one.ref].languages)
        page = write_page(library, one.ref)
        assert [text for text in words if text not in page] == []
    assert lines["gad7@1.0.0"].languages == ("en",)
    assert lines["observer@1.0.0"].languages == ("en", "zh")
    assert "wording included (en)," in write_page(library, "gad7@1")


def test_wording_without_a_chinese_text_is_shown_in_english_and_says_so(library):
    page = write_page(library, "asq@1", "zh")
    assert "题目文字：included (en)" in page
    assert "`q5` Are you having thoughts of killing yourself right now?" in page


def test_no_label_says_below_where_a_higher_score_is_the_better_one(library):
    wrong = [
        (loaded.ref, scale.id, cuts.id)
        for loaded in library.of_kind("instrument")
        for scale in loaded.definition.scales
        for cuts in scale.cut_sets
        if scale.higher_is == "better" and cuts.categories[0].label.zh.startswith("未达")
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "lang, words", [("en", "## Published figures"), ("zh", "## 文献报告的数据")]
)
def test_published_figures_stand_on_the_page_with_how_well_they_were_checked(library, lang, words):
    page = write_page(library, "dass21@1", lang)
    assert words in page
    assert "n = 1794, α = 0.88" in page
    assert (
        library.instrument("dass21@1").definition.scales[0].published[0].evidence.label(lang)
        in page.partition(words)[2].partition("\n## ")[0]
    )
    assert words not in write_page(library, "pss10@1", lang)  # none are known

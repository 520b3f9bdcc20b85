"""Forms to print: each is filled in with what its reader may see, and every text is escaped."""

import datetime as dt
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhscreen.definitions.common import Text
from mhscreen.ledger.forms import FORMS, print_form
from mhscreen.ledger.paper import page, table, tag
from mhscreen.problems import UsageError
from mhscreen.vocabulary import Answer, Concern, Conclusion, LifeArea, Role

NOW = dt.datetime(2026, 10, 20, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))
NOTE = "面谈中谈到的家庭情况<b>"
VOID = {"meta"}


class Reader(HTMLParser):
    """Reads a page: its words, and whether every element is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.words, self.names = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        assert all(name == "class" for name, _ in attrs if tag not in ("html", "meta"))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)


def read(text):
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return " ".join(reader.words), reader.names


@pytest.fixture(scope="module")
def file(book):
    severe = book.severe()
    asked = [{"about": "self_harm", "answer": "yes"}]
    talk = book.interview("2026-10-15", severe, asked=asked, note=NOTE)
    return [severe, talk, book.decide("2026-10-16", "severe", severe, talk)]


@pytest.fixture(scope="module")
def form(book):
    def printed(kind, entries, programme=None, **options):
        text = print_form(
            kind, book.cases(*entries), entries, programme or book.programme, "A1",
            **{"on": NOW, "by": "t-07", **options},
        )  # fmt: skip
        return read(text)[0]

    return printed


@pytest.mark.parametrize("kind", FORMS)
def test_every_form_is_a_whole_page_that_needs_nothing_from_outside(book, file, kind):
    text = print_form(
        kind, book.cases(*file), file, book.programme, "A1", on=NOW, by="t-07"
    )  # fmt: skip
    words, names = read(text)
    assert FORMS[kind][0] in words
    assert FORMS[kind][1] in words
    assert not names & {"script", "img", "link", "iframe", "a"}
    assert "http" not in text
    assert "url(" not in text


def test_the_interview_asks_about_every_danger_and_every_area_of_life(form, file):
    words = form("interview", file)
    assert all(f"□{one.zh}" in words for one in Answer)
    assert all(concern.zh in words for concern in Concern)
    assert all(one.zh in words for one in (*LifeArea, *Conclusion))
    assert "初筛提示·严重（待评估确认）" in form("interview", file[:1])


def test_open_items_stand_on_the_interview_where_they_are_named(book, form):
    open_ = [book.undetermined()]
    assert "phqa.q9" not in form("interview", open_)
    assert "phqa.q9" in form("interview", open_, named=("answers",))
    assert "phqa.q9" not in form(
        "interview", open_, named=("answers",), role=Role.ON_DUTY
    )  # fmt: skip


def test_nothing_goes_to_a_family_before_a_named_person_has_decided(form, book):
    for kind in ("notice", "referral"):
        with pytest.raises(UsageError, match="named person's decision"):
            form(kind, [book.major()])


def test_a_notice_is_a_draft_until_a_named_person_releases_it(form, file):
    for kind in ("notice", "referral"):
        draft = form(kind, file)
        assert "草稿" in draft
        assert "DRAFT" in draft
        released = form(kind, file, released_by="h-01")
        assert "草稿" not in released
        assert "h-01" in released


def test_a_family_reads_no_answer_no_score_and_no_note(form, file):
    for kind in ("notice", "referral"):
        words = form(kind, file, released_by="h-01", named=("answers", "notes"))
        for hidden in ("phqa", "q9", "PHQ", "初筛", "自伤", "面谈中", "未作答"):
            assert hidden not in re.sub("自杀与自伤", "", words), hidden
        assert "诊断" in words
    assert "自杀" not in form("notice", file, released_by="h-01")


def test_nothing_is_printed_for_a_family_where_the_pupil_may_have_been_harmed(form, book, file):
    told = book.interview("2026-10-15", asked=[{"about": "abuse", "answer": "yes"}])
    for kind in ("notice", "referral"):
        with pytest.raises(UsageError, match="held"):
            form(kind, [*file, told], released_by="h-01")
    assert form("interview", [*file, told])


def test_the_referral_has_two_copies_each_to_be_signed_by_the_guardian(form, file):
    words = form("referral", file)
    assert "学校存档联" in words
    assert "家长留存联" in words
    assert words.count("监护人签名") == 2


def test_urgent_tiers_ask_the_family_to_keep_the_pupil_safe(form, book, file):
    assert "收好药品" in form("notice", file)
    general = book.general()
    talk = book.interview("2026-10-15", general)
    mild = [general, talk, book.decide("2026-10-16", "general", general, talk)]
    assert "收好药品" not in form("notice", mild)
    assert "一般心理危机" in form("notice", mild)


def test_the_help_line_is_the_sites_own_or_room_to_write_it(book, form, file):
    own = Text(en="Call 12355", zh="青少年服务热线 12355")
    programme = book.programme.model_copy(update={"help_line": own})
    assert "青少年服务热线 12355" in form("notice", file, programme)
    assert "12355" not in form("notice", file)
    assert "求助渠道" in form("notice", file)


def test_the_file_on_one_page_has_notes_only_where_they_are_named(form, file):
    plain = form("file", file)
    assert "严重心理危机" in plain
    assert "面谈中" not in plain
    named = form("file", file, named=("notes",))
    assert NOTE in named  # as text: its mark-up is escaped
    assert NOTE not in form("file", file, named=("notes",), role=Role.HEAD)


def test_a_tier_that_no_person_has_set_is_not_worded_as_a_crisis(form, book):
    for kind in ("interview", "plan", "file"):
        assert "心理危机" not in form(kind, [book.major()])


def test_a_reader_who_may_not_see_the_pupil_gets_no_form(form, book):
    with pytest.raises(UsageError, match="not shown"):
        form("file", [book.calm()], role=Role.HEAD)
    with pytest.raises(UsageError, match="no form"):
        form("diagnosis", [book.calm()])
    with pytest.raises(UsageError, match="no such pupil"):
        print_form("file", book.cases(), [], book.programme, "A1", on=NOW, by="t-07")


@given(st.text(max_size=30))
def test_no_text_ever_becomes_mark_up(text):
    made = page((text, text), [tag("p", text), table([[text]])])
    _, names = read(made)
    assert names <= {
        "html", "head", "meta", "title", "style", "body", "section", "h1", "p", "small", "table",
        "tr", "td",
    }  # fmt: skip
    assert not re.search(r"[<>&]", text) or text in made.replace("&lt;", "<").replace(
        "&gt;", ">"
    ).replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&")

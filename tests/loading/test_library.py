"""Libraries: what they hold, how references resolve, what is checked across files."""

import hashlib
import pickle

import pytest

from mhscreen.loading import check_paths, load_cases, load_library, shipped_library
from mhscreen.problems import DefinitionError, UsageError

LEAF = "instruments/leaf/1.0.0.yaml"
NORM = "norms/leaf/window-sill.1.0.0.yaml"
POLICY = "policies/garden/1.0.0.yaml"
PROGRAMME = "programmes/garden-2026/1.0.0.yaml"


def problems_of(*paths, **more):
    with pytest.raises(DefinitionError) as caught:
        load_library(*(paths or (".",)), **more)
    return caught.value.problems


def codes_of(*paths):
    return [(problem.code, problem.file, problem.path) for problem in problems_of(*paths)]


def add_version(change, version):
    change(LEAF, ("version: 1.0.0", f"version: {version}"), to=f"instruments/leaf/{version}.yaml")


def test_library_lists_its_definitions_by_kind_id_and_version(garden, change):
    for version in ("1.10.0", "1.9.0"):
        add_version(change, version)
    refs = [loaded.ref for loaded in load_library(".")]
    assert refs == [
        "leaf@1.0.0",
        "leaf@1.9.0",
        "leaf@1.10.0",
        "leaf/window-sill@1.0.0",
        "garden@1.0.0",
        "garden-2026@1.0.0",
    ]


def test_library_does_not_depend_on_the_order_of_paths(garden):
    folders = ["instruments", "norms", "policies", "programmes"]
    assert (
        load_library(*folders) == load_library(*reversed(folders)) == load_library(*folders, LEAF)
    )


@pytest.mark.parametrize(
    "ref, version",
    [
        ("leaf", "2.0.0"),
        ("leaf@1", "1.10.0"),
        ("leaf@1.9", "1.9.3"),
        ("leaf@1.9.0", "1.9.0"),
        ("leaf@1.10", "1.10.0"),
        ("leaf@1.1", None),
        ("leaf@3", None),
        ("loaf", None),
    ],
)
def test_reference_gives_the_highest_version_by_number(garden, change, ref, version):
    for other in ("1.9.0", "1.9.3", "1.10.0", "2.0.0"):
        add_version(change, other)
    library = load_library("instruments")
    if version is not None:
        assert library.instrument(ref).definition.version == version
        return
    with pytest.raises(DefinitionError) as caught:
        library.instrument(ref)
    (problem,) = caught.value.problems
    assert problem.code == "MH301"
    assert "leaf@1.10.0" in problem.expected


def test_unknown_id_hints_at_the_one_that_is_most_like_it(garden):
    with pytest.raises(DefinitionError) as caught:
        load_library(".").norm("leaf/windowsill@1")
    assert caught.value.problems[0].hint == "did you mean 'leaf/window-sill'?"


@pytest.mark.parametrize(
    "ref", ["leaf@teacher", "leaf@1.0.0.0", "leaf@", "", "Leaf", "leaf@1@2", "叶"]
)
def test_what_is_no_reference_is_a_usage_error(good_folder, ref):
    with pytest.raises(UsageError):
        load_library(good_folder).instrument(ref)


def test_each_kind_has_its_own_names(good_folder):
    library = load_library(good_folder)
    assert library.norm("leaf/window-sill@1").definition.n == 100
    assert library.policy("garden@1.0").kind == "policy"
    assert library.programme("garden-2026").ref == "garden-2026@1.0.0"
    with pytest.raises(DefinitionError):
        library.policy("garden-2026")


def test_withdrawn_version_resolves_and_says_why(garden, change):
    change(
        LEAF,
        ("evidence: own_choice\nresponse", "evidence: own_choice\nwithdrawn: a typo\nresponse"),
    )
    assert load_library("instruments").instrument("leaf").withdrawn == "a typo"


@pytest.mark.parametrize(
    "ref, version", [("leaf", "1.1.0"), ("leaf@1", "1.1.0"), ("leaf@1.2", "1.2.0")]
)
def test_inexact_reference_skips_a_withdrawn_version_where_it_fits_another(
    garden, change, ref, version
):
    add_version(change, "1.1.0")
    add_version(change, "1.2.0")
    file = garden / "instruments/leaf/1.2.0.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace(
            "evidence: own_choice\nresponse", "evidence: own_choice\nwithdrawn: x\nresponse"
        ),
        encoding="utf-8",
    )
    library = load_library("instruments")
    assert library.instrument("leaf@1.2.0").withdrawn == "x"
    assert library.instrument(ref).definition.version == version


def test_library_is_immutable_and_can_be_pickled(good_folder):
    library = load_library(good_folder)
    assert pickle.loads(pickle.dumps(library)) == library  # noqa: S301
    with pytest.raises(AttributeError):
        library.definitions = ()


def test_checksum_is_over_the_bytes_with_line_feeds(garden):
    plain = (garden / LEAF).read_bytes()
    before = load_library("instruments").instrument("leaf")
    assert before.checksum == f"sha256:{hashlib.sha256(plain).hexdigest()}"
    (garden / LEAF).write_bytes(plain.replace(b"\n", b"\r\n"))
    assert load_library("instruments").instrument("leaf").checksum == before.checksum
    (garden / LEAF).write_bytes(plain + b"# a comment\n")
    assert load_library("instruments").instrument("leaf").checksum != before.checksum


def test_loaded_definition_knows_its_files_and_lines(garden):
    loaded = load_library(".").instrument("leaf")
    assert loaded.file == LEAF
    assert loaded.cases_file == "instruments/leaf/1.0.0.cases.yaml"
    text = (garden / LEAF).read_text(encoding="utf-8").splitlines()
    assert text[loaded.line("response_scales.yes_no") - 1] == "  yes_no:"
    assert loaded.line("response_scales.never") is None


def test_problems_of_all_files_come_together(garden, change):
    change(LEAF, ("range: [0, 6]", "range: [0, 7]"))
    change(POLICY, ("tier: watch", "tier: wach"))
    assert [code for code, _, _ in codes_of()] == ["MH203", "MH107"]


def test_reference_to_a_broken_file_is_not_a_second_problem(garden, change):
    change(LEAF, ("higher_is: better", "higher_is: best"))
    assert codes_of() == [("MH107", LEAF, "scales[1].higher_is")]


def test_reference_to_nothing_is_placed(garden):
    (garden / LEAF).unlink()
    assert codes_of() == [
        ("MH301", NORM, "instrument"),
        ("MH301", POLICY, "instruments[0]"),
        ("MH301", PROGRAMME, "instruments[0]"),
    ]


def test_references_may_point_to_a_base_library(good_folder, garden):
    base = load_library(good_folder)
    library = load_library("policies", base=base)
    assert library.instrument("leaf").definition.id == "leaf"
    assert codes_of("policies")[0][0] == "MH301"


def test_same_file_as_in_the_base_is_no_other_version(good_folder, garden, change):
    base = load_library(good_folder)
    assert load_library(".", base=base).instrument("leaf").file == LEAF
    change(LEAF, ("citation: made up", "citation: made up again"))
    (problem,) = problems_of("instruments", base=base)
    assert problem.code == "MH305"


def test_programme_lists_the_norms_that_its_policy_reads(change):
    change(PROGRAMME, ("norms: [leaf/window-sill@1.0.0]\n", ""))
    assert codes_of() == [("MH201", PROGRAMME, "norms")]


def test_norm_of_another_key_than_the_programme_pins_is_refused(garden, change):
    change(
        LEAF,
        ("version: 1.0.0", "version: 1.1.0"),
        ("items: [q1, q2, q3]", "items: [q2, q3]"),
        ("range: [0, 6]", "range: [0, 4]"),
        ("at_or_above: 5", "at_or_above: 4"),
        to="instruments/leaf/1.1.0.yaml",
    )
    change(POLICY, ("leaf@1.0.0", "leaf@1.1.0"))
    change(PROGRAMME, ("instruments: [leaf@1.0.0]", "instruments: [leaf@1.1.0]"))
    assert codes_of() == [("MH212", PROGRAMME, "norms[0]"), ("MH203", PROGRAMME, "norms[0]")]


def test_norm_binds_to_the_key_and_not_to_the_version(garden, change):
    change(LEAF, ("version: 1.0.0", "version: 1.1.0"), to="instruments/leaf/1.1.0.yaml")
    change(POLICY, ("leaf@1.0.0", "leaf@1.1.0"))
    change(PROGRAMME, ("instruments: [leaf@1.0.0]", "instruments: [leaf@1.1.0]"))
    assert load_library(".").programme("garden-2026").ref == "garden-2026@1.0.0"


def test_norm_is_for_an_informant_with_a_form(change):
    change(NORM, ("informant: self", "informant: parent"))
    assert ("MH306", NORM, "informant") in codes_of()


def test_definition_stands_where_its_version_says_only_in_a_folder(garden, change):
    change(LEAF, to="draft.yaml")
    (garden / LEAF).unlink()
    assert load_library("draft.yaml").instrument("leaf").file == "draft.yaml"
    (garden / "here").mkdir()
    (garden / "draft.yaml").rename("here/draft.yaml")
    assert codes_of("here") == [("MH215", "here/draft.yaml", "")]


def test_definition_of_another_kind_is_misplaced(garden, change):
    change(LEAF, to="policies/leaf/1.0.0.yaml")
    (garden / LEAF).unlink()
    assert ("MH215", "policies/leaf/1.0.0.yaml", "") in codes_of()


def test_path_that_does_not_exist_is_a_usage_error():
    with pytest.raises(UsageError):
        load_library("nowhere-at-all")


def test_huge_file_is_refused_unread(garden):
    (garden / "big.yaml").write_bytes(b"#" * 2_000_001)
    (problem,) = problems_of("big.yaml")
    assert problem.code == "MH108"


def test_good_folder_passes_the_check(good_folder):
    assert check_paths([good_folder]) == []


def test_definition_without_cases_loads_but_does_not_pass_the_check(garden):
    (garden / "instruments/leaf/1.0.0.cases.yaml").unlink()
    assert load_library(".").instrument("leaf").cases_file is None
    (problem,) = check_paths(["."])
    assert (problem.code, problem.file) == ("MH214", LEAF)
    assert problem.expected == "instruments/leaf/1.0.0.cases.yaml"


@pytest.mark.parametrize(
    "old, new, code, path",
    [
        ("q1: 2,", "q9: 2,", "MH201", "cases[0].answers.q9"),
        ("wilting: {", "wilted: {", "MH201", "cases[0].expect.wilted"),
        ("category: raised", "category: raisd", "MH201", "cases[0].expect.wilting.category"),
        ("critical: [q4]", "critical: [q1]", "MH201", "cases[0].critical[0]"),
        ("for: leaf@1.0.0", "for: leaf@1.0.1", "MH215", "for"),
        ("score: 4", "scor: 4", "MH103", "cases[0].expect.wilting.scor"),
        ("  - name", "  - informant: parent\n    name", "MH306", "cases[0].informant"),
    ],
)
def test_cases_fit_the_definition_beside_them(garden, change, old, new, code, path):
    file = "instruments/leaf/1.0.0.cases.yaml"
    change(file, (old, new))
    assert [(p.code, p.file, p.path) for p in check_paths(["."])] == [(code, file, path)]
    with pytest.raises(DefinitionError):
        load_cases(load_library(".").instrument("leaf"))


def test_cases_are_read_from_any_current_folder(good_folder, tmp_path, monkeypatch):
    library = load_library(good_folder)
    monkeypatch.chdir(tmp_path)
    cases = load_cases(library.policy("garden"))
    assert cases.cases[0].forms["leaf@self"][0]["q3"] == 2
    assert load_cases(library.programme("garden-2026")) is None


def test_shipped_definitions_load_from_any_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    library = shipped_library()
    loaded = library.instrument("phq9@1")
    assert loaded.file == f"instruments/phq9/{loaded.definition.version}.yaml"
    assert load_cases(loaded) is not None


def test_every_shipped_definition_has_worked_cases():
    for loaded in shipped_library():
        assert loaded.kind == "programme" or load_cases(loaded) is not None, loaded.ref

"""Definitions that were read before are read again without YAML, and only where they fit."""

import dataclasses
import json
import pickle
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mhscreen.loading import folders, load_library, shipped_library, stored
from mhscreen.plan.plan import compile_plan
from mhscreen.problems import DefinitionError, UsageError

LEAF = "instruments/leaf/1.0.0.yaml"
PLACE = "instruments", "norms", "policies", "programmes"


@pytest.fixture
def no_yaml(monkeypatch):
    """Let nothing be read as YAML from now on."""

    def refuse():
        def read(*_):
            pytest.fail("a YAML text was read")

        monkeypatch.setattr(folders, "read_document", read)

    return refuse


def same(a, b):
    """Whether two libraries say the same, places included."""
    assert [one.ref for one in a] == [one.ref for one in b]
    for one, other in zip(a, b, strict=True):
        assert one.definition == other.definition
        assert one.definition.model_dump() == other.definition.model_dump()
        assert one.definition.model_fields_set == other.definition.model_fields_set
        assert one.content.lines == other.content.lines
        assert (one.kind, one.withdrawn) == (other.kind, other.withdrawn)
    return a == b


def spelled_out(value):
    """A plan as plain values, so that two can be compared."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tolist()
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: spelled_out(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return [(key, spelled_out(one)) for key, one in value.items()]
    if isinstance(value, (list, tuple)):
        return [spelled_out(one) for one in value]
    return value


@pytest.fixture(scope="module")
def shipped():
    """The shipped library as it is read from YAML, and the folder that it is in."""
    library = shipped_library()
    root = folders.Path(library.definitions[0].folder)
    return folders._good(
        folders._read_files(
            folders._open_files(folders.find_files(folders._folders(root), root)), None
        )
    ).library, root


def test_the_whole_shipped_library_is_the_same_precompiled(shipped, no_yaml):
    library, root = shipped
    data = folders.precompile_folders(root)
    files = folders._open_files(folders.find_files(folders._folders(root), root))
    no_yaml()
    kept = stored.read_stored(data, folders._key(files, None))
    assert same(library, folders._restore(files, None, kept))


def test_plans_of_precompiled_programmes_are_the_same_with_the_same_pins(shipped):
    library, root = shipped
    files = folders._open_files(folders.find_files(folders._folders(root), root))
    data = folders.precompile_folders(root)
    again = folders._restore(files, None, stored.read_stored(data, folders._key(files, None)))
    for programme in library.of_kind("programme"):
        one, other = (compile_plan(each, programme.ref) for each in (library, again))
        assert one.pins == other.pins
        assert spelled_out(one) == spelled_out(other)


@pytest.fixture
def installed(garden, monkeypatch):
    """A package that ships the definitions of the garden, precompiled."""
    package = garden / "package"
    (package / "loading").mkdir(parents=True)
    library = package / "_library"
    for folder in PLACE:
        if (garden / folder).is_dir():
            shutil.copytree(garden / folder, library / folder)
    (library / stored.PRECOMPILED).write_bytes(folders.precompile_folders(library))
    monkeypatch.setattr(folders, "__file__", str(package / "loading" / "folders.py"))
    return library


def load_shipped():
    return shipped_library.__wrapped__()


def test_an_installed_package_reads_no_yaml(installed, no_yaml):
    cold = load_library(*(installed / name for name in PLACE if (installed / name).is_dir()))
    no_yaml()
    library = load_shipped()
    assert [one.definition for one in library] == [one.definition for one in cold]
    assert {one.folder for one in library} == {installed.as_posix()}


def test_a_changed_byte_of_an_installed_file_decides(installed):
    text = (installed / LEAF).read_text(encoding="utf-8")
    old = load_shipped().instrument("leaf")
    title = old.definition.title.en
    (installed / LEAF).write_text(text.replace(title, f"{title}!"), encoding="utf-8", newline="\n")
    new = load_shipped().instrument("leaf")
    assert new.definition.title.en == f"{title}!"
    assert new.checksum != old.checksum


def test_an_added_and_an_absent_file_are_noticed(installed, change):
    change(LEAF, ("version: 1.0.0", "version: 1.2.0"), to="instruments/leaf/1.2.0.yaml")
    shutil.copy("instruments/leaf/1.2.0.yaml", installed / "instruments/leaf/1.2.0.yaml")
    assert load_shipped().instrument("leaf").ref == "leaf@1.2.0"
    (installed / "instruments/leaf/1.2.0.yaml").unlink()
    (installed / LEAF).unlink()
    with pytest.raises(DefinitionError, match="MH301"):
        load_shipped()


def test_what_was_precompiled_by_other_code_is_not_used(installed, monkeypatch):
    monkeypatch.setattr(stored, "_engine", lambda: "another")
    read = folders.read_document
    texts = []
    monkeypatch.setattr(folders, "read_document", lambda *a: texts.append(a) or read(*a))
    assert load_shipped().instrument("leaf").ref == "leaf@1.0.0"
    assert texts


@pytest.mark.parametrize("place", range(0, 100, 7))
def test_a_precompiled_file_that_is_damaged_anywhere_is_not_used(installed, place):
    path = installed / stored.PRECOMPILED
    data = path.read_bytes()
    at = len(data) * place // 100
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert load_shipped().instrument("leaf").definition.id == "leaf"
    path.write_bytes(data[:at])
    assert load_shipped().instrument("leaf").definition.id == "leaf"
    files = folders._open_files(folders.find_files(folders._folders(installed), installed))
    assert stored.read_stored(data[:at], folders._key(files, None)) is None
    assert stored.read_stored(data, folders._key(files, None)) is not None


def test_nothing_is_kept_unless_it_is_asked_for(garden):
    before = {file for file in garden.rglob("*") if file.is_file()}
    load_library(".")
    assert {file for file in garden.rglob("*") if file.is_file()} == before


def test_a_cache_spares_the_second_call_the_yaml(garden, no_yaml, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache") / "made" / "here"
    first = load_library(*PLACE[:1], cache_dir=cache)
    no_yaml()
    assert same(first, load_library(*PLACE[:1], cache_dir=cache))
    (kept,) = cache.iterdir()
    assert kept.suffix == ".jsonl"
    for line in kept.read_text(encoding="utf-8").splitlines():
        json.loads(line)


def test_a_changed_byte_is_another_library(garden, change, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    load_library("instruments", cache_dir=cache)
    change(LEAF, ("range: [0, 6]", "range: [0, 7]"))
    with pytest.raises(DefinitionError, match="MH203"):
        load_library("instruments", cache_dir=cache)
    assert len([*cache.iterdir()]) == 1, "what is wrong is not kept"
    change(LEAF, ("range: [0, 7]", "range: [0, 6]"))
    (garden / LEAF).write_bytes((garden / LEAF).read_bytes() + b"# a comment\n")
    library = load_library("instruments", cache_dir=cache)
    assert library.instrument("leaf") == load_library("instruments").instrument("leaf")
    assert len([*cache.iterdir()]) == 2


def test_what_a_definition_may_refer_to_is_part_of_the_key(garden, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    base = load_library("instruments", "norms")
    with_base = load_library("policies", base=base, cache_dir=cache)
    assert with_base == load_library("policies", base=base, cache_dir=cache)
    with pytest.raises(DefinitionError, match="MH301"):
        load_library("policies", cache_dir=cache)


def test_a_file_that_moved_is_misplaced_from_a_cache_too(garden, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    load_library("instruments", cache_dir=cache)
    (garden / "instruments/leaf").rename(garden / "instruments/loaf")
    with pytest.raises(DefinitionError, match="MH215"):
        load_library("instruments", cache_dir=cache)


def test_a_damaged_cache_is_ignored_and_written_again(garden, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    library = load_library("instruments", cache_dir=cache)
    (kept,) = cache.iterdir()
    data = kept.read_bytes()
    for damaged in (b"", data[:-1], data[:200], b"\xff" * 50, data.replace(b"leaf", b"loaf", 1)):
        kept.write_bytes(damaged)
        assert load_library("instruments", cache_dir=cache) == library
        assert kept.read_bytes() == data


def test_writers_at_the_same_time_do_not_disturb_each_other(garden, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(load_library, "instruments", cache_dir=cache) for _ in range(24)]
    assert len({id(call.result()) for call in calls}) == 24
    assert all(call.result() == calls[0].result() for call in calls)
    assert len([*cache.iterdir()]) == 1


def test_a_cache_that_cannot_be_written_to_is_said(garden):
    with pytest.raises(UsageError, match="cache_dir: nothing can be kept"):
        load_library("instruments", cache_dir=garden / LEAF)


def test_a_stored_library_can_be_pickled(garden, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    load_library("instruments", cache_dir=cache)
    library = load_library("instruments", cache_dir=cache)
    assert pickle.loads(pickle.dumps(library)) == library  # noqa: S301

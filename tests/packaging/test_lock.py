"""A released definition is never edited: the lock notices."""

from pathlib import Path

import lock_definitions
import pytest

ROOT = Path(__file__).parents[2]
FILE = "instruments/demo/1.0.0.yaml"


@pytest.fixture
def tree(tmp_path):
    """A tree with one locked, unreleased definition."""
    path = tmp_path / FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"id: demo\nversion: 1.0.0\n")
    assert lock_definitions.main(["--root", str(tmp_path)]) == 0
    return tmp_path


def run(tree, *options):
    return lock_definitions.main(["--root", str(tree), *options])


def test_the_committed_lock_lists_every_definition_unchanged():
    assert lock_definitions.definition_files(ROOT)
    assert lock_definitions.violations(ROOT) == []


def test_a_changed_definition_is_refused_and_its_line_kept(tree, capsys):
    lock = (tree / "definitions.lock").read_bytes()
    (tree / FILE).write_bytes(b"id: demo\nversion: 1.0.0\ntitle: edited\n")
    assert run(tree, "--check") == 1
    assert f"{FILE}: changed since it was locked" in capsys.readouterr().err
    assert run(tree) == 1
    assert (tree / "definitions.lock").read_bytes() == lock


def test_an_unlisted_definition_is_refused_until_it_is_added(tree, capsys):
    new = "policies/demo/1.0.0.yaml"
    (tree / new).parent.mkdir(parents=True)
    (tree / new).write_bytes(b"id: demo\n")
    assert run(tree, "--check") == 1
    assert f"{new}: not listed" in capsys.readouterr().err
    assert run(tree) == 0
    assert run(tree, "--check") == 0


def test_a_removed_definition_is_refused(tree, capsys):
    (tree / FILE).unlink()
    assert run(tree) == 1
    assert f"{FILE}: locked but absent" in capsys.readouterr().err


def test_an_unreleased_definition_may_be_rewritten_and_a_released_one_may_not(tree):
    (tree / FILE).write_bytes(b"id: demo\nversion: 1.0.0\ntitle: edited\n")
    assert run(tree, "--rewrite-unreleased") == 0
    assert run(tree, "--release", "0.1.0") == 0
    (tree / FILE).write_bytes(b"id: demo\nversion: 1.0.0\ntitle: edited again\n")
    assert run(tree, "--rewrite-unreleased") == 1


def test_line_ends_do_not_change_a_checksum(tree):
    path = tree / FILE
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert run(tree, "--check") == 0


def test_a_released_definition_may_be_withdrawn_and_nothing_else(tree):
    path = tree / FILE
    text = path.read_bytes()
    path.write_bytes(text + b"withdrawn: two items were keyed the wrong way\n")
    assert run(tree, "--check") == 0
    path.write_bytes(text + b"withdrawn_by: nobody\n")
    assert run(tree, "--check") == 1


def test_worked_cases_may_be_added_to_a_locked_definition(tree):
    (tree / FILE).with_suffix(".cases.yaml").write_bytes(b"cases: []\n")
    assert run(tree, "--check") == 0

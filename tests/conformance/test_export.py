"""The kit is handed over as a folder or an archive, and checked from anywhere."""

import zipfile
from importlib.resources import files

import pytest
from typer.testing import CliRunner

from mhscreen.cli import app
from mhscreen.conformance import export_kit
from mhscreen.conformance import shipped_kit as find_kit
from mhscreen.problems import UsageError


def test_the_shipped_kit_is_found_without_being_told_where(shipped_kit):
    assert shipped_kit.samefile(find_kit())


def test_a_vendor_gets_inputs_words_and_rules_and_nothing_about_us(tmp_path):
    out = tmp_path / "for the vendor"
    number = export_kit(find_kit(), out)
    names = {file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file()}
    assert len(names) == number
    assert {
        "README.md", "phq9-1.1.0/inputs.csv", "phq9-1.1.0/form.json", "manifest.json",
        "policies/three-tier-cn-1.0.0/rules.yaml", "policies/three-tier-cn-1.0.0/pupils.csv",
    } <= names  # fmt: skip
    assert not [name for name in names if name.endswith("measures.json")]
    assert "import" not in (out / "README.md").read_text(encoding="utf-8")


def test_the_page_in_the_kit_is_the_page_that_is_written_into_it(shipped_kit):
    page = files("mhscreen.conformance").joinpath("kit_readme.md").read_text(encoding="utf-8")
    assert (shipped_kit / "README.md").read_text(encoding="utf-8") == page
    assert page.count("rules.yaml") == 1


def test_an_archive_has_the_same_bytes_each_time_and_the_same_files(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        export_kit(find_kit(), tmp_path / name / "kit.zip")
    first, second = ((tmp_path / name / "kit.zip").read_bytes() for name in ("a", "b"))
    assert first == second
    with zipfile.ZipFile(tmp_path / "a" / "kit.zip") as archive:
        inside = archive.read("kit/phq9-1.1.0/inputs.csv")
    assert inside == (find_kit() / "phq9-1.1.0" / "inputs.csv").read_bytes()


def test_what_is_there_already_is_not_written_over(tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "kit.zip").write_bytes(b"mine")
    for out in (tmp_path, tmp_path / "kit.zip"):
        with pytest.raises(UsageError, match="already"):
            export_kit(find_kit(), out)


def test_what_is_exported_can_be_checked_against_from_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner()
    assert run.invoke(app, ["conformance", "export", "kit"]).exit_code == 0
    results = (tmp_path / "kit/gad7-1.0.0/expected.csv").read_bytes()
    (tmp_path / "results.csv").write_bytes(results)
    for more in ([], ["--kit", "kit"]):
        command = ["conformance", "check", "results.csv", "--instrument", "gad7@1", *more]
        found = run.invoke(app, command)
        assert found.exit_code == 0, found.output

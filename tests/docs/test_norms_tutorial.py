"""The tutorial on norms can be followed, wherever its public data are."""

import os
import shutil
from pathlib import Path

import pytest
from run_docs import ROOT, blocks, run_console, run_python

PAGE = ROOT / "docs/tutorial/from-answers-to-norms.md"
DATA = {"mhp_students_phq9_gad7_pss10/mhp.csv": "mhp.csv", "norms_cnorm/elfe.csv": "elfe.csv"}


def test_the_tutorial_on_norms_can_be_followed(tmp_path, monkeypatch):
    named = os.environ.get("MHSCREEN_SHARED_DATA")
    shared = Path(named) if named else ROOT.parent / "shared/data"
    for source, name in DATA.items():
        if not (shared / source).is_file():
            pytest.skip(
                f"{source} is not here: set MHSCREEN_SHARED_DATA to the folder with the public data"
            )
        shutil.copy(shared / source, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for kind, text in blocks(PAGE, "console", "python", "pycon"):
        if kind == "console":
            run_console(text)
        else:
            run_python(kind, text, names, PAGE.name)
    for picture in ("percentiles.png", "models.png", "elfe-models.png"):
        assert (tmp_path / picture).stat().st_size > 1000

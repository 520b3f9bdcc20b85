"""The pages of the documentation, their blocks of code, and running them (for the tests)."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from mhscreen.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
FILES = ROOT / "docs/tutorial/files"
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))]
_STATUS = re.compile(r"\(exit status (\d)\)")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def name_of(page: Path) -> str:
    """Return what messages call a page."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *kinds: str) -> list[tuple[str, str]]:
    """Return the code blocks of some kinds as pairs of kind and text, in order."""
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [(kind, text) for kind, text in found if kind in kinds]


def enter_tutorial(folder: Path) -> None:
    """Make a folder the current one, with the tutorial's files in it."""
    shutil.copytree(FILES, folder, dirs_exist_ok=True)
    os.chdir(folder)


def commands(text: str) -> Iterator[tuple[str, int, list[str]]]:
    """Yield each command of a console, its exit status, and the lines it prints, in order."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, _, rest = part.partition("\n")
        status = _STATUS.search(rest)
        lines = _STATUS.sub("", rest).splitlines()
        printed = [one for one in lines if one.strip() not in {"", "…"}]
        yield line, int(status[1]) if status else 0, printed


def run_console(text: str) -> None:
    """Run the commands of a console, and compare exit status and what they print.

    Raises
    ------
    AssertionError
        With all that the command printed.
    """
    for line, status, printed in commands(text):
        done = CliRunner().invoke(app, shlex.split(line)[1:])
        rest = iter(done.output.splitlines())
        if done.exit_code != status or not all(one in rest for one in printed):
            msg = f"{line}\n{done.output}"
            raise AssertionError(msg)


def run_python(kind: str, text: str, names: dict[str, Any], page: str) -> None:
    """Run a block of Python; of a session (`pycon`) also compare what it prints.

    Raises
    ------
    AssertionError
        With the differences.
    """
    if kind == "python":
        exec(compile(text, page, "exec"), names)  # noqa: S102 - our own pages
        return
    session = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    session.globs = names
    lines: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    if runner.run(session, out=lines.append, clear_globs=False).failed:
        raise AssertionError("".join(lines))

"""Keep `definitions.lock`: a released definition is never edited, a new version is added.

Each line names the checksum of a definition file, the release that first held it, and the file:
``sha256:<hex> 0.1.0 instruments/phq9/1.0.0.yaml``. The checksum is over the bytes with line ends
as LF, so that a checkout on another system gives the same, and without a line ``withdrawn: …``,
the one edit that a released definition may see. Worked cases are not locked: adding one is
welcome.

Without options the lock gets a line for each new file. A changed or absent file is refused;
``--rewrite-unreleased`` takes changes to files that no release holds yet. ``--release VERSION``
marks every such line as released.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

FOLDERS = ("instruments", "norms", "policies", "programmes")
LOCK = "definitions.lock"
UNRELEASED = "unreleased"


@dataclass(frozen=True)
class Line:
    """One line of the lock."""

    checksum: str
    release: str
    file: str

    def __str__(self) -> str:
        """Return the line as written."""
        return f"{self.checksum} {self.release} {self.file}"


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file with its line ends as LF, without a line ``withdrawn: …``."""
    text = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    text = re.sub(rb"^withdrawn: .*\n", b"", text, count=1, flags=re.MULTILINE)
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def definition_files(root: Path) -> dict[str, str]:
    """Return the checksum of every definition file below `root`, by its place."""
    files = (path for folder in FOLDERS for path in (root / folder).rglob("*.yaml"))
    return {
        path.relative_to(root).as_posix(): checksum(path)
        for path in sorted(files)
        if not path.name.endswith(".cases.yaml")
    }


def read_lock(root: Path) -> dict[str, Line]:
    """Return the lines of the lock by file; none where there is no lock yet."""
    path = root / LOCK
    if not path.exists():
        return {}
    lines = (Line(*row.split(" ", 2)) for row in path.read_text(encoding="utf-8").splitlines())
    return {line.file: line for line in lines}


def write_lock(root: Path, lines: dict[str, Line]) -> None:
    """Write the lock, sorted by file."""
    text = "".join(f"{lines[file]}\n" for file in sorted(lines))
    (root / LOCK).write_text(text, encoding="utf-8", newline="\n")


def violations(root: Path) -> list[str]:
    """Return one sentence for each file that is changed, absent or not listed."""
    lock, files = read_lock(root), definition_files(root)
    found = []
    for file in sorted({*lock, *files}):
        if file not in lock:
            found.append(f"{file}: not listed; run tools/lock_definitions.py")
        elif file not in files:
            found.append(f"{file}: locked but absent; a definition is withdrawn, never removed")
        elif files[file] != lock[file].checksum:
            found.append(f"{file}: changed since it was locked; add a new version instead")
    return found


def updated(root: Path, *, rewrite_unreleased: bool = False) -> dict[str, Line]:
    """Return the lock with new files added, and unreleased lines rewritten where asked."""
    lock, files = read_lock(root), definition_files(root)
    kept = {
        file: line
        for file, line in lock.items()
        if not (rewrite_unreleased and line.release == UNRELEASED)
    }
    return {file: Line(found, UNRELEASED, file) for file, found in files.items()} | kept


def main(arguments: list[str] | None = None) -> int:
    """Run the tool; 0: the lock agrees with the files, 1: it does not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--rewrite-unreleased", action="store_true")
    parser.add_argument("--release", metavar="VERSION", help="mark unreleased lines as released")
    options = parser.parse_args(arguments)
    if not options.check:
        lines = updated(options.root, rewrite_unreleased=options.rewrite_unreleased)
        if options.release:
            lines = {
                file: replace(line, release=options.release) if line.release == UNRELEASED else line
                for file, line in lines.items()
            }
        write_lock(options.root, lines)
    found = violations(options.root)
    for sentence in found:
        print(sentence, file=sys.stderr)
    print(f"{len(read_lock(options.root))} definitions locked, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

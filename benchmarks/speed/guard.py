"""Whether a commit made something slower: ``python benchmarks/speed/guard.py BASE [HEAD]``.

Both commits are checked out beside each other, and a short set of ratios to floors that do not
depend on the package is taken of the one and the other in turn, several times. Exits with 1 where a
ratio got worse by more than the tolerance, also when it is looked at again. The measures are those
of this file, whatever the commits hold; without HEAD the working copy is compared.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from timing import run_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["TOLERANCE", "Change", "compare", "slower"]

TOLERANCE = 0.15
"""How much worse a ratio may get, as a share."""

ROUNDS = 5
ROOT = Path(__file__).parents[2]

Ratios = dict[str, float]


@dataclass(frozen=True)
class Change:
    """What became of one ratio: head over base, round by round."""

    name: str
    rounds: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median over the rounds."""
        return median(self.rounds)

    def is_worse(self, tolerance: float) -> bool:
        """Return whether it got worse.

        By more than the tolerance in the median, and by more than half of it in three rounds of
        four: one round that was disturbed decides nothing.
        """
        if len(self.rounds) < 2:
            return self.middle > 1 + tolerance
        first, _, _ = quantiles(self.rounds, n=4, method="inclusive")
        return self.middle > 1 + tolerance and first > 1 + tolerance / 2


def compare(
    base: Callable[[], Mapping[str, float]],
    head: Callable[[], Mapping[str, float]],
    rounds: int,
) -> list[Change]:
    """Take the ratios of base and head in turn."""
    found: dict[str, list[float]] = {}
    for number in range(rounds):
        if number % 2:  # neither is always the second
            after, before = head(), base()
        else:
            before, after = base(), head()
        for name in before.keys() & after.keys():
            found.setdefault(name, []).append(after[name] / before[name])
    return [Change(name, tuple(pairs)) for name, pairs in sorted(found.items())]


def slower(
    base: Callable[[], Mapping[str, float]],
    head: Callable[[], Mapping[str, float]],
    *,
    rounds: int = ROUNDS,
    tolerance: float = TOLERANCE,
) -> tuple[list[Change], list[Change]]:
    """Return all changes, and those for the worse, looked at twice as often where there are any."""
    changes = compare(base, head, rounds)
    if any(one.is_worse(tolerance) for one in changes):
        again = {one.name: one.rounds for one in compare(base, head, 2 * rounds)}
        changes = [Change(one.name, one.rounds + again.get(one.name, ())) for one in changes]
    return changes, [one for one in changes if one.is_worse(tolerance)]


def run_at(source: Path, work: Path) -> Callable[[], Ratios]:
    """Return the work of taking the ratios of the package whose source is in a folder."""

    def take() -> Ratios:
        script = str(Path(__file__).with_name("guarded.py"))
        child = run_child([script, str(source), str(work)], {"PYTHONPATH": str(source)})
        ratios: Ratios = json.loads(child.output)
        return ratios

    return take


def checked_out(commit: str | None, folder: Path) -> Path:
    """Check a commit out into a folder; return where its package is."""
    if commit is None:
        return ROOT / "src"
    git("worktree", "add", "--detach", "--quiet", str(folder), commit)
    return folder / "src"


def git(*arguments: str) -> None:
    """Run git in this repository."""
    subprocess.run([shutil.which("git") or "git", *arguments], cwd=ROOT, check=True)


def lines(changes: list[Change], worse: list[Change]) -> Iterator[str]:
    """Yield a line for each change."""
    for one in changes:
        verdict = "SLOWER" if one in worse else ""
        yield f"{one.name:<36} x {one.middle:.2f}  ({len(one.rounds)} rounds)  {verdict}".rstrip()


def main(arguments: list[str] | None = None) -> int:
    """Compare two commits; return 1 where something got slower."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("base")
    parser.add_argument("head", nargs="?")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--tolerance", type=float, default=TOLERANCE)
    asked = parser.parse_args(arguments)
    with TemporaryDirectory() as scratch:
        home = Path(scratch)
        (home / "work").mkdir()
        folders = {name: home / name for name in ("base", "head")}
        try:
            base, head = (
                run_at(checked_out(commit, folders[name]), home / "work")
                for name, commit in (("base", asked.base), ("head", asked.head))
            )
            changes, worse = slower(base, head, rounds=asked.rounds, tolerance=asked.tolerance)
        finally:
            for folder in folders.values():
                if folder.exists():
                    git("worktree", "remove", "--force", str(folder))
    print("\n".join(lines(changes, worse)))
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())

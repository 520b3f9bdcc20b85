"""The whole table: every measure at every size, against its floor and its peers.

``python benchmarks/speed/table.py [--sizes 10000 100000 1000000] [--out RESULT.json]``

Each measure at each size is a process of its own. With ``--out`` what is done is kept, and the
same command goes on where it was stopped. On an idle machine; see docs/reference/speed.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from figures import Figure, parse
from page import markdown
from timing import run_child

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

IN_MEMORY = ("scoring.py", "norming.py", "chain.py", "memory.py")
ON_FILES = ("files.py",)
ENGINES = ("engines.py", "spark_rows.py")
ALONE = {"one_class.py": (30,), "starting.py": (0,), "entries.py": (30_000,)}
LIBRARIES = ("numpy", "pandas", "polars", "duckdb", "pyarrow", "orjson")


def tasks(asked: argparse.Namespace) -> list[tuple[str, int]]:
    """Return which scripts are run at which sizes."""
    found = [(script, size) for script, sizes in ALONE.items() for size in sizes]
    found += [(script, size) for size in asked.sizes for script in IN_MEMORY]
    found += [(script, size) for size in asked.files for script in ON_FILES]
    found += [("growth.py", size) for size in asked.growth]
    found += [(script, size) for size in asked.engines for script in ENGINES]
    found += [("memory.py", size) for size in asked.memory if size not in asked.sizes]
    return [
        (script, size)
        for script, size in dict.fromkeys(found)
        if (HERE / script).exists() and (not asked.only or script.removesuffix(".py") in asked.only)
    ]


def machine() -> dict[str, Any]:
    """Return what the figures were taken on."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ] if Path("/proc/cpuinfo").exists() else []  # fmt: skip
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "gigabytes": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 1),
    }


def versions() -> dict[str, str]:
    """Return the versions of what was compared."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def commit() -> str:
    """Return the commit that is checked out; with a mark where files were changed."""
    try:
        found = subprocess.run(
            [shutil.which("git") or "git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


class Result:
    """The figures so far, kept in a file where one is named."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        about = {"commit": commit(), "machine": machine(), "versions": versions()}
        self.content: dict[str, Any] = {**about, "command": "", "done": [], "figures": []}
        if path is not None and path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if (kept["commit"], kept["versions"]) == (about["commit"], about["versions"]):
                self.content = kept

    def has(self, script: str, size: int) -> bool:
        """Return whether a script was run at a size."""
        return [script, size] in [one[:2] for one in self.content["done"]]

    def add(self, script: str, size: int, seconds: float, figures: list[Figure]) -> None:
        """Keep what a script found."""
        self.content["done"].append([script, size, round(seconds)])
        self.content["figures"] += [asdict(figure) for figure in figures]
        if self.path is not None:
            unfinished = self.path.with_suffix(".part")
            text = json.dumps(self.content, ensure_ascii=False, indent=1) + "\n"
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(self.path)


def main(arguments: list[str] | None = None) -> int:
    """Run everything that was asked for; return 1 where a measure failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--files", nargs="*", type=int, default=[10_000, 100_000], metavar="PUPILS",
                        help="sizes of the runs on files")  # fmt: skip
    parser.add_argument("--growth", nargs="*", type=int, default=[], metavar="PUPILS",
                        help="10000000: against a tenth of them")  # fmt: skip
    parser.add_argument("--memory", nargs="*", type=int, default=[], metavar="PUPILS",
                        help="3000000: the peak of a run on files")  # fmt: skip
    parser.add_argument("--engines", nargs="*", type=int, default=[], metavar="PUPILS",
                        help="40000: Dask and Spark on fragments")  # fmt: skip
    parser.add_argument("--only", nargs="*", default=[], metavar="SCRIPT")
    parser.add_argument("--patience", type=float, default=1.0, help="2: time twice as long")
    parser.add_argument("--work", type=Path, help="a folder for data; it is kept")
    parser.add_argument("--out", type=Path, help="the result, as JSON")
    asked = parser.parse_args(arguments)
    result = Result(asked.out)
    given = sys.argv[1:] if arguments is None else arguments
    result.content["command"] = " ".join(["python benchmarks/speed/table.py", *given])
    failed = 0
    with TemporaryDirectory() as scratch:
        work = asked.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        for script, size in tasks(asked):
            if result.has(script, size):
                continue
            print(f"{script} {size}", file=sys.stderr, flush=True)
            start = time.perf_counter()
            try:
                command = [str(HERE / script), str(size), "--work", str(work), "--json"]
                command += ["--patience", str(asked.patience)]
                figures = parse(run_child(command).output)
            except subprocess.CalledProcessError as error:
                print(f"{script} {size} failed: {error}", file=sys.stderr)
                failed += 1
                continue
            for figure in figures:
                print(figure.line, file=sys.stderr, flush=True)
            result.add(script, size, time.perf_counter() - start, figures)
    print(markdown(result.content))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())

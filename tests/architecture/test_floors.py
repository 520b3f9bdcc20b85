"""The house stands: floors, no circles, a light import, and a docstring on each public name."""

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

import mhscreen

ROOT = Path(__file__).parents[2]
LATE = ("click", "matplotlib", "narwhals", "pandas", "polars", "pyarrow", "rich", "scipy", "typer")
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(mhscreen.__path__, "mhscreen.")
    if not module.name.endswith(".__main__")  # which runs when it is imported
)


def python(code):
    """Run code in a fresh interpreter, on the same package, and return what it printed."""
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(Path(mhscreen.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.split()


def public_names():
    """Every public name, in the module that defines it, and the public methods of classes."""
    for name in ["mhscreen", *MODULES]:
        module = importlib.import_module(name)
        yield name, module
        for public in getattr(module, "__all__", ()):
            value = getattr(module, public)
            if not (inspect.isclass(value) or inspect.isfunction(value)):
                continue
            yield f"{name}.{public}", value
            if inspect.isclass(value):
                for method, member in vars(value).items():
                    if not method.startswith("_") and inspect.isfunction(member):
                        yield f"{name}.{public}.{method}", member


def circle(imports):
    """Return the modules that no order of import can load: {} where there is no circle."""
    left = {module: set(needed) for module, needed in imports.items()}
    while free := [module for module, needed in left.items() if not needed & left.keys()]:
        for module in free:
            del left[module]
    return left


def test_every_import_contract_is_kept():
    python(
        "import sys; from importlinter.cli import lint_imports;"
        "sys.exit(lint_imports(config_filename='pyproject.toml', no_cache=True))"
    )


def test_no_module_is_imported_in_a_circle():
    graph = grimp.build_graph("mhscreen", cache_dir=None, exclude_type_checking_imports=True)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert circle(imports) == {}


def test_a_circle_would_be_noticed():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}).keys() == {"a", "b", "c"}


def test_importing_mhscreen_brings_no_dataframe_library_and_no_terminal():
    show = "print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = python(f"import mhscreen, sys; {show}")
    assert "mhscreen" in loaded
    assert sorted({*LATE, "numpy"} & set(loaded)) == []
    loaded = python(f"import mhscreen, sys; mhscreen.screen; {show}")
    assert "numpy" in loaded
    assert sorted(set(LATE) & set(loaded)) == []


@pytest.mark.parametrize("name", [name for name in MODULES if "._" not in name])
def test_every_exported_name_exists_once(name):
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", [])
    assert [public for public in exported if not hasattr(module, public)] == []
    assert len(exported) == len(set(exported))


def test_every_public_name_has_a_docstring():
    assert [name for name, value in public_names() if not inspect.getdoc(value)] == []


def test_every_public_name_of_the_facade_is_documented_by_its_own_words():
    inherited = []
    for public in mhscreen.__all__:
        value = getattr(mhscreen, public)
        if inspect.isclass(value) and not vars(value).get("__doc__"):
            inherited.append(public)
    assert inherited == []

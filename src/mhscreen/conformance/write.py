"""Write a kit into a folder, or compare a folder with what would be written."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mhscreen.conformance.generate import Measures, generate_form, summary
from mhscreen.conformance.kit import form_files, read_manifest, write_manifest
from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mhscreen.conformance.scorer import Form

__all__ = ["export_kit", "files_of", "read_measures", "shipped_kit", "write_kit"]


def write_kit(
    folder: Path,
    forms: Iterable[Form],
    *,
    measure: bool = True,
    others: bool = False,
    progress: Callable[[Measures], None] | None = None,
) -> tuple[Measures, ...]:
    """Choose the vectors of forms, and write them with the manifest and the measures.

    The same definitions give the same bytes, on any machine.

    Parameters
    ----------
    folder : Path
        The folder of the kit; made where it is not there.
    measure : bool
        Whether proofs and held-out diagnosis are worked out, too.
    others : bool
        Whether other forms that the kit has are kept in it.
    progress : callable, optional
        Is told of every form when it is done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = []
    measures: list[Measures] = []
    for form in forms:
        found = generate_form(form, measure=measure)
        place = folder / form.name
        place.mkdir(exist_ok=True)
        for name, text in form_files(found.kit).items():
            (place / name).write_text(text, encoding="utf-8", newline="\n")
        entries.append(
            {
                "form": form.name,
                "instrument": form.instrument.ref,
                "informant": str(form.informant),
                "vectors": len(found.kit.names),
            }
        )
        measures.append(found.measures)
        if progress is not None:
            progress(found.measures)
    written = measures
    if others and (folder / "manifest.json").is_file():
        new = {entry["form"]: entry for entry in entries}
        entries = [new.pop(one["form"], one) for one in read_manifest(folder)] + [*new.values()]
        every = {one.form: one for one in (*read_measures(folder), *measures)}
        measures = [every[entry["form"]] for entry in entries]
    write_manifest(folder, entries)
    text = json.dumps(
        {"forms": [asdict(one) for one in measures], "sum": summary(measures)},
        ensure_ascii=False,
        indent=1,
    )
    (folder / "measures.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    readme = files("mhscreen.conformance").joinpath("kit_readme.md").read_text(encoding="utf-8")
    (folder / "README.md").write_text(readme, encoding="utf-8", newline="\n")
    return tuple(written)


def read_measures(folder: Path) -> tuple[Measures, ...]:
    """Return the measures that stand in a kit."""
    found = json.loads((folder / "measures.json").read_text(encoding="utf-8"))
    return tuple(Measures(**one) for one in found["forms"])


def files_of(folder: Path) -> Sequence[str]:
    """Return the files of a kit, by their paths inside it."""
    return sorted(
        file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()
    )


def shipped_kit() -> Path:
    """Return the folder of the kit that comes with this package.

    Raises
    ------
    UsageError
        If it is neither in the installed package nor in a source checkout.
    """
    package = Path(__file__).resolve().parent.parent
    places = (package / "_conformance_kit", package.parent.parent / "benchmarks/conformance/kit")
    for place in places:
        if (place / "manifest.json").is_file():
            return place
    msg = "the conformance kit is not installed"
    raise UsageError(msg)


def export_kit(kit: Path, out: Path) -> int:
    """Copy a kit for somebody who has nothing but a text editor: into a folder, or a .zip file.

    Without `measures.json`, which is about the kit and not for those who score it. The same kit
    gives the same bytes.

    Parameters
    ----------
    out : Path
        A folder that does not exist or is empty, or a file that ends in ``.zip``.

    Returns
    -------
    int
        How many files there are.

    Raises
    ------
    UsageError
        If there is something already.
    """
    names = [name for name in files_of(kit) if not name.endswith("measures.json")]
    if out.exists() and (out.suffix == ".zip" or any(out.iterdir())):
        msg = f"{out} is there already"
        raise UsageError(msg)
    if out.suffix == ".zip":
        out.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                entry = zipfile.ZipInfo(f"{out.stem}/{name}")  # of 1 January 1980, as every run
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, (kit / name).read_bytes())
        return len(names)
    for name in names:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes((kit / name).read_bytes())
    return len(names)

"""Write a kit into a folder, or compare a folder with what would be written."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from mhscreen.conformance.generate import Measures, generate_form, summary
from mhscreen.conformance.kit import form_files, write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from mhscreen.conformance.scorer import Form

__all__ = ["read_measures", "write_kit"]


def write_kit(
    folder: Path,
    forms: Iterable[Form],
    *,
    measure: bool = True,
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
    progress : callable, optional
        Is told of every form when it is done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries, measures = [], []
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
    write_manifest(folder, entries)
    text = json.dumps(
        {"forms": [asdict(one) for one in measures], "sum": summary(measures)},
        ensure_ascii=False,
        indent=1,
    )
    (folder / "measures.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return tuple(measures)


def read_measures(folder: Path) -> tuple[Measures, ...]:
    """Return the measures that stand in a kit."""
    found = json.loads((folder / "measures.json").read_text(encoding="utf-8"))
    return tuple(Measures(**one) for one in found["forms"])


def files_of(folder: Path) -> Sequence[str]:
    """Return the files of a kit, by their paths inside it."""
    return sorted(
        file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()
    )

"""A whole ledger as one Parquet file, for exchange: heads in columns, beside each its line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mhscreen.atomic import whole_file
from mhscreen.entries.canonical import canonical_json
from mhscreen.ledger.stores.base import SCHEMA, Appended, Batch, Row, check_empty, entries_of
from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from mhscreen.ledger.stores.base import Items

__all__ = ["Parquet"]

_AT_ONCE = 8192
_HEADS = (
    "entry_type", "programme", "cycle_id", "period", "term", "occurred_at", "recorded_at",
    "supersedes", "confidentiality", "author",
)  # fmt: skip
_ORG = ("city", "district", "school", "stage", "class")
_LEDGER, _BATCHES = b"mhscreen.ledger", b"mhscreen.batches"


@dataclass(frozen=True)
class Parquet:
    """A ledger in a Parquet file, to read, or to copy another one into.

    Attributes
    ----------
    path : Path
        The file.
    """

    path: Path

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    def rows(self, pupil_ref: str | None = None) -> Iterator[Row]:
        """Iterate over what is stored, in order."""
        if not self.path.exists():
            return
        with self._open() as file:
            for part in file.iter_batches(_AT_ONCE, columns=list(Row._fields)):
                for values in zip(*(part[name].to_pylist() for name in Row._fields), strict=True):
                    row = Row(*values)
                    if pupil_ref in {None, row.pupil_ref}:
                        yield row

    def entries(self, pupil_ref: str | None = None) -> Iterator[dict[str, Any]]:
        """Iterate over the entries that were not erased, in order."""
        return entries_of(self.rows(pupil_ref))

    def batches(self) -> tuple[Batch, ...]:
        """Return the batches, in order."""
        if not self.path.exists():
            return ()
        with self._open() as file:
            return tuple(Batch(*one) for one in json.loads(file.schema_arrow.metadata[_BATCHES]))

    def append(self, _entries: Items, /) -> Appended:
        """Refuse: a Parquet file cannot be added to."""
        raise UsageError(self._refusal())

    def erase(self, _erased: Mapping[str, str], _entries: Items, /) -> Appended:
        """Refuse: a Parquet file cannot be changed."""
        raise UsageError(self._refusal())

    def restore(self, rows: Iterable[Row], batches: Iterable[Batch]) -> None:
        """Take over another ledger as it is, tombstones included."""
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter

        check_empty(self.name, empty=not self.path.exists())
        said = canonical_json([list(batch) for batch in batches]).encode()
        texts = [*Row._fields[1:], *_HEADS, *_ORG]
        fields = [("batch", pa.int32()), *((name, pa.string()) for name in texts)]
        fields.append(("grade", pa.int32()))
        schema = pa.schema(fields, metadata={_LEDGER: SCHEMA.encode(), _BATCHES: said})
        with whole_file(self.path) as temporary, ParquetWriter(temporary, schema) as writer:
            part: list[dict[str, Any]] = []
            for row in rows:
                part.append(_columns(row))
                if len(part) == _AT_ONCE:
                    writer.write_table(pa.Table.from_pylist(part, schema))
                    part = []
            writer.write_table(pa.Table.from_pylist(part, schema))

    def _open(self) -> Any:
        import pyarrow as pa
        from pyarrow.parquet import ParquetFile

        try:
            file = ParquetFile(self.path)
        except pa.ArrowInvalid as error:
            msg = f"{self.name} is no Parquet file"
            raise UsageError(msg) from error
        if (file.schema_arrow.metadata or {}).get(_LEDGER) != SCHEMA.encode():
            msg = f"{self.name} is no ledger of this version"
            raise UsageError(msg)
        return file

    def _refusal(self) -> str:
        return f"{self.name}: Parquet is for exchange; keep the ledger in .jsonl or a database"


def _columns(row: Row) -> dict[str, Any]:
    document = row.document()
    org = document.get("org") or {}
    heads = {name: document.get(name) for name in _HEADS}
    return row._asdict() | heads | {name: org.get(name) for name in (*_ORG, "grade")}

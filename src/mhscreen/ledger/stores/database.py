"""A ledger in a database: SQLite for a school, PostgreSQL for a district."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from mhscreen.ledger.stores.base import (
    SCHEMA,
    Appended,
    Batch,
    Row,
    check_empty,
    check_erased,
    entries_of,
)
from mhscreen.ledger.stores.place import Known, Outcome, Placed, in_chunks, place
from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mhscreen.ledger.incoming import Incoming
    from mhscreen.ledger.stores.base import Items

__all__ = ["Database"]

_WAIT_S = 60
_LOCK = 0x6D68736372  # one number for the writers of all ledgers of a PostgreSQL database
_AT_ONCE = 1000

_TABLES = sa.MetaData()
_LEDGER = sa.Table(
    "mhscreen_ledger",
    _TABLES,
    sa.Column("schema", sa.Text, primary_key=True),
)
_BATCHES = sa.Table(
    "mhscreen_batch",
    _TABLES,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("root", sa.Text, nullable=False),
)
_ENTRIES = sa.Table(
    "mhscreen_entry",
    _TABLES,
    sa.Column("place", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True,
              autoincrement=False),
    sa.Column("batch", sa.Integer, sa.ForeignKey("mhscreen_batch.number"), nullable=False),
    sa.Column("entry_id", sa.Text, nullable=False, unique=True),
    sa.Column("pupil_ref", sa.Text),
    sa.Column("prev_hash", sa.Text),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("entry_type", sa.Text),
    sa.Column("cycle_id", sa.Text),
    sa.Column("occurred_at", sa.Text),
    sa.Column("line", sa.Text),
    sa.Index("mhscreen_entry_pupil", "pupil_ref", "place"),
)  # fmt: skip
"""Of an erased entry the last four are null."""
_ROW = [_ENTRIES.c[name] for name in Row._fields]


class Database:
    """A ledger in a database.

    Parameters
    ----------
    url : str
        As SQLAlchemy writes it: ``sqlite:///ledger.db``, ``postgresql://user@host/name``.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = sa.make_url(url)
            if parsed.drivername == "postgresql":
                parsed = parsed.set(drivername="postgresql+psycopg")
            self._engine = sa.create_engine(parsed, poolclass=sa.NullPool)
        except (sa.exc.ArgumentError, ImportError) as error:
            msg = "the address of the ledger is not understood, or its driver is not installed"
            raise UsageError(msg) from error
        self._name = parsed.render_as_string(hide_password=True)
        self._is_sqlite = parsed.get_backend_name() == "sqlite"
        if self._is_sqlite:
            _prepare_sqlite(self._engine)

    @property
    def name(self) -> str:
        """The address, without a password."""
        return self._name

    def rows(self, pupil_ref: str | None = None) -> Iterator[Row]:
        """Iterate over what is stored, in order."""
        query = sa.select(*_ROW).order_by(_ENTRIES.c.place)
        if pupil_ref is not None:
            query = query.where(_ENTRIES.c.pupil_ref == pupil_ref)
        with self._reading() as connection:
            if connection is not None:
                found = connection.execution_options(yield_per=_AT_ONCE).execute(query)
                yield from (Row(*one) for one in found)

    def entries(self, pupil_ref: str | None = None) -> Iterator[dict[str, Any]]:
        """Iterate over the entries that were not erased, in order."""
        return entries_of(self.rows(pupil_ref))

    def batches(self) -> tuple[Batch, ...]:
        """Return the batches, in order."""
        with self._reading() as connection:
            return () if connection is None else tuple(_batches(connection))

    def append(self, entries: Items) -> Appended:
        """Store what is new of some entries as one batch: all of it, or none."""
        with self._writing() as connection:
            return _write(connection, entries)

    def erase(self, erased: Mapping[str, str], entries: Items) -> Appended:
        """Take away the content of entries, and store at once the entries that say so."""
        with self._writing() as connection:
            check_erased(erased, _find(connection, list(erased)))
            nothing = dict.fromkeys(("entry_type", "cycle_id", "occurred_at", "line"))
            for names in _parts(list(erased)):
                where = _ENTRIES.c.entry_id.in_(names)
                connection.execute(sa.update(_ENTRIES).where(where).values(nothing))
            appended = _write(connection, entries)
        if not self._is_sqlite:  # PostgreSQL keeps the old content until it tidies up
            with self._engine.connect() as connection:
                alone = connection.execution_options(isolation_level="AUTOCOMMIT")
                alone.execute(sa.text("VACUUM mhscreen_entry"))
        return appended

    def restore(self, rows: Iterable[Row], batches: Iterable[Batch]) -> None:
        """Take over another ledger as it is, tombstones included."""
        with self._writing() as connection:
            check_empty(self.name, empty=not _batches(connection))
            for batch in batches:
                connection.execute(sa.insert(_BATCHES), batch._asdict())
            place_ = 0
            for part in _in_parts(rows):
                _insert(connection, [Placed(row, row.document()) for row in part], place_)
                place_ += len(part)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection | None]:
        """Open one view of the ledger; None where nothing was ever stored."""
        with self._failing_clearly(), self._engine.connect() as connection, connection.begin():
            there = sa.inspect(connection).has_table(_LEDGER.name)
            if there:
                _check_schema(connection)
            yield connection if there else None

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """Open a transaction that no other writer can be in; they wait a minute."""
        with self._failing_clearly(), self._engine.connect() as opened:
            connection = opened.execution_options(mhscreen_writes=True)
            with connection.begin():
                if not self._is_sqlite:
                    connection.execute(sa.text(f"SET LOCAL lock_timeout = '{_WAIT_S}s'"))
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
                _TABLES.create_all(connection)
                _check_schema(connection)
                yield connection

    @contextmanager
    def _failing_clearly(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            # The driver's own text may hold the address with its password, or an entry.
            kind = type(error.orig).__name__
            msg = (
                f"{self.name}: the database does not answer as it should ({kind}); nothing of "
                "this was stored. Is somebody else writing, or the server away?"
            )
            raise UsageError(msg) from None


def _prepare_sqlite(engine: sa.Engine) -> None:
    """Begin transactions ourselves, wait for others, and overwrite what is erased."""

    def connect(raw: Any, _record: object) -> None:
        raw.isolation_level = None
        raw.execute(f"PRAGMA busy_timeout = {_WAIT_S * 1000}")
        raw.execute("PRAGMA secure_delete = ON")
        raw.execute("PRAGMA synchronous = FULL")

    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("mhscreen_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    sa.event.listen(engine, "connect", connect)
    sa.event.listen(engine, "begin", begin)


def _check_schema(connection: sa.Connection) -> None:
    found = connection.execute(sa.select(_LEDGER.c.schema)).scalars().all()
    if not found:
        connection.execute(sa.insert(_LEDGER), {"schema": SCHEMA})
    elif found != [SCHEMA]:
        msg = f"the ledger was written by another version: {', '.join(found)}, not {SCHEMA}"
        raise UsageError(msg)


def _batches(connection: sa.Connection) -> list[Batch]:
    columns = [_BATCHES.c[name] for name in Batch._fields]
    found = connection.execute(sa.select(*columns).order_by(_BATCHES.c.number))
    return [Batch(*one) for one in found]


def _write(connection: sa.Connection, entries: Items) -> Appended:
    """Add a batch within a transaction."""
    before = _batches(connection)
    number, outcome = len(before) + 1, Outcome()
    last = connection.execute(sa.select(sa.func.max(_ENTRIES.c.place))).scalar() or 0
    connection.execute(sa.insert(_BATCHES), {"number": number, "entries": 0, "root": ""})
    for chunk in in_chunks(entries, outcome):
        placed = place(chunk, _known(connection, chunk), number, outcome)
        _insert(connection, placed, last)
        last += len(placed)
    outcome.refuse()
    mine = _BATCHES.c.number == number
    if not outcome.hashes:
        connection.execute(sa.delete(_BATCHES).where(mine))
        return outcome.result(None, before)
    batch = outcome.batch(number)
    connection.execute(sa.update(_BATCHES).where(mine).values(batch._asdict()))
    return outcome.result(batch, before)


def _known(connection: sa.Connection, chunk: Sequence[Incoming]) -> Known:
    """Return what the ledger knows of a chunk and of its pupils."""
    known = Known(_find(connection, [one.document["entry_id"] for one in chunk]).get)
    names = ("pupil_ref", "entry_id", "entry_type", "cycle_id", "hash")
    query = sa.select(*(_ENTRIES.c[name] for name in names)).order_by(_ENTRIES.c.place)
    pupils = {one.document["pupil_ref"] for one in chunk}
    whose = sa.or_(
        _ENTRIES.c.pupil_ref.in_(pupils - {None}),
        _ENTRIES.c.pupil_ref.is_(None) if None in pupils else sa.false(),
    )
    for one in connection.execute(query.where(whose)):
        known.note(dict(zip(names, one, strict=True)))
    return known


def _find(connection: sa.Connection, names: Sequence[str]) -> dict[str, Row]:
    query = sa.select(*_ROW)
    return {
        one.entry_id: Row(*one)
        for part in _parts(names)
        for one in connection.execute(query.where(_ENTRIES.c.entry_id.in_(part)))
    }


def _insert(connection: sa.Connection, placed: Sequence[Placed], last: int) -> None:
    if placed:
        heads = ("entry_type", "cycle_id", "occurred_at")
        values = [
            {"place": place_, **row._asdict(), **{name: document.get(name) for name in heads}}
            for place_, (row, document) in enumerate(placed, start=last + 1)
        ]
        connection.execute(sa.insert(_ENTRIES), values)


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(names), _AT_ONCE):
        yield names[first : first + _AT_ONCE]


def _in_parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    part: list[Row] = []
    for row in rows:
        part.append(row)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    if part:
        yield part

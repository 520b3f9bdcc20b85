"""Where a ledger is kept: a file of JSON lines, a database; Parquet for exchange."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mhscreen.ledger.stores.base import Appended, Batch, Ledger, Row, Store
from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Appended", "Batch", "Ledger", "Row", "Store", "copy_ledger", "open_ledger"]

_SQLITE = "sqlite:///"


def open_ledger(where: str | os.PathLike[str], *, create: bool = False) -> Store:
    """Open a ledger.

    Parameters
    ----------
    where : str or path
        A file ``….jsonl`` or ``….parquet``, or the address of a database: ``sqlite:///ledger.db``
        or ``postgresql://user@host/name``.
    create : bool
        Whether it may be new. It is made when the first entries are stored.

    Raises
    ------
    UsageError
        If there is none, if the address is not understood, or SQLAlchemy is not installed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 40)
    >>> result = mh.screen(plan, roster=roster, responses=answers, at="2026-10-15")
    >>> with TemporaryDirectory() as folder:
    ...     ledger = open_ledger(f"{folder}/ledger.jsonl", create=True)
    ...     first, again = ledger.append(result.entries), ledger.append(result.entries)
    >>> first.added, again.added, again.already
    (40, 0, 40)
    """
    text = os.fspath(where)
    if "://" in text:
        if text.startswith(_SQLITE) and not create:
            _check_there(Path(text.removeprefix(_SQLITE)))
        try:
            from mhscreen.ledger.stores.database import Database
        except ImportError as error:
            msg = "a ledger in a database needs SQLAlchemy: pip install 'mhscreen[database]'"
            raise UsageError(msg) from error
        return Database(text)
    path = Path(text)
    if not create:
        _check_there(path)
    kinds: dict[str, Callable[[Path], Store]] = {".jsonl": _json_lines, ".parquet": _parquet}
    if path.suffix not in kinds:
        msg = f"{text}: a ledger is a .jsonl or .parquet file, or an address such as sqlite:///…"
        raise UsageError(msg)
    return kinds[path.suffix](path)


def copy_ledger(source: Ledger, target: Store) -> None:
    """Copy a whole ledger, with its batches and tombstones, to where there is none yet.

    Raises
    ------
    UsageError
        If there is something at the target, or the source has no batches.
    """
    batches = source.batches()
    if not batches:
        msg = f"{source.name} is no ledger with batches: append it instead"
        raise UsageError(msg)
    target.restore(source.rows(), batches)


def _check_there(path: Path) -> None:
    if not path.is_file():
        msg = f"there is no ledger {path}"
        raise UsageError(msg)


def _json_lines(path: Path) -> Store:
    from mhscreen.ledger.stores.json_lines import JsonLines

    return JsonLines(path)


def _parquet(path: Path) -> Store:
    from mhscreen.ledger.stores.parquet import Parquet

    return Parquet(path)

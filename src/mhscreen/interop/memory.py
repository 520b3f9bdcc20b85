"""Memory that Arrow takes: from the system, and not from pools that keep what is given back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["system_memory"]


@contextmanager
def system_memory() -> Iterator[None]:
    """Let Arrow take memory from the system as long as the block lasts.

    Its own pools keep pages for each thread, a quarter of what a run on files needs. Whatever else
    the process does with Arrow meanwhile goes on as before.
    """
    import pyarrow as pa

    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)

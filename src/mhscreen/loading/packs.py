"""Packs: definitions that other installed packages bring along."""

from __future__ import annotations

from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from mhscreen.loading.folders import load_rooted, shipped_library
from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from mhscreen.loading.library import Library

__all__ = ["PACKS", "installed_library"]

PACKS = "mhscreen.packs"
"""The entry-point group. Each value names a package, ``my_pack``, or a folder in one,
``my_pack:definitions``."""


def installed_library() -> Library:
    """Load the shipped definitions and those of every installed pack.

    A pack is a package with a folder of definitions and an entry point in the group
    ``mhscreen.packs``; it needs no code. The packs are read together, so that one may refer to
    another, and none may change what is already defined.

    Returns
    -------
    Library
        The shipped one where there are no packs.

    Raises
    ------
    DefinitionError
        With every problem of every pack; the file begins with the package.
    UsageError
        If a pack has no such folder.
    """
    packs = sorted(entry_points(group=PACKS), key=lambda pack: (pack.name, pack.value))
    if not packs:
        return shipped_library()
    return load_rooted([_folder(pack) for pack in packs], base=shipped_library())


def _folder(pack: EntryPoint) -> tuple[Path, Path]:
    """Return the folder of a pack, and the one from which its files are named."""
    who = f"the pack {pack.name!r}"
    if pack.dist is not None:
        who += f" of {pack.dist.name} {pack.dist.version}"
    try:
        package = files(pack.module)
    except ModuleNotFoundError:
        msg = f"{who} names the package {pack.module}, which is not there"
        raise UsageError(msg) from None
    inside = pack.attr or ""
    if not isinstance(package, Path) or not (package / inside).is_dir():
        msg = f"{who}: {pack.value} is no folder of an installed package"
        raise UsageError(msg)
    root = package.parents[pack.module.count(".")]
    return package / inside, root

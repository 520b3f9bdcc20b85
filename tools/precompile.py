"""Precompile the shipped definitions when a wheel is built (a hook of hatchling).

The wheel holds them as YAML, which people read and which decides, and beside it as they were read
and checked, so that an installed package need not read YAML. Packages and formats stay as they
are: plain text, no code, and the wheel stays pure Python.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):
    """Adds one file to the wheel; an editable install reads the YAML."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the file, and say where it belongs."""
        if version == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root / "src"))
        from mhscreen.loading.folders import precompile_folders  # noqa: PLC0415  (a build has it)
        from mhscreen.loading.stored import PRECOMPILED  # noqa: PLC0415  (the same)

        self.folder = TemporaryDirectory()
        file = Path(self.folder.name) / PRECOMPILED
        file.write_bytes(precompile_folders(root))
        build_data["force_include"][str(file)] = f"mhscreen/_library/{PRECOMPILED}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was made: the wheel has it."""
        del version, build_data, artifact_path
        if hasattr(self, "folder"):
            self.folder.cleanup()

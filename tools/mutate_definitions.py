"""Change every shipped instrument one thing at a time; list what no worked case notices.

``python tools/mutate_definitions.py [ID …]`` ends with 1 where a mutant survives. It takes
minutes for the whole library, which is why it is a command of its own.
"""

from __future__ import annotations

import sys

from mhscreen.loading import shipped_library
from mhscreen.testing.mutants import surviving


def main(names: list[str]) -> int:
    """Print a line per instrument and every survivor."""
    alive = 0
    for loaded in shipped_library().of_kind("instrument"):
        if names and loaded.name not in names:
            continue
        number, survivors = surviving(loaded)
        alive += len(survivors)
        print(f"{loaded.ref}: {number} mutants, {len(survivors)} not noticed")
        for name in survivors:
            print(f"  {name}")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A PostgreSQL server of one's own, for tests and for killing writers.

It lives in a folder of its own under the system's temporary folder, listens on a socket there and
nowhere else, and goes with the block. Debian's packages are found; a root user hands the server
to another user, as PostgreSQL wants it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

USERS = ("postgres", "nobody")
ROLE = "mhscreen"


def find_programs() -> Path | None:
    """Return the folder with initdb and pg_ctl, or None where there is no PostgreSQL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if found:
        return found[0].parent
    program = shutil.which("initdb")
    return None if program is None else Path(program).resolve().parent


@contextmanager
def postgres_server() -> Iterator[Callable[[], str]]:
    """Start a server, and give a function that makes a new database and returns its address."""
    programs = find_programs()
    if programs is None:
        msg = "there is no PostgreSQL on this machine (no initdb)"
        raise FileNotFoundError(msg)
    folder = Path(tempfile.mkdtemp(prefix="mhscreen-pg-"))
    user = _hand_over(folder)

    def run(program: str, *arguments: str) -> None:
        as_user = [] if user is None else ["runuser", "-u", user, "--"]
        log = (folder / "command.log").open("ab")
        with log:
            subprocess.run(
                [*as_user, str(programs / program), *arguments],
                check=True, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    data = folder / "data"
    # Writers are killed, never the server: it need not wait for the disk.
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    numbers = count(1)

    def new_database() -> str:
        name = f"ledger_{next(numbers)}"
        run("createdb", "-h", str(folder), "-U", ROLE, name)
        return f"postgresql://{ROLE}@/{name}?host={folder}"

    try:
        run("initdb", "-D", str(data), "-U", ROLE, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        run(
            "pg_ctl",
            "-D",
            str(data),
            "-w",
            "-l",
            str(folder / "server.log"),
            "-o",
            options,
            "start",
        )
        try:
            yield new_database
        finally:
            run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _hand_over(folder: Path) -> str | None:
    """Give the folder to the user who runs the server; None where that is oneself."""
    if os.getuid() != 0:
        return None
    for name in USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        return name
    msg = f"root may not run PostgreSQL, and there is none of the users {', '.join(USERS)}"
    raise FileNotFoundError(msg)

"""The process that is killed: writes and prints each number once its transaction is through.

python -m tests.proof.writer HOME NAME
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import app.models  # noqa: F401
from app import keys as key_files
from app.db import Database
from app.directory.models import Person
from app.ledger.append import append


def main(home: Path, name: str) -> None:
    """Write until killed."""
    keys = key_files.load(home / "keys")
    database = Database(f"sqlite:///{home / 'proof.db'}", keys=keys)
    number = 0
    while True:
        with database.write() as session:
            session.add(Person(name=f"{name}-{number}"))
            append(session, None, "person.created", sealed=number % 2 == 0)
        os.write(1, f"{name}-{number}\n".encode())
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

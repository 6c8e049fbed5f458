"""Proof that a killed process loses nothing it acknowledged and leaves no half transaction.

kill -9 leaves the machine's page cache alone, so this says nothing about a power cut; that is what
WAL with synchronous=FULL is for.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import select

from app.directory.models import Person
from app.ledger import prove
from tests.domain.draw.pools import number
from tests.proof.records import database_in

ROOT = Path(__file__).parents[2]
WRITERS = 2


def kills(count: int) -> str:
    """`count` kills of a writer while another goes on; after each, everything is looked at."""
    with tempfile.TemporaryDirectory() as place:
        database, keys = database_in(place)
        acknowledged: set[str] = set()
        unanswered = 0
        for turn in range(count):
            acknowledged |= _killed_run(Path(place), turn)
            with database.read() as session:
                names = list(session.scalars(select(Person.name)))
                report = prove.verify(session, keys)
            assert report.faults == [], (turn, report.faults[:2])
            assert len(names) == len(set(names)) == report.events, turn
            lost = acknowledged - set(names)
            assert not lost, (turn, sorted(lost)[:3])
            unanswered = len(names) - len(acknowledged)
        database.dispose()
    assert len(acknowledged) > count * WRITERS
    return f"{len(acknowledged)} acknowledged writes, none lost, {unanswered} done but not yet answered; ledger whole after each kill"


def _killed_run(home: Path, turn: int) -> set[str]:
    """Start writers, let them write, kill them with SIGKILL; what they acknowledged."""
    command = [sys.executable, "-m", "tests.proof.writer", str(home)]
    running = [
        subprocess.Popen([*command, f"t{turn}w{n}"], stdout=subprocess.PIPE, cwd=ROOT)
        for n in range(WRITERS)
    ]
    said = b""
    try:
        first = running[0].stdout
        assert first is not None
        said = os.read(first.fileno(), 4096)  # the first write is through
        assert said, "the writer ended by itself"
        time.sleep(number("kill", turn) % 150 / 1000)
    finally:
        for process in running:
            process.kill()
    acknowledged = set()
    for process in running:
        rest, _ = process.communicate(timeout=30)
        whole = (said if process is running[0] else b"") + rest
        with contextlib.suppress(UnicodeDecodeError):
            acknowledged |= {line for line in whole.decode().split("\n")[:-1] if line}
    return acknowledged

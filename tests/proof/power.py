"""Proof that a power cut loses nothing that a tablet was told is stored, and breaks nothing.

The whole application takes pushes and seals while its system calls are recorded; then the disk is
rebuilt as a power cut would have left it at points all through the record, opened as SQLite would after
the restart, and held against what had been acknowledged by then. The same run with synchronous=NORMAL
and OFF must fail: a check that cannot tell them apart would show nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app import keys as key_files
from app.db import Database
from app.field.invariants import INVARIANTS
from app.files.store import Store
from app.keys import Keys
from app.ledger import prove
from tests.proof.disk import Call, Disk, calls, recording
from tests.proof.field import ROOT, town
from tests.proof.field_worker import ACK, Run

MODES = ("FULL", "NORMAL", "OFF")
CONTROLS = 400  # states of each mode that must fail
WAYS = 4  # of each cut: nothing of the rest, everything, and two subsets


class Lost(AssertionError):
    """Something acknowledged is not there."""


class Broken(AssertionError):
    """The database cannot be read, or does not hold together."""


def power_cuts(count: int) -> str:
    """`count` states of the disk with synchronous=FULL, all whole; the other two modes caught."""
    with tempfile.TemporaryDirectory(prefix="mingjian-power-") as room:
        turns = max(4, min(60, count // 250))
        plan = _plan(Path(room), turns)
        record = Path(room) / "calls"
        (Path(room) / "plan").write_bytes(pickle.dumps(list(plan.values())))
        command = [sys.executable, "-m", "tests.proof.field_worker", str(Path(room) / "plan")]
        done = subprocess.run(
            [*recording(record), *command], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        made = list(calls(record))
        tried, told = _hold(Tape(plan["FULL"], made), count)
        caught = []
        for mode in MODES[1:]:
            some = min(count, CONTROLS)
            lost, broken = _faults(Tape(plan[mode], made), some)
            assert lost, f"synchronous={mode} was not caught"
            assert broken or mode == "NORMAL", "synchronous=OFF broke nothing"
            caught.append(f"{mode} must fail: {lost} lost, {broken} corrupt of {some}")
    return (
        f"{tried} states of the disk at {told['points']} points, {told['receipts']} receipts of "
        f"{told['seals']} seals and their changes, 0 lost, 0 corrupt, {told['contents']} different "
        f"contents verified; synchronous={'; '.join(caught)}"
    )


def _plan(room: Path, turns: int) -> dict[str, Run]:
    """The same installation three times."""
    plan = {}
    with town(2) as place:
        home = Path(place.env["MINGJIAN_HOME"])
        place.database.dispose()
        for mode in MODES:
            shutil.copytree(home, room / mode)
            # A few hundred pages a move: the record has to hold many.
            plan[mode] = Run(str(room / mode), place.lines, turns, mode, 250)
            (room / mode / "before").write_bytes((room / mode / "mingjian.db").read_bytes())
    return plan


@dataclass
class Tape:
    """What one run did to its files and when it told whom; states of the disk are made from it."""

    run: Run
    made: list[Call]
    before: Path | None = None  # the database as it was, else `before` in the run's home
    acknowledged: dict[str, Any] = field(default_factory=dict)  # as far as it was played

    @property
    def home(self) -> Path:
        return Path(self.run.home)

    def points(self) -> int:
        return sum(1 for _ in self.play())

    def play(self) -> Iterator[Disk]:
        """The disk after each call; `acknowledged` grows beside it."""
        data, log = self.home / "mingjian.db", self.home / "mingjian.db-wal"
        before = self.before or self.home / "before"
        disk = Disk({str(data): before.read_bytes(), str(log): b""})
        self.acknowledged = {}
        for call in self.made:
            if call.name == "write" and call.data.startswith(ACK.encode()):
                said = json.loads(call.data[len(ACK) :])
                if said["home"] == self.run.home:
                    self.acknowledged |= {told["id"]: told for told in said["receipts"]}
                    yield disk
            elif disk.take(call):
                yield disk


@dataclass
class Restart:
    """The machine is on again: SQLite recovers what the disk has. Equal contents are looked at once."""

    home: Path
    keys: Keys
    database: Database
    thorough: bool  # the ledger and every row too, not only what SQLite itself can tell
    seen: dict[bytes, dict[str, Any]] = field(default_factory=dict)

    def look(self, data: bytearray, log: bytearray) -> dict[str, Any]:
        """The receipts that the recovered database holds, by operation. Broken."""
        path = self.home / "mingjian.db"
        for part, name in ((data, "mingjian.db"), (log, "mingjian.db-wal")):
            (self.home / name).write_bytes(part)
        (self.home / "mingjian.db-shm").unlink(missing_ok=True)
        try:
            connection = sqlite3.connect(path, isolation_level=None)
            try:
                connection.execute("PRAGMA synchronous=OFF")  # of this reading, not of the run
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                digest = hashlib.sha256(path.read_bytes()).digest()
                if digest not in self.seen:
                    self.seen[digest] = self._whole(connection)
            finally:
                connection.close()
        except sqlite3.DatabaseError as error:
            raise Broken(str(error)) from error
        return self.seen[digest]

    def _whole(self, connection: sqlite3.Connection) -> dict[str, Any]:
        said = connection.execute("PRAGMA integrity_check").fetchall()
        if said != [("ok",)]:
            raise Broken(f"integrity_check: {said[:2]}")
        if self.thorough:
            self._verify()
        rows = connection.execute("SELECT id, receipt FROM field_op").fetchall()
        return {key: json.loads(receipt) for key, receipt in rows}

    def _verify(self) -> None:
        try:
            with self.database.read() as session:
                faults = list(prove.verify(session, self.keys).faults)
                for _, check in INVARIANTS:
                    faults += check(session)
        finally:
            self.database.dispose()
        if faults:
            raise Broken(str(faults[:2]))


def _states(tape: Tape, count: int) -> Iterator[tuple[bytearray, bytearray]]:
    """About `count` states of the disk, evenly over the record, four at each point."""
    points = tape.points()
    every = max(1, points * WAYS // count)
    names = (str(tape.home / "mingjian.db"), str(tape.home / "mingjian.db-wal"))
    for place, disk in enumerate(tape.play()):
        if place % every and place != points - 1:
            continue
        for way in (("nothing",), ("everything",), ("some", place, 0), ("some", place, 1)):
            data, log = (disk.after_cut(name, *way) for name in names)
            yield data, log


def restarted(home: Path, after: Path, *, thorough: bool) -> Restart:
    """A machine with an empty disk beside the keys and files of an installation."""
    after.mkdir()
    keys = key_files.load(home / "keys")
    database = Database(
        f"sqlite:///{after / 'mingjian.db'}", keys=keys, store=Store(home / "files")
    )
    return Restart(after, keys, database, thorough)


def held(tape: Tape, there: dict[str, Any]) -> None:
    """Everything acknowledged so far is there, word for word."""
    for key, told in tape.acknowledged.items():
        if there.get(key) != told:
            raise Lost(f"{len(tape.acknowledged.keys() - there.keys())} acknowledged operations")


def _hold(tape: Tape, count: int) -> tuple[int, dict[str, int]]:
    """Every state of the run is whole. Returns how many, and of what."""
    restart, tried = restarted(tape.home, tape.home / "after", thorough=True), 0
    data = log = bytearray()
    for data, log in _states(tape, count):
        held(tape, restart.look(data, log))
        tried += 1
    final = {op: told for op, told in restart.look(data, log).items() if told}
    assert final.keys() == tape.acknowledged.keys(), "more is stored than was acknowledged"
    kinds = [told for told in final.values() if told.get("code")]
    assert kinds and all(told["status"] == "accepted" for told in final.values())
    return tried, {
        "points": tape.points(),
        "receipts": len(final),
        "seals": len(kinds),
        "contents": len(restart.seen),
    }


def _faults(tape: Tape, count: int) -> tuple[int, int]:
    """How many of the states of a run lack something acknowledged, and how many are corrupt."""
    restart, lost, broken = restarted(tape.home, tape.home / "after", thorough=False), 0, 0
    for data, log in _states(tape, count):
        try:
            held(tape, restart.look(data, log))
        except Lost:
            lost += 1
        except Broken:
            broken += 1
    return lost, broken

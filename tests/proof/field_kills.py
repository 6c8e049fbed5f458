"""Proof that a server killed in the middle of pushes and seals loses and doubles nothing.

Tablets go on pushing over loopback while the server's processes are killed with SIGKILL, mostly those
that serve, now and then all of them; a tablet that gets no answer sends again. kill -9 leaves the
machine's page cache alone: what a power cut does is tried in `power`.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select, text

from app.field.models import FieldOp
from tests.domain.draw.pools import number
from tests.proof.field import Line, Town, drain, free_port, hold, killed, push, started, town
from tests.proof.sealing import seals, work

TABLETS = 16  # at once; half of them where the count is small
WHOLE = 40  # every so many kills the whole server goes, not only the processes that serve
CONTROLLED = 100  # from so many kills on, a broken server is tried too
LONGEST = 400  # milliseconds between two kills, drawn from the number of the kill


class Lost(AssertionError):
    """Something acknowledged is not there."""


@dataclass
class Hands:
    """What the tablets are told while they work, and what went wrong with one of them."""

    stop: threading.Event = field(default_factory=threading.Event)
    cut: int = 0  # pushes that got no answer
    wrong: list[BaseException] = field(default_factory=list)


def server_kills(count: int) -> str:
    """`count` kills while the tablets push and seal; after each, what was acknowledged is there. A
    server that acknowledges and does not keep has to be caught by the same look."""
    operations, batches, sealed, cut = _killed(count)
    said = (
        f"{operations} operations of {_tablets(count)} tablets in {batches} batches, {sealed} seals, {cut} "
        f"pushes cut off; 0 lost, 0 doubled, receipts word for word, ledger and sheets whole"
    )
    if count < CONTROLLED:
        return said
    try:
        _killed(count, broken="ack")
    except Lost:
        return said + "; a server that acknowledges without keeping is caught"
    raise AssertionError("a server that acknowledges without keeping was not caught")


def _tablets(count: int) -> int:
    return TABLETS if count >= CONTROLLED else TABLETS // 2


def _killed(count: int, broken: str = "") -> tuple[int, int, int, int]:
    hands, port, seen = Hands(), free_port(), set[str]()
    with town(_tablets(count)) as place:
        server = started(place, port, broken)
        threads = [
            threading.Thread(target=_tablet, args=(port, line, hands)) for line in place.lines
        ]
        try:
            for thread in threads:
                thread.start()
            _until_acknowledged(place, hands)
            for turn in range(count):
                time.sleep(0.1 + number("kill", turn) % LONGEST / 1000)
                if turn % WHOLE == WHOLE - 1:
                    killed(server)
                    server = started(place, port, broken)
                else:
                    _kill_serving(server)
                _all_there(place, turn, seen)
            hands.stop.set()
            for thread in threads:
                thread.join(180)
            assert hands.wrong == [], hands.wrong[:1]
            drain(port, place.lines)
        finally:
            hands.stop.set()
            killed(server)
            for thread in threads:
                thread.join(180)
        operations, batches = hold(place)
        sealed = sum(seals(line) for line in place.lines)
    assert sealed and hands.cut, (sealed, hands.cut)
    return operations, batches, sealed, hands.cut


def _tablet(port: int, line: Line, hands: Hands) -> None:
    """Work and push until told to stop; what is not answered is sent again."""
    turn = 0
    try:
        while not hands.stop.is_set():
            work(line, turn)
            turn += 1
            while line.tablet.outbox and not hands.stop.is_set():
                try:
                    status = push(port, line, "ok")
                except (OSError, http.client.HTTPException):
                    hands.cut += 1
                    time.sleep(0.05)
                    continue
                assert status == 200, status
    except BaseException as error:
        hands.wrong.append(error)


def _until_acknowledged(place: Town, hands: Hands) -> None:
    """The first receipts are out: from here on a kill can lose something."""
    for _ in range(600):
        assert hands.wrong == [], hands.wrong[:1]
        if sum(len(line.first) for line in place.lines):
            return
        time.sleep(0.1)
    raise AssertionError("no tablet was answered")


def _kill_serving(server: subprocess.Popen[bytes]) -> None:
    """SIGKILL to every process that serves; the one that started them starts others."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGKILL)


def _all_there(place: Town, turn: int, seen: set[str]) -> None:
    """Every receipt given since the last look is stored, word for word; the file is whole."""
    told = {
        key: receipt
        for line in place.lines
        for key, receipt in dict(line.first).items()
        if key not in seen
    }
    stored: dict[str, str] = {}
    with place.database.read() as session:
        for start in range(0, len(told), 500):
            part = list(told)[start : start + 500]
            rows = select(FieldOp.id, FieldOp.receipt).where(FieldOp.id.in_(part))
            stored |= dict(session.execute(rows).all())
        if turn % 10 == 0:
            assert session.scalar(text("PRAGMA integrity_check")) == "ok", turn
    lost = [key for key, said in told.items() if json.loads(stored.get(key, "null")) != said]
    if lost:
        raise Lost(f"kill {turn}: {len(lost)} acknowledged operations, {lost[:3]}")
    seen |= told.keys()

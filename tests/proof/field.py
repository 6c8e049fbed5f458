"""Proofs about the field protocol, over real HTTP on loopback: lines that break on either way, and a
whole round of tablets that come back at the same moment.

Tablets keep what docs/sync-protocol.md says; nothing of the server is shared with them but the hash of
an operation. A server that is broken on purpose has to be caught by the same check.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select, text

from app import clock
from app.accounts import operations as accounts
from app.accounts.models import Account
from app.accounts.viewer import Viewer
from app.db import Database
from app.domain.scoring.sheets import sheet_items
from app.draw.models import Seat
from app.field.invariants import INVARIANTS
from app.field.models import FieldBatch, FieldOp
from app.ledger import prove
from app.ledger.append import append
from app.panel.declarations import CONFLICTS, words_digest
from app.panel.models import Attendance, Declaration, Sitting
from app.panel.operations import open_sitting
from app.programme.instruments import instrument_for
from app.scoring.models import Sheet
from tests.attacks import world as steps
from tests.domain.draw.pools import number
from tests.field.virtual import VirtualTablet, bound
from tests.places import new_installation

ROOT = Path(__file__).parents[2]
THREADS = 8
WAYS = ("ok", "no request", "half a request", "no reply")
Json = dict[str, Any]


@dataclass
class Line:
    """One tablet with its session, and what it should end up with."""

    tablet: VirtualTablet
    viewer: Viewer
    key: str
    paths: list[str]  # fields of its form
    cookie: str
    csrf: str
    form: Json = field(default_factory=dict)  # compiled for its county
    words: dict[str, str] = field(default_factory=dict)
    first: dict[str, Json] = field(default_factory=dict)  # receipts as they were first given


@dataclass
class Town:
    """An installation with many tablets, each on a sheet of its own."""

    database: Database
    lines: list[Line]
    env: dict[str, str]


@contextmanager
def town(tablets: int) -> Iterator[Town]:
    """Experts on three counties of one panel, signed in and ready, a tablet for each sheet."""
    with tempfile.TemporaryDirectory(prefix="mingjian-field-") as place:
        home = Path(place)
        database = new_installation(home)
        with database.write() as session:
            lines = _people(session, tablets, database.info["keys"].cookie)
        env = {
            **os.environ, "MINGJIAN_HOME": place, "DATABASE_URL": database.url,
            "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        try:
            yield Town(database, lines, env)
        finally:
            database.dispose()


def _people(session: Any, tablets: int, secret: bytes) -> list[Line]:
    world = steps.build(session)
    now, experts, seats = clock.now(), list(world.desk.experts), list(world.desk.seats)
    for extra in range(len(seats), -(-tablets // len(world.desk.sittings))):
        row, viewer = steps.expert(session, 100 + extra)
        seat = Seat(
            draw_id=world.desk.draw_id, panel="P1", number=extra + 1, expert_id=row.id,
            ticket="0" * 64, state="confirmed", changed_at=now,
        )  # fmt: skip
        session.add(seat)
        session.flush()
        experts.append(viewer)
        seats.append(seat.id)
    for seat_id, viewer in zip(seats, experts, strict=True):
        for kind, answers in (("conflict", dict.fromkeys(CONFLICTS, False)), ("secrecy", {})):
            session.add(
                Declaration(
                    panel_id=world.desk.id, seat_id=seat_id, kind=kind, answers=answers,
                    text_digest=words_digest(kind), signed_name=viewer.name, signed_at=now,
                )
            )  # fmt: skip
        for sitting_id in world.desk.sittings:
            session.add(Attendance(sitting_id=sitting_id, seat_id=seat_id, signed_in_at=now))
    append(session, None, "test.ready")
    cookies, lines = _cookies(secret), []
    for sitting_id in world.desk.sittings:
        sitting = session.get_one(Sitting, sitting_id)
        open_sitting(session, world.people["office"], sitting=sitting)
        sitting.phase, sitting.scoring_opened_at = "scoring", now
        append(session, None, "test.scoring")
        _, form = instrument_for(session, sitting.panel.round, sitting.subject, "desk")
        paths = [f"{i['id']}.reason" for i in sheet_items(form) if i["applies"]][:6]
        for viewer in experts:
            if len(lines) == tablets:
                break
            account = session.get_one(Account, viewer.id)
            token = accounts.open_sign_in(
                session, account, agent="proof", address="127.0.0.1", hours=9
            )
            tablet = VirtualTablet(bound(session, viewer).id, form["digest"])
            lines.append(Line(tablet, viewer, sitting_id, paths, *cookies(token), form=form))
    return lines


def _cookies(secret: bytes) -> Any:
    """A session's cookie and its CSRF token, as the application makes them."""
    made = Flask("cookies")
    made.secret_key = secret
    signer = SecureCookieSessionInterface().get_signing_serializer(made)
    assert signer is not None
    csrf = URLSafeTimedSerializer(secret, salt="wtf-csrf-token").dumps("a" * 40)

    def cookie(token: str) -> tuple[str, str]:
        body = {"_user_id": token, "_fresh": True, "csrf_token": "a" * 40}
        return f"mingjian={signer.dumps(body)}", str(csrf)

    return cookie


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(place: Town, port: int, broken: str = "") -> subprocess.Popen[bytes]:
    """The application behind gunicorn, as soon as it answers; in a process group of its own."""
    command = [
        sys.executable, "-m", "gunicorn", "tests.proof.field_server:application", "-w", "2",
        "--threads", str(THREADS), "-b", f"127.0.0.1:{port}", "--keep-alive", "75",
        "--preload", "--backlog", "2048", "--timeout", "120", "--log-level", "critical",
    ]  # fmt: skip
    env = {**place.env, "MINGJIAN_PROOF_BREAK": broken}
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL, start_new_session=True
    )
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return process
        assert process.poll() is None, "the server ended by itself"
        time.sleep(0.1)
    killed(process)
    raise AssertionError("the server does not answer")


def killed(server: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the server and all its processes. Returns when the last of them is gone: until
    then its socket still takes connections, which the next server on that port never sees."""
    for _ in range(600):
        try:
            os.killpg(server.pid, signal.SIGKILL)
        except ProcessLookupError:
            server.wait(30)
            return
        server.poll()  # a process that has ended is in the group until it is waited for
        time.sleep(0.05)
    raise AssertionError("a killed server does not end")


@contextmanager
def served(place: Town, broken: str = "") -> Iterator[int]:
    """The application behind gunicorn on a free port of loopback."""
    port = free_port()
    process = started(place, port, broken)
    try:
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def push(port: int, line: Line, way: str, most: int = 200) -> int | None:
    """One upload over a line that breaks in one of WAYS; the status when an answer came."""
    body = json.dumps({"v": 1, "tablet": line.tablet.id, "ops": line.tablet.batch(most)}).encode()
    head = (
        f"POST /field/api/push HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {line.cookie}\r\n"
        f"X-CSRFToken: {line.csrf}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()
    if way == "no request":
        return None
    with socket.create_connection(("127.0.0.1", port), 120) as wire:
        if way == "half a request":
            wire.sendall(head + body[: len(body) // 2])
            return None
        wire.sendall(head + body)
        if way == "no reply":
            return None
        answer = http.client.HTTPResponse(wire)
        answer.begin()
        said = answer.read()
    if answer.status == 200:
        told = json.loads(said)
        for receipt in told["receipts"]:
            plain = {k: v for k, v in receipt.items() if k != "replayed"}
            line.first.setdefault(receipt["id"], plain)
        line.tablet.take(told)
    return answer.status


def tap(line: Line, turn: int) -> None:
    """One to three changes on a tablet."""
    for step in range(1 + number("taps", line.tablet.id, turn) % 3):
        path = line.paths[number("path", line.tablet.id, turn, step) % len(line.paths)]
        line.words[path] = f"第{turn}次{step}"
        line.tablet.put(line.key, path, line.words[path], base=0)


def _share(port: int, lines: list[Line], count: int, seen: list[int]) -> None:
    for turn in range(count):
        line = lines[turn % len(lines)]
        tap(line, turn)
        way = WAYS[number("way", line.tablet.id, turn) % len(WAYS)]
        with suppress(OSError, http.client.HTTPException):
            status = push(port, line, way, 1 + number("most", turn) % 20)
            if status is not None:
                seen.append(status)


def drain(port: int, lines: list[Line]) -> None:
    """The line is good again: every outbox runs empty, or it never will."""
    for line in lines:
        for _ in range(50):
            if not line.tablet.outbox:
                break
            push(port, line, "ok")


def hold(place: Town) -> tuple[int, int]:
    """Every operation of every tablet is stored once, its first receipt word for word, under one
    leaf; every sheet says the tablet's last words. Returns (operations, batches)."""
    database = place.database
    with database.read() as session:
        stored = session.execute(
            select(FieldOp.id, FieldOp.hash, FieldOp.leaf, FieldOp.receipt)
        ).all()
        batches = dict(session.execute(select(FieldBatch.leaf, FieldBatch.count)).all())
        revisions = session.scalars(select(Sheet).order_by(Sheet.revision))
        sheets = {(s.sitting_id, s.seat_id): s.entries for s in revisions}  # the newest counts
        owner = {
            row[0]: row[1]
            for row in session.execute(
                text(
                    "SELECT a.id, s.id FROM seat s JOIN expert e ON e.id = s.expert_id "
                    "JOIN account a ON a.person_id = e.person_id"
                )
            )
        }
        report = prove.verify(session, None)
        assert report.faults == [], report.faults[:2]
        for name, check in INVARIANTS:
            assert check(session) == [], name
    sent = {
        op["id"]: op["hash"] for line in place.lines for op in line.tablet.logs.get(line.key, [])
    }
    assert len(stored) == len({row.id for row in stored}) == len(sent), (
        f"{len(sent)} operations, {len(stored)} stored"
    )
    assert {row.id: row.hash for row in stored} == sent, "another operation is stored"
    told = {key: r for line in place.lines for key, r in line.first.items()}
    assert told.keys() == sent.keys(), "an operation without a receipt"
    for row in stored:
        assert json.loads(row.receipt) == told[row.id], "a receipt that is not the first one"
    per_leaf: dict[int, int] = {}
    for row in stored:
        per_leaf[row.leaf] = per_leaf.get(row.leaf, 0) + 1
    assert per_leaf == batches, "an operation without its one leaf"
    for line in place.lines:
        entries = sheets.get((line.key, owner[line.viewer.id]), {})
        for path, word in line.words.items():
            assert entries[path.partition(".")[0]]["reason"] == word, "a lost word"
    return len(stored), len(batches)


def _flapped(place: Town, count: int, broken: str = "") -> tuple[int, int]:
    seen: list[int] = []
    with served(place, broken) as port:
        shares = [place.lines[n::THREADS] for n in range(THREADS)]
        workers = [
            threading.Thread(target=_share, args=(port, lines, -(-count // THREADS), seen))
            for lines in shares
            if lines
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        drain(port, place.lines)
    assert broken or set(seen) <= {200}, sorted(set(seen))
    return hold(place)


def flaps(count: int) -> str:
    """`count` uploads over lines that break half of the time, before, in or after the request."""
    with town(min(200, max(16, count // 20))) as place:
        ops, batches = _flapped(place, count)
        tablets = len(place.lines)
    caught = []
    variants = ("ack", "ids") if count >= 1_000 else ("ack",)
    for broken in variants:
        with town(16) as place:
            try:
                _flapped(place, 64, broken)
            except AssertionError as error:
                caught.append(str(error).partition("\n")[0])
    assert len(caught) == len(variants), "a broken server was not caught"
    return (
        f"{tablets} tablets, {ops} operations in {batches} batches, 0 lost, 0 doubled; "
        f"{len(caught)} servers broken on purpose caught"
    )


def at_once(count: int) -> str:
    """`count` tablets that push twenty operations each at the same moment."""
    with town(count) as place:
        for line in place.lines:
            for turn in range(20):
                path = line.paths[turn % len(line.paths)]
                line.words[path] = f"第{turn}项"
                line.tablet.put(line.key, path, line.words[path])
        bare = _bare_commits(place.database)
        spent, bad = [], []
        gate = threading.Barrier(len(place.lines))

        def go(line: Line, port: int) -> None:
            gate.wait()
            began = time.perf_counter()
            try:
                status: Any = push(port, line, "ok")
            except (OSError, http.client.HTTPException) as error:
                status = error
            spent.append((time.perf_counter() - began) * 1000)
            if status != 200:
                bad.append(status)

        with served(place) as port:
            workers = [threading.Thread(target=go, args=(line, port)) for line in place.lines]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        assert bad == [], bad[:3]
        assert all(not line.tablet.outbox for line in place.lines)
        ops, _ = hold(place)
    spent.sort()
    return (
        f"{count} tablets, {ops} operations, 0 errors; p50 {statistics.median(spent):,.0f} ms, "
        f"p99 {spent[int(len(spent) * 0.99) - 1]:,.0f} ms, beside p99 {bare:.1f} ms of a bare commit"
    )


def _bare_commits(database: Database) -> float:
    """The 99th percentile of a one-row commit on the same file, in milliseconds."""
    with database.engine.connect().execution_options(write=True) as connection:
        with connection.begin():
            connection.execute(text("CREATE TABLE bare (id integer PRIMARY KEY, n integer)"))
            connection.execute(text("INSERT INTO bare VALUES (1, 0)"))
        spent = []
        for _ in range(200):
            began = time.perf_counter()
            with connection.begin():
                connection.execute(text("UPDATE bare SET n = n + 1"))
            spent.append((time.perf_counter() - began) * 1000)
    return sorted(spent)[197]

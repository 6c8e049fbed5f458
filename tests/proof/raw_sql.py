"""Ways to a second result for somebody who writes to the database itself.

Each takes a connection with every check of the application out of the way, in the words of SQLite or
of PostgreSQL. The database refuses, or `ledger verify --head` and `doctor` have to find it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from app.db import new_id
from app.domain.ledger.merkle import leaf_hash, push, root_of_edge
from app.draw import operations_ceremony
from app.draw.models import Draw
from app.ledger.append import append
from tests.proof.bot import Pick, one_of
from tests.proof.databases import Hand
from tests.proof.installation import Installation

APPEND_ONLY = ("ledger_event", "ledger_secret", "ledger_checkpoint")


def copied(raw: Hand, table: str, key: str, **changed: Any) -> None:
    """A second row like row `key`, with some columns changed."""
    columns = raw.columns(table)
    row = raw.execute(f'SELECT * FROM "{table}" WHERE id = ?', (key,)).fetchone()
    values = {**dict(zip(columns, row, strict=True)), **changed}
    named = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" for _ in columns)
    raw.execute(f'INSERT INTO "{table}" ({named}) VALUES ({marks})', [values[c] for c in columns])


def _first(raw: Hand, query: str, *values: Any) -> Any:
    return raw.execute(query, values).fetchone()[0]


def _draw(raw: Hand) -> str:
    return str(_first(raw, "SELECT id FROM draw ORDER BY created_at LIMIT 1"))


def _any(raw: Hand, pick: Pick, table: str) -> str:
    return str(
        one_of(pick, table, (k for (k,) in raw.execute(f"SELECT id FROM {table} ORDER BY id")))
    )


def seat(raw: Hand, pick: Pick) -> None:
    """A seat given to somebody else, renumbered, moved or deleted."""
    key = _any(raw, pick, "seat")
    expert = _any(raw, pick, "expert")
    held = _first(raw, "SELECT expert_id FROM seat WHERE id = ?", key)
    if expert == held:
        expert = _first(raw, "SELECT id FROM expert WHERE id <> ? ORDER BY id LIMIT 1", held)
    query, values = one_of(
        pick,
        "seat way",
        (
            ("UPDATE seat SET expert_id = ? WHERE id = ?", (expert, key)),
            ("UPDATE seat SET ticket = ? WHERE id = ?", ("0" * 64, key)),
            ("UPDATE seat SET number = number + 20 WHERE id = ?", (key,)),
            ("UPDATE seat SET panel = 'P2' WHERE id = ?", (key,)),
            ("DELETE FROM seat WHERE id = ?", (key,)),
            ("UPDATE seat SET number = 1 WHERE id = ?", (key,)),
        ),
    )
    if query.endswith("number = 1 WHERE id = ?"):
        values = (_first(raw, "SELECT id FROM seat WHERE number = 2"),)
    raw.execute(query, values)


def more_seats(raw: Hand, pick: Pick) -> None:
    """A second holder of a seat, or one seat more."""
    key = _any(raw, pick, "seat")
    more = one_of(pick, "more", ({}, {"act": 2}, {"number": 50}, {"panel": "P2"}))
    copied(raw, "seat", key, id=f"{pick('id', 2**60):016x}", **more)


def second_draw(raw: Hand, pick: Pick) -> None:
    """A second completed draw, with the unique indexes in place or dropped, and seats for it."""
    key, new = _draw(raw), f"{pick('id', 2**60):016x}"
    for index in ("ix_draw_one_completed", "ix_draw_one_open") if pick("drop", 2) else ():
        raw.execute(f"DROP INDEX {index}")
    changed: dict[str, Any] = {"id": new}
    if pick("attempt", 3):
        changed["attempt"] = 2
    if pick("purpose", 2):
        changed["purpose_key"] = f"{pick('key', 2**60):064x}"
    copied(raw, "draw", key, **changed)
    for (seat_id,) in raw.execute("SELECT id FROM seat WHERE draw_id = ?", (key,)).fetchall():
        copied(raw, "seat", seat_id, id=f"{pick(seat_id, 2**60):016x}", draw_id=new)


def draw_row(raw: Hand, pick: Pick) -> None:
    """The draw rewound, renamed, or given another key, result or commitment."""
    request = json.loads(_first(raw, "SELECT request FROM draw WHERE id = ?", _draw(raw)))
    fewer = json.dumps({**request, "subjects": request["subjects"][:1]})
    setting = one_of(
        pick,
        "draw way",
        (
            "state = 'draft', attempt = attempt + 5", "state = 'aborted'", "kind = 'drill'",
            f"purpose_key = '{pick('key', 2**60):064x}'", "attempt = 7", "stage = 'site'",
            f"commitment_hash = '{'0' * 64}'", "commitment_seq = 1", "checkpoint = 'x'",
            f"request = '{fewer}'", "snapshot = '{}'",
            f"key = '{'1' * 64}', cosigned_by = NULL", "drawn_at = '2012-01-01 00:00:00'",
        ),
    )  # fmt: skip
    raw.execute(f"UPDATE draw SET {setting} WHERE id = ?", (_draw(raw),))


def frozen(raw: Hand, pick: Pick) -> None:
    """What was frozen, typed or registered before the seed: changed behind the commitment."""
    table = one_of(pick, "frozen", ("candidate", "party", "dice", "cosignature", "draw_opening"))
    if not raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
        table = "candidate"
    key = _any(raw, pick, table)
    settings = {
        "candidate": ("facts = '{}'", "exclusions = '[]', pseudonym = 'X'", f"leaf_salt = '{'0' * 32}'",
                      "expert_id = (SELECT id FROM expert WHERE id NOT IN (SELECT expert_id FROM candidate)"
                      " UNION SELECT 'none' LIMIT 1)"),
        "party": (f"commitment = '{'2' * 64}'", '"index" = 9', "codes = '[\"x\"]'"),
        "dice": ("\"values\" = '[1, 2, 3]'", "role = 'observer'"),
        "cosignature": ("note = 'x'", "at = '2011-01-01 00:00:00'"),
        "draw_opening": (),
    }[table]  # fmt: skip
    if not settings or pick("delete", 3) == 0:
        raw.execute(f"DELETE FROM {table} WHERE id = ?", (key,))
    else:
        raw.execute(f"UPDATE {table} SET {one_of(pick, 'set', settings)} WHERE id = ?", (key,))


def register(raw: Hand, pick: Pick) -> None:
    """The round or a county renamed, so that its purpose is free again."""
    table, setting = one_of(
        pick,
        "register",
        (
            ("round", "slug = 'gone'"), ("round", "scheme_id = 'other'"), ("round", "kind = 'trial'"),
            ("round", "review_on = '2010-01-01'"), ("round", "phase = 'preparing'"),
            ("subject", "region_code = '999' || position"), ("subject", "status = 'withdrawn'"),
            ("round", "title_zh = '另一届'"),
        ),
    )  # fmt: skip
    if raw.execute(f"UPDATE {table} SET {setting}").rowcount == 0:
        raise AssertionError(table)


def ledger(raw: Hand, pick: Pick) -> None:
    """The ledger itself, with its triggers on."""
    table = one_of(pick, "table", APPEND_ONLY)
    column = {"ledger_event": "seq", "ledger_secret": "seq", "ledger_checkpoint": "size"}[table]
    verbs = (
        (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column} + 1000",
         f"TRUNCATE {table} CASCADE")
        if raw.postgres
        else (f"DELETE FROM {table}", f"UPDATE {table} SET rowid = rowid + 1000")
    )  # fmt: skip
    verb = one_of(pick, "verb", verbs)
    if not raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
        verb = "DELETE FROM ledger_event"
    raw.execute(verb)


def forged_ledger(raw: Hand, pick: Pick) -> None:
    """The ledger with its triggers dropped: an entry changed, taken away or put in, or everything
    after some entry cut off and its head computed anew. On PostgreSQL the triggers are dropped, put to
    sleep with the table's owner, or passed by as a replica passes them, foreign keys too."""
    how = one_of(pick, "triggers", ("drop", "disable", "replica")) if raw.postgres else "sqlite"
    if how == "replica":
        raw.execute("SET session_replication_role = replica")
    for table in APPEND_ONLY:
        if how == "sqlite":
            for verb in ("update", "delete"):
                raw.execute(f"DROP TRIGGER {table}_no_{verb}")
        elif how == "drop":
            raw.execute(f"DROP TRIGGER {table}_append_only ON {table}")
        elif how == "disable":
            raw.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    size = int(_first(raw, "SELECT count(*) FROM ledger_event"))
    place = 1 + pick("place", size - 2)
    match one_of(pick, "forge", ("change", "remove", "insert", "cut", "cut clean")):
        case "change":
            raw.execute("UPDATE ledger_event SET payload = payload || ' ' WHERE seq = ?", (place,))
        case "remove":
            raw.execute("DELETE FROM ledger_event WHERE seq = ?", (place,))
        case "insert":
            body = json.dumps({"v": 1, "kind": "draw.completed", "data": {}, "rows": []})
            raw.execute(
                "INSERT INTO ledger_event (seq, payload, leaf) VALUES (?, ?, ?)",
                (size, body, leaf_hash(body.encode())),
            )
        case rest:
            _cut(raw, place, clean=rest == "cut clean")


def _cut(raw: Hand, size: int, *, clean: bool) -> None:
    """Only the first `size` entries, with a head that fits; clean: no checkpoint over more, and no
    row of a draw that they do not know."""
    for table in ("ledger_secret", "ledger_event"):
        raw.execute(f"DELETE FROM {table} WHERE seq >= ?", (size,))
    edge: list[bytes] = []
    for n, (leaf,) in enumerate(raw.execute("SELECT leaf FROM ledger_event ORDER BY seq")):
        push(edge, n, leaf)
    raw.execute(
        "UPDATE ledger_head SET size = ?, edge = ?, root = ?",
        (size, b"".join(edge), root_of_edge(edge)),
    )
    if clean:
        raw.execute("DELETE FROM ledger_checkpoint WHERE size > ?", (size,))
        for table in ("seat", "dice", "cosignature", "draw_refusal"):
            raw.execute(f"DELETE FROM {table}")


def hidden_attempts(raw: Hand, pick: Pick) -> None:
    """The record of a refused attempt taken away or laid at another's door."""
    raw.execute(
        one_of(
            pick,
            "hide",
            (
                "DELETE FROM draw_refusal",
                "UPDATE draw_refusal SET reason = 'input'",
                "UPDATE draw_refusal SET actor_id = NULL",
            ),
        )
    )


def recorded(place: Installation, pick: Pick) -> None:
    """Rows changed together with an entry of the ledger that fits them, by somebody who knows its
    format but has no signing key: what the ledger says last agrees with the rows."""
    with place.database.write() as session:
        draw = session.scalars(select(Draw).order_by(Draw.created_at)).first()
        assert draw is not None
        how = one_of(pick, "recorded", ("second", "seat", "again", "again quietly", "commitment"))
        if how == "second":
            new = _twin(draw, purpose_key=f"{pick('key', 2**60):064x}")
            session.add(new)
            session.flush()
            for held in draw.seats:
                session.add(_twin(held, draw_id=new.id))
            kind = one_of(pick, "kind", ("draw.completed", "draw.requested"))
            append(
                session, None, kind, draw=new.id, draw_kind="real", key=new.key,
                commitment_hash=new.commitment_hash,
            )  # fmt: skip
        elif how == "seat":
            held = draw.seats[pick("seat", 5)]
            taken = {one.expert_id for one in draw.seats}
            held.expert_id = next(c.expert_id for c in draw.candidates if c.expert_id not in taken)
            append(session, None, "seat.confirmed", sealed=True, seat=held.id)
        elif how == "commitment":
            draw.commitment_hash = "3" * 64
            append(session, None, "draw.revised", draw=draw.id)
        else:
            redraw(session, draw, quietly=how == "again quietly")


def redraw(session: Session, draw: Draw, *, quietly: bool) -> None:
    """Other dice under the same commitment and codes; the first members are put on a dead draw."""
    grave = _twin(
        draw, state="aborted", attempt=9, key=None, result=None, commitment=None,
        commitment_hash=None, transcript_sha256=None,
    )  # fmt: skip
    session.add(grave)
    session.flush()
    for held in draw.seats:
        held.draw_id = grave.id
    for row in draw.dice:
        row.values = [7 - value for value in row.values]
    draw.state, draw.key, draw.result, draw.drawn_at = "cosigned", None, None, None
    append(session, None, "draw.revised", draw=draw.id)
    session.expire(draw, ["seats"])
    kept = operations_ceremony.append
    if quietly:
        operations_ceremony.append = lambda s, actor, _kind, **_: kept(s, actor, "draw.checkpoint")
    try:
        assert operations_ceremony.settle(session, draw)
    finally:
        operations_ceremony.append = kept


def _twin(row: Any, **changed: Any) -> Any:
    """A new row with the columns of `row`."""
    values = {a.key: getattr(row, a.key) for a in inspect(type(row)).column_attrs}
    return type(row)(**{**values, "id": new_id(), **changed})


# Way -> (grounds, weight)
WAYS: Mapping[str, tuple[Any, tuple[str, ...], int]] = {
    "recorded": (recorded, ("completed",), 3),
    "seat": (seat, ("completed",), 3),
    "more seats": (more_seats, ("completed",), 2),
    "second draw": (second_draw, ("completed",), 3),
    "draw row": (draw_row, ("committed", "cosigned", "locked", "last", "completed"), 4),
    "frozen": (frozen, ("committed", "cosigned", "dice", "coded", "last", "completed"), 4),
    "register": (register, ("committed", "last", "completed"), 2),
    "ledger": (ledger, ("committed", "completed"), 2),
    "forged ledger": (forged_ledger, ("cosigned", "last", "completed"), 3),
    "hidden attempts": (hidden_attempts, ("tried",), 1),
}

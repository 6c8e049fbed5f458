"""A printed head held against the ledger: growth is consistent, a roll-back or fork is a conflict
although the whole database was re-hashed and re-signed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from app.db import Database
from app.domain.ledger.merkle import leaf_hash, push, root_of_edge, verify_consistency
from app.domain.types import DomainError, Forbidden, NotFound
from app.ledger import prove
from app.ledger.append import append
from app.ledger.models import Event, Head, SignedHead
from app.ledger.prove import TreeHead
from app.supervision import heads, operations


def grow(session: Session, count: int) -> TreeHead:
    for number in range(count):
        append(session, None, "test.entry", number=number)
    return prove.head(session)


def unlock(database: Database) -> None:
    """What somebody with the database's password does first."""
    with database.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            for table in ("ledger_event", "ledger_secret", "ledger_checkpoint"):
                for verb in ("update", "delete"):
                    connection.execute(text(f"DROP TRIGGER {table}_no_{verb}"))
        else:
            for table in ("ledger_event", "ledger_secret", "ledger_checkpoint"):
                connection.execute(text(f"DROP TRIGGER {table}_append_only ON {table}"))


def rehash(database: Database, keys: Any) -> None:
    """Every leaf, the head and a fresh signature made to fit what the entries now say."""
    with Session(database.engine) as raw, raw.begin():
        edge: list[bytes] = []
        size = 0
        for seq, payload in raw.execute(select(Event.seq, Event.payload).order_by(Event.seq)).all():
            leaf = leaf_hash(payload.encode())
            raw.execute(update(Event).where(Event.seq == seq).values(leaf=leaf))
            size = push(edge, size, leaf)
        raw.execute(update(Head).values(size=size, edge=b"".join(edge), root=root_of_edge(edge)))
        raw.execute(delete(SignedHead))
    with database.write() as session:
        prove.sign_head(session, keys, "forged")


@pytest.fixture
def supervisor(session: Session, make: Any) -> Any:
    return make.viewer(session, "supervisor")


def only(session: Session, viewer: Any, head: TreeHead) -> heads.Comparison:
    (answer,) = heads.compare(session, viewer, [head])
    return answer


def test_growth_is_consistent_with_a_proof_that_holds(session, supervisor, keys):
    papers = [grow(session, n) for n in (1, 2, 4, 7)]
    now = grow(session, 5)
    for paper in papers:
        answer = only(session, supervisor, paper)
        assert answer.ok and answer.expected == paper.root
        assert verify_consistency(paper.size, now.size, paper.root, now.root, answer.proof)
        document = heads.proof_document(answer, keys)
        assert document["verdict"] == "consistent" and heads.check_document(document)
        broken = json.loads(json.dumps(document))
        broken["consistency_proof"][0] = "00" * 32
        assert not heads.check_document(broken)
    assert only(session, supervisor, now).proof == ()
    assert only(session, supervisor, TreeHead(0, root_of_edge([]))).ok


def test_a_truncated_and_re_signed_ledger_conflicts(database, make, keys):
    with database.write() as session:
        viewer = make.viewer(session, "supervisor")
        early = grow(session, 3)
        paper = grow(session, 6)
    unlock(database)
    with Session(database.engine) as raw, raw.begin():
        raw.execute(delete(Event).where(Event.seq >= early.size))
    rehash(database, keys)
    with database.read() as session:
        assert prove.verify(session, keys).head == early  # by itself it looks whole
        answer = only(session, viewer, paper)
        assert (answer.verdict, answer.expected, answer.now) == ("rolled_back", None, early)
        document = heads.proof_document(answer, keys)
        assert heads.check_document(document)
        assert document["expected_root_at_printed_size"] is None
        assert only(session, viewer, early).ok


def test_an_edited_and_re_signed_event_conflicts_from_there_on(database, make, keys):
    with database.write() as session:
        viewer = make.viewer(session, "supervisor")
        before = grow(session, 2)
        paper = grow(session, 6)
    unlock(database)
    with Session(database.engine) as raw, raw.begin():
        row = raw.get_one(Event, before.size + 1)
        row.payload = row.payload.replace('"number":1', '"number":9')
    rehash(database, keys)
    with database.read() as session:
        answer = only(session, viewer, paper)
        assert answer.verdict == "forked" and answer.expected not in (None, paper.root)
        document = heads.proof_document(answer, keys)
        assert heads.check_document(document)
        assert document["expected_root_at_printed_size"] == answer.expected.hex()
        assert only(session, viewer, before).ok  # a paper older than the edit cannot show it


def test_a_stored_leaf_hash_is_not_believed(database, make, keys):
    """Only the payload is edited: the cached head still fits the paper, the entries do not."""
    with database.write() as session:
        viewer = make.viewer(session, "supervisor")
        paper = grow(session, 5)
    unlock(database)
    with Session(database.engine) as raw, raw.begin():
        row = raw.get_one(Event, paper.size - 1)
        row.payload = row.payload.replace('"number":4', '"number":8')
    with database.read() as session:
        assert prove.head(session) == paper
        assert only(session, viewer, paper).verdict == "forked"
        assert not heads.inclusion_document(session, viewer, paper.size - 1, keys)["holds"]


def test_the_list_is_compared_anew(database, make, keys):
    with database.write() as session:
        viewer = make.viewer(session, "supervisor")
        paper = grow(session, 4)
        operations.keep_head(session, viewer, paper, "测试抽取表")
        operations.keep_head(session, viewer, paper, "again")  # the same head once
    with database.read() as session:
        (kept,) = heads.kept(session, viewer)
        assert kept.answer.ok and kept.row.source == "测试抽取表"
    unlock(database)
    with Session(database.engine) as raw, raw.begin():
        row = raw.get_one(Event, paper.size - 1)
        row.payload = row.payload.replace('"number":3', '"number":7')
    rehash(database, keys)
    with database.read() as session:
        (kept,) = heads.kept(session, viewer)
        assert kept.answer.verdict == "forked"


@pytest.mark.parametrize(
    "typed",
    ["mj1:5", "mj1:x:00", "mj2:5:" + "0" * 64, "mj1:-1:" + "0" * 64, "mj1:99999999999:" + "0" * 64],
)
def test_a_head_that_is_none_is_refused(typed):
    with pytest.raises(DomainError):
        heads.parse(typed)


def test_full_width_digits_blanks_and_parts_are_read():
    root = "ab" * 32
    whole = TreeHead(12, bytes.fromhex(root))
    assert heads.parse("mj1：１２：".replace("：", ":") + root) == whole
    assert heads.parse("", "１２", " ".join([root[:16], root[16:40], root[40:]])) == whole


def test_inclusion_proof_of_every_entry_and_of_none(session, supervisor, keys):
    now = grow(session, 6)
    for seq in range(now.size):
        proof = heads.inclusion_document(session, supervisor, seq, keys)
        assert proof["holds"] and proof["head"] == str(now)
    for absent in (now.size, -1, 2**60):
        with pytest.raises(NotFound):
            heads.inclusion_document(session, supervisor, absent, keys)


def test_nobody_else_compares(session, make):
    office = make.viewer(session, "office")
    with pytest.raises(Forbidden):
        heads.compare(session, office, [prove.head(session)])
    with pytest.raises(Forbidden):
        operations.keep_head(session, office, prove.head(session), "x")


def test_comparing_writes_nothing_and_takes_two_queries(session, supervisor):
    from sqlalchemy import event

    papers = [grow(session, 1) for _ in range(20)]
    size = session.scalar(select(func.count()).select_from(Event))
    seen: list[str] = []
    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    heads.compare(session, supervisor, papers)
    assert len(seen) == 2
    assert session.scalar(select(func.count()).select_from(Event)) == size

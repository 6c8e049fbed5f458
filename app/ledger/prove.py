"""Reading the ledger and proving what it says: heads, proofs, and the full check."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import JSON, String, func, inspect, select, type_coerce
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, lazyload
from sqlalchemy.types import NullType

from app import clock
from app.db import Base, new_id
from app.domain.ledger import checkpoint as notes
from app.domain.ledger.canonical import canonical
from app.domain.ledger.checkpoint import Checkpoint
from app.domain.ledger.merkle import inclusion_proof, leaf_hash, push, root_of_edge
from app.domain.types import DomainError, Text
from app.keys import ORIGIN, Keys, verify_signature
from app.ledger.models import Event, Head, Record, Secret, SignedHead

Hash = TypeVar("Hash", bytes, str)


@dataclass(frozen=True, slots=True)
class TreeHead:
    """Size and root, as they are printed: `mj1:SIZE:ROOT`."""

    size: int
    root: bytes

    def __str__(self) -> str:
        return f"mj1:{self.size}:{self.root.hex()}"

    @classmethod
    def parse(cls, text: str) -> TreeHead:
        """From a printed head, from a signed checkpoint, or from both as `checkpoint` prints them."""
        text = text.strip()
        if "\n" in text:
            note_text, _, printed = text.rpartition("\nmj1:")
            note = notes.parse((note_text or text) + "\n")
            of_note = cls(note.size, note.root)
            if note_text and cls.parse("mj1:" + printed) != of_note:
                raise DomainError(_BAD_HEAD)
            return of_note
        parts = text.split(":")
        try:
            mark, size, root = parts
            head = cls(int(size), bytes.fromhex(root))
        except ValueError as error:
            raise DomainError(_BAD_HEAD) from error
        if mark != "mj1" or len(head.root) != 32:
            raise DomainError(_BAD_HEAD)
        return head


_BAD_HEAD = Text(
    "账本头应形如 mj1:条数:64位十六进制。请照纸面重新输入。",
    "A head looks like mj1:SIZE:64 hex digits. Type it again from the paper.",
)


@dataclass
class Report:
    """Outcome of a full check: what was looked at, and every fault in the order found."""

    events: int = 0
    rows: int = 0
    checkpoints: int = 0
    head: TreeHead | None = None
    edge: tuple[bytes, ...] = ()  # the tree's right edge: from here a later check may go on
    faults: list[Text] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.faults


def head(session: Session) -> TreeHead:
    """The present head; of an empty ledger too."""
    row = session.get(Head, 1)
    return TreeHead(row.size, row.root) if row else TreeHead(0, root_of_edge([]))


def sign_head(session: Session, keys: Keys, reason: str) -> Checkpoint:
    """Sign the present head and keep the note."""
    now = head(session)
    note = Checkpoint(ORIGIN, now.size, now.root)
    note = note.signed(keys.name, keys.public, keys.sign(note.body))
    session.add(
        SignedHead(id=new_id(), size=now.size, note=str(note), made_at=clock.now(), reason=reason)
    )
    return note


def prove_inclusion(session: Session, seq: int) -> tuple[TreeHead, list[bytes]]:
    """Head and audit path of leaf `seq`."""
    leaves = list(session.scalars(select(Event.leaf).order_by(Event.seq)))
    return head(session), inclusion_proof(leaves, seq)


def bodies(session: Session) -> Iterator[tuple[int, dict[str, object]]]:
    """Every event's body in order, sealed ones opened where the opening still exists."""
    opened: dict[int, str] = dict(session.execute(select(Secret.seq, Secret.body)).all())
    for seq, payload in session.execute(select(Event.seq, Event.payload).order_by(Event.seq)):
        yield seq, json.loads(opened.get(seq, payload))


def verify(session: Session, keys: Keys | None, printed: TreeHead | None = None) -> Report:
    """Rebuild the root, check signatures, and hold every business row against its leaf.

    `printed` is a head from paper: the ledger must contain it as a prefix.
    """
    report = Report()
    wanted = {h.size: h for h in [printed] if h}
    roots: dict[int, bytes] = {0: root_of_edge([])}
    latest: dict[tuple[str, str], tuple[str, int]] = {}
    edge: list[bytes] = []
    size = 0
    with _any_bytes(session):
        signed = [
            (row.size, row.note)
            for row in session.execute(
                select(SignedHead.size, SignedHead.note).order_by(SignedHead.size)
            )
        ]
        sizes = {size for size, _ in signed} | set(wanted)
        secrets = dict(session.execute(select(Secret.seq, Secret.body)).all())
        for entry in session.scalars(
            select(Event).order_by(Event.seq).execution_options(yield_per=2000)
        ):
            fault = _check_leaf(entry, size, secrets.get(entry.seq))
            if fault:
                report.faults.append(fault)
                break
            body = json.loads(secrets.get(entry.seq, entry.payload))
            for table, key, value in body.get("rows", ()):
                latest[table, key] = (value, entry.seq)
            size = push(edge, size, entry.leaf)
            if size in sizes:
                roots[size] = root_of_edge(edge)
        report.events = size
        report.head, report.edge = TreeHead(size, root_of_edge(edge)), tuple(edge)
        if not report.faults:
            _check_head(session, report, edge)
            _check_checkpoints(report, signed, roots, keys)
            _check_printed(report, printed, roots)
            _check_rows(session, report, latest)
    return report


@contextmanager
def _any_bytes(session: Session) -> Iterator[None]:
    """Let a text with damaged bytes be read, so that its row is named instead of a crash.

    PostgreSQL keeps such bytes out by itself. An undecodable byte becomes a lone surrogate, which
    never hashes to what was recorded.
    """
    raw = session.connection().connection.driver_connection
    if session.connection().dialect.name != "sqlite" or raw is None:
        yield
        return
    before = raw.text_factory
    raw.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        raw.text_factory = before


def _check_leaf(entry: Event, expected: int, secret: str | None) -> Text | None:
    where = {"seq": entry.seq}
    if entry.seq != expected:
        return Text(
            "账本第 {n} 条缺失（找到的是第 {seq} 条）", "Entry {n} is missing (found entry {seq})"
        ).format(n=expected, **where)
    if _hashed(leaf_hash, entry.payload) != entry.leaf:
        return Text(
            "账本第 {seq} 条内容与其叶哈希不符", "Entry {seq} does not fit its leaf hash"
        ).format(**where)
    if not _well_formed(entry.payload):
        return Text("账本第 {seq} 条不是规范格式", "Entry {seq} is not canonical").format(**where)
    body = json.loads(entry.payload)
    # An opening is believed only where the leaf vouches for it: one beside a plain entry would
    # put other row digests in the place of the recorded ones.
    if secret is not None and (
        body.get("kind") != "sealed"
        or _hashed(lambda data: hashlib.sha256(data).hexdigest(), secret) != body.get("digest")
        or not _well_formed(secret)
    ):
        return Text(
            "账本第 {seq} 条的密封内容被改动", "The sealed content of entry {seq} was changed"
        ).format(**where)
    return None


def _hashed(hashing: Callable[[bytes], Hash], stored: object) -> Hash | None:
    """Hash of a stored text; None when something else than text lies there."""
    return hashing(stored.encode("utf-8", "surrogateescape")) if isinstance(stored, str) else None


def _well_formed(payload: str) -> bool:
    """A canonical JSON object whose `rows`, if any, are triples of strings."""
    try:
        body = json.loads(payload)
        if not isinstance(body, dict) or canonical(body).decode() != payload:
            return False
    except (ValueError, TypeError, RecursionError):
        return False
    rows = body.get("rows", [])
    return isinstance(rows, list) and all(
        isinstance(row, list) and len(row) == 3 and all(isinstance(part, str) for part in row)
        for row in rows
    )


def _check_head(session: Session, report: Report, edge: list[bytes]) -> None:
    """The cached row: size, root and right edge; a text for what it should be when it differs."""
    rebuilt = report.head
    query = select(Head.size, Head.root, Head.edge)
    row = session.execute(query).one_or_none() or (0, root_of_edge([]), b"")
    if rebuilt is None or tuple(row) != (rebuilt.size, rebuilt.root, b"".join(edge)):
        size, root, _ = row
        stored = f"mj1:{size}:{root.hex() if isinstance(root, bytes) else '?'}"
        report.faults.append(
            Text(
                "账本头（含右缘）与重算结果不符：存 {a}，算 {b}",
                "The stored head differs (right edge included): {a}, rebuilt {b}",
            ).format(a=stored, b=rebuilt)
        )


def _check_checkpoints(
    report: Report, signed: list[tuple[int, str]], roots: dict[int, bytes], keys: Keys | None
) -> None:
    for size, text in signed:
        report.checkpoints += 1
        try:
            note = notes.parse(text)
        except (DomainError, AttributeError) as error:
            broken = error.text if isinstance(error, DomainError) else Text("?", "?")
            fault = Text("检查点（{n} 条）无法读取：{why}", "The checkpoint at {n}: {why_en}")
            report.faults.append(
                fault.format(n=size, why=_shown(broken.zh), why_en=_shown(broken.en))
            )
            continue
        if roots.get(note.size) != note.root or note.size != size:
            report.faults.append(
                Text(
                    "签名检查点（{n} 条）与账本不符：账本被改写或回退",
                    "The signed checkpoint at {n} does not fit: rewritten or rolled back",
                ).format(n=size)
            )
        elif keys and (str(note) != text or not _signed_by(note, keys)):
            report.faults.append(
                Text(
                    "检查点（{n} 条）没有本机密钥的有效签名",
                    "The checkpoint at {n} has no valid signature by this key",
                ).format(n=size)
            )


def _signed_by(note: Checkpoint, keys: Keys) -> bool:
    """Does the note bear a valid signature by the installation's key, under its name?"""
    try:
        body = note.body
    except UnicodeEncodeError:  # damaged bytes in the origin line
        return False
    wanted = notes.key_id(keys.name, keys.public)
    return any(
        s.name == keys.name and s.key_id == wanted and verify_signature(keys.public, body, s.value)
        for s in note.signatures
    )


def _check_printed(report: Report, printed: TreeHead | None, roots: dict[int, bytes]) -> None:
    if printed and roots.get(printed.size) != printed.root:
        report.faults.append(
            Text(
                "纸面账本头（{n} 条）与账本不符：账本被改写或回退到更早状态",
                "The printed head at {n} entries does not fit: rewritten or rolled back",
            ).format(n=printed.size)
        )


def _check_rows(
    session: Session, report: Report, latest: dict[tuple[str, str], tuple[str, int]]
) -> None:
    unseen = dict(latest)
    for mapper in sorted(Base.registry.mappers, key=lambda m: m.class_.__tablename__):
        cls = mapper.class_
        if not issubclass(cls, Record):
            continue
        table = cls.__tablename__
        for key, digest in _digests(session, cls):
            report.rows += 1
            expected = unseen.pop((table, key), None)
            if expected is None:
                text = Text("{t} {id}：行不在账本中", "{t} {id}: the row is not in the ledger")
                report.faults.append(text.format(t=table, id=_shown(key)))
            elif digest != expected[0]:
                text = Text(
                    "{t} {id}：与账本第 {seq} 条不符", "{t} {id}: differs from ledger entry {seq}"
                )
                report.faults.append(text.format(t=table, id=_shown(key), seq=expected[1]))
    for (table, key), (_, seq) in sorted(unseen.items(), key=lambda item: item[1][1]):
        report.faults.append(
            Text(
                "{t} {id}：账本第 {seq} 条记录的行已不存在",
                "{t} {id}: the row recorded in ledger entry {seq} is gone",
            ).format(t=table, id=key, seq=seq)
        )


def _shown(key: object) -> str:
    """A stored id for print, whatever bytes it holds."""
    return str(key).encode("utf-8", "backslashreplace").decode()


CHUNK = 500
# What a column type, the driver or the canonical form raise on a value that was never written.
_UNREADABLE = (SQLAlchemyError, ValueError, TypeError, ArithmeticError, LookupError)


def _digests(
    session: Session, cls: type[Record], ids: list[str] | None = None
) -> Iterator[tuple[str, str]]:
    """Id and digest of every row of a table, or of those with `ids`; "unreadable" for a row that
    cannot be read or is not there.

    Without relationships: a row is judged by its own columns, whatever it points at.
    """
    query = select(cls).options(lazyload("*"))
    ids = list(session.scalars(select(cls.id))) if ids is None else ids
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        try:
            found = {row.id: row for row in session.scalars(query.where(cls.id.in_(part)))}
            odd = _oddly_stored(session, cls, found)
            digests = [(key, found[key].ledger_digest()) for key in part]
            yield from [(key, "unreadable" if key in odd else value) for key, value in digests]
        except _UNREADABLE:
            for key in part:
                yield key, _digest_alone(session, cls, key)


def _oddly_stored(session: Session, cls: type[Record], rows: dict[str, Any]) -> set[str]:
    """Ids of rows with a cell that reads as recorded but is not what this program stores for it.

    SQLite keeps any value in any column: a Boolean 'x' reads as true and is found by no query
    for true. JSON is left out, since no query compares it.
    """
    dialect = session.connection().dialect
    columns = [
        (name, column, column.type.dialect_impl(dialect).bind_processor(dialect))
        for name, column in ((a.key, a.columns[0]) for a in inspect(cls).column_attrs)
        if not isinstance(column.type, (String, JSON))
    ]
    if dialect.name != "sqlite" or not columns:
        return set()
    raw = select(cls.id, *(type_coerce(column, NullType()) for _, column, _ in columns))
    odd = set()
    for key, *cells in session.execute(raw.where(cls.id.in_(list(rows)))):
        for (name, _, process), cell in zip(columns, cells, strict=True):
            value = getattr(rows[key], name)
            wanted = process(value) if process else value
            if type(cell) is not type(wanted) and not isinstance(wanted, bool) or cell != wanted:
                odd.add(key)
    return odd


def _digest_alone(session: Session, cls: type[Record], key: str) -> str:
    try:
        row = session.scalars(select(cls).options(lazyload("*")).where(cls.id == key)).one()
        return "unreadable" if _oddly_stored(session, cls, {key: row}) else row.ledger_digest()
    except _UNREADABLE:
        return "unreadable"


def count(session: Session) -> int:
    """Number of entries."""
    return session.scalar(select(func.count()).select_from(Event)) or 0

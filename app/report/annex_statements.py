"""The annex of statements: the receipt code of each record and the SHA-256 of each recording, so that
whoever holds the paper can tell that neither was changed (S0 art. 16(3))."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import select

from app.domain.types import Text
from app.panel.models_statement import Recording
from app.report.blocks import NOTHING, Block, facts, heading, local, note, paragraph
from app.report.source import Source

_NONE = Text("本次评审没有现场陈述。", "This review had no on-site statement.")
_NO_SOUND = Text("没有录音，只有文字记录", "no recording, the written record alone")
_RECEIPT = Text("{code}（账本第 {seq} 条）", "{code} (ledger entry {seq})")
_HOW = Text(
    "回执码取自记录结束时的账本条目，条目中列有当时全部录音的 SHA-256；连同打印的账本头，可核对记录和录音未被改动。",
    "A receipt code is taken from the ledger entry of the statement's closing, which lists the SHA-256 of "
    "every recording there was then; with a printed head of the ledger it shows that record and recordings "
    "are unchanged.",
)


def statements(s: Source) -> list[Block]:
    """Of each statement, in the order of the sittings: its times, receipt and recordings."""
    sound: dict[str, list[Recording]] = defaultdict(list)
    for row in s.session.scalars(
        select(Recording)
        .where(Recording.statement_id.in_([found.id for found in s.statements.values()]))
        .order_by(Recording.arrived_at, Recording.id)
    ):
        sound[row.statement_id].append(row)
    made: list[Block] = []
    for sitting in s.sittings:
        found = s.statements.get(sitting.id)
        if found is None:
            continue
        receipt = (
            _RECEIPT.format(code=found.receipt, seq=found.receipt_seq) if found.receipt else NOTHING
        )
        rows: list[tuple[Any, Any]] = [
            (Text("陈述开始", "Began"), local(found.opened_at, s.zone)),
            (Text("陈述结束", "Ended"), local(found.closed_at, s.zone)),
            (Text("记录回执码", "Receipt of the record"), receipt),
        ]
        heard = sound[found.id]
        rows += [
            (Text("录音 {n} SHA-256", "Recording {n}, SHA-256").format(n=n), {"hash": row.sha256})
            for n, row in enumerate(heard, 1)
        ] or [(Text("录音", "Recording"), _NO_SOUND)]
        made += [heading(sitting.subject.name), facts(rows)]
    return [*made, note(_HOW)] if made else [paragraph(_NONE)]

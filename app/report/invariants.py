"""What must always hold for reports: a final paper is there, unchanged, and signed by all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import __version__
from app.domain.ledger import checkpoint
from app.domain.types import DomainError, Text
from app.ledger import prove
from app.ledger.models import SignedHead
from app.report import papers, queries
from app.report.models import Report


def _closed(session: Session, *states: str) -> Iterator[Report]:
    yield from session.scalars(
        select(Report).where(Report.state.in_(states), Report.pdf_sha256.is_not(None))
    )


def _of(report: Report, zh: str, en: str) -> Text:
    head = Text("{r} 第 {n} 号报告：", "{r}, report {n}: ")
    head = head.format(r=report.round.slug, n=report.number)
    return Text(head.zh + zh, head.en + en)


def papers_are_kept(session: Session) -> list[Text]:
    """The paper of every report that was ever final lies in the store with its digest."""
    store, faults = session.info["store"], []
    rows = list(_closed(session, "final", "replaced"))
    damaged = {d.sha256 for d in store.verify([r.pdf_sha256 for r in rows])}
    for report in rows:
        if report.pdf_sha256 in damaged:
            faults.append(_of(report, "文件缺失或被改动", "the paper is missing or was changed"))
    return faults


def papers_render_again(session: Session) -> list[Text]:
    """A report in force still gives, from its rows, the very bytes that were kept.

    Only a paper made by this version: another one may lay its pages out otherwise. The kept bytes
    are the official ones, and the ledger has their digest.
    """
    import hashlib

    faults = []
    for report in _closed(session, "final"):
        if report.made_with != __version__:
            continue
        try:
            now = hashlib.sha256(papers.report_pdf(session, report, "zh")).hexdigest()
        except DomainError as error:
            faults.append(_of(report, error.text.zh, error.text.en))
            continue
        if now != report.pdf_sha256:
            faults.append(
                _of(
                    report,
                    "按现有数据重新生成的文件与存档不同（数据有变化）",
                    "made again, the paper differs from the kept one (data changed)",
                )
            )
    return faults


def finals_are_signed(session: Session) -> list[Text]:
    """A final report bears a signed head and something of every member; one is in force a round."""
    faults = []
    heads = set()
    for row in session.scalars(select(SignedHead)):
        note = checkpoint.parse(row.note)
        heads.add(str(prove.TreeHead(note.size, note.root)))
    seen: set[str] = set()
    for report in session.scalars(select(Report).where(Report.state == "final")):
        if report.round_id in seen:
            faults.append(_of(report, "同一届有多份在效报告", "a second report is in force"))
        seen.add(report.round_id)
        if report.head not in heads or report.pdf_sha256 is None:
            faults.append(_of(report, "没有签名的账本头或文件", "no signed head or no paper"))
        if queries.waiting(session, report):
            faults.append(_of(report, "有成员没有签署", "a member has not signed"))
    return faults


INVARIANTS: tuple[tuple[str, Callable[[Session], list[Text]]], ...] = (
    ("papers of final reports are kept", papers_are_kept),
    ("the report in force renders to the kept bytes", papers_render_again),
    ("final reports are signed by all under a signed head", finals_are_signed),
)

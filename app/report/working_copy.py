"""The rating report as a DOCX to edit: the blocks of the signed PDF, in the same order.

It is never the report itself: every page names the PDF that counts, by its hash.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.documents.docx import render_docx
from app.domain.types import Language, Text
from app.report.blocks import NOTHING, Block, facts, heading, note, paragraph, table
from app.report.models import Report
from app.report.papers import report_data
from app.report.sections import SECTIONS

_COUNTS = Text(
    "供修改的工作稿，以签署的 PDF 为准（SHA-256 {h}）",
    "Working copy for editing; the signed PDF counts (SHA-256 {h})",
)
_UNSIGNED = Text(
    "供修改的工作稿，报告尚未签署定稿",
    "Working copy for editing; the report is not signed and not final",
)
_DRILL = Text("演练文书，不具效力。", "Rehearsal: no legal effect. ")


def report_docx(session: Session, report: Report, lang: Language = "zh") -> bytes:
    """The working copy; the same report gives the same bytes."""
    data = report_data(session, report, lang)
    header = _COUNTS.format(h=report.pdf_sha256) if report.pdf_sha256 else _UNSIGNED
    if data["drill"]:
        header = Text(_DRILL.zh + header.zh, _DRILL.en + header.en)
    return render_docx(
        blocks_of(data),
        title=data["title"],
        header=header,
        language=lang,
        published_at=report.finished_at or report.run.made_at,
    )


def blocks_of(data: dict[str, Any]) -> list[Block]:
    """What `report.typ` lays out, as one list."""
    made: list[Block] = [{"kind": "centre", "text": data[key]} for key in ("number", "issuer")]
    if "edition" in data:
        made.append(note(data["edition"]))
    if data["drill"]:
        made.append(note(data["drill_note"]))
    for key, title in SECTIONS.items():
        made.append(heading(title, 1))
        made += data["sections"][key] or [paragraph(Text("无。", "None."))]
    if "date" in data:
        made.append({"kind": "date", "text": data["date"]})
    for number, annex in enumerate(data["annexes"], 1):
        if number == 1:
            made.append({"kind": "break"})
        title = annex["title"]
        made.append(heading(Text(f"附件 {number}　{title.zh}", f"Annex {number}: {title.en}"), 1))
        made += annex["blocks"]
    made.append(heading(Text("签字与核验", "Signatures and checking"), 1))
    made.append(_signatures(data["signatures"]))
    if "ledger" in data:
        ledger = data["ledger"]
        made.append(
            facts(
                [
                    (Text("账本树头", "Ledger head"), ledger["head"]),
                    (Text("记录数", "Entries"), ledger["size"]),
                    (Text("签署时间", "Signed at"), ledger["time"]),
                    *((line["label"], line["value"]) for line in ledger["lines"]),
                ]
            )
        )
    return made


def _signatures(rows: list[dict[str, Any]]) -> Block:
    columns: list[tuple[Any, str, Any]] = [
        (Text("身份", "Capacity"), "left", 3),
        (Text("姓名", "Name"), "left", 3),
        (Text("签字", "Signature"), "left", 4),
        (Text("日期", "Date"), "left", 5),
    ]
    cells = [[r["role"], r["name"] or NOTHING, r["note"], r["time"]] for r in rows]
    return {**table(Text("签字页", "Signatures"), columns, cells), "row_height_mm": 12}

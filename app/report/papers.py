"""The rating report as data, as a page and as a PDF in the layout of GB/T 9704-2012.

The paper holds every mark, so that anybody can redo every printed figure from its text alone. The
same report gives the same bytes: the only time in it is that of its closing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from app.documents.pdf import render_parts, render_pdf, undrawable
from app.documents.qr import qr_svg
from app.domain.types import DomainError, Language, Text
from app.ledger import prove
from app.programme.scheme import scheme_of
from app.report import queries
from app.report.annexes import annexes
from app.report.blocks import Block, day, local
from app.report.models import Report
from app.report.outline import sections
from app.report.paper_parts import parts
from app.report.sections import SIGNED
from app.report.source import Source, source

_DRILL = Text(
    "本报告由演练产生：抽取性质为演练，骰子为事先公布的固定数值，不产生任何评选结果。",
    "Made in a drill: the draw was a rehearsal with fixed, published dice, and nothing is awarded.",
)
_OVERSEER = Text(
    "监督人员用本：附件 11 列有关键专家姓名，附件 13 列有各席位评分特征，只供监督，不作签署文本。",
    "Supervisor's edition: annex 11 names pivotal experts, annex 13 says how each seat marks. For "
    "supervision alone; never the signed text.",
)


def drawable(text: str) -> None:
    """Refuse a character that the paper could not print, while it can still be changed."""
    missing = undrawable(text)
    if missing:
        raise DomainError(
            Text(
                "字体中没有这些字，没有保存，文字仍在本页：{c}。请更换后再保存。",
                "The paper's fonts lack these characters: {c}. Nothing was saved and your text is still "
                "here; replace them and save again.",
            ).format(c=Text("、".join(missing), ", ".join(missing))),
            field="text",
        )


def report_data(
    session: Session, report: Report, lang: Language, *, overseer: bool = False
) -> dict[str, Any]:
    """What `documents/templates/report.typ` takes; the page shows the same blocks. `overseer`: the
    supervisor's edition, which is never the paper that is signed."""
    s = source(session, report, lang, overseer)
    round_, scheme = report.round, scheme_of(report.round)
    return {
        "language": lang,
        "title": Text(f"{round_.title_zh}\n专家评审报告", f"{round_.title_en}\nRating report"),
        "number": Text(f"第 {report.number} 号", f"No. {report.number}"),
        "issuer": Text(
            f"{scheme.authority.zh} 专家评审组", f"Review panels of the {scheme.authority.en}"
        ),
        **({"date": day(report.finished_at, s.zone)} if report.finished_at else {}),
        **({"edition": _OVERSEER} if overseer else {}),
        "drill": round_.drill,
        "drill_note": _DRILL if round_.drill else "",
        "draft": report.head is None,
        "sections": sections(s),
        "annexes": annexes(s),
        "signatures": _signatures(s),
        **({"ledger": _ledger(s, report.head)} if report.head else {}),
    }


def _signatures(s: Source) -> list[dict[str, Any]]:
    found = queries.signatures(s.report)
    rows = []
    for member in s.members:
        row = found.get(member.expert.id)
        rows.append(
            {
                "role": Text(
                    f"{member.role.zh}\n{member.places.zh}", f"{member.role.en}\n{member.places.en}"
                ),
                "name": member.name if s.named else "",
                "note": SIGNED[row.state] if row else "",
                "time": local(row.at, s.zone) if row else "",
            }
        )
    return rows


def _ledger(s: Source, printed: str) -> dict[str, Any]:
    head = prove.TreeHead.parse(printed)
    return {
        "head": printed,
        "size": str(head.size),
        "time": local(s.report.finished_at, s.zone),
        "qr_svg": qr_svg(printed),
        "lines": [
            {
                "label": Text("核验方法", "To check"),
                "value": f"mingjian ledger verify --head {printed[:16]}…",
            },
        ],
    }


def report_pdf(
    session: Session,
    report: Report,
    lang: Language = "zh",
    *,
    overseer: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> bytes:
    """The paper. Before the closing every page says that it is not signed, and no name is printed.

    A large round is compiled in parts; `progress` hears how many of them are done."""
    at = report.finished_at or report.run.made_at
    data = report_data(session, report, lang, overseer=overseer)
    found = parts(data)
    if len(found) == 1:
        return render_pdf("report", data, published_at=at)
    return render_parts("report", found, published_at=at, progress=progress)


def page_blocks(session: Session, report: Report, lang: str) -> dict[str, list[Block]]:
    """The ten sections for the page."""
    return sections(source(session, report, "en" if lang == "en" else "zh"))

"""The record of an order draw (抽签记录表) for ink signatures: the same paper as for experts, with the
things and their places instead of pool, members and calls.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.config import Settings
from app.documents.qr import qr_svg
from app.domain.types import Text
from app.draw import ceremony, messages, orders, pages_order, papers
from app.draw.models import Draw
from app.ledger.prove import TreeHead
from app.programme.instruments import stage_text
from app.registry import queries as registry


def data(session: Session, draw: Draw, language: str, settings: Settings) -> dict[str, Any]:
    """Data of `draw_slip.typ`; equal rows and `language` give equal data."""
    items = ceremony.items_of(draw)
    tickets = {
        code: ticket
        for panel in (draw.result or {"panels": []})["panels"]
        for code, ticket in panel["seats"]
    }
    head = TreeHead.parse(str(draw.checkpoint))
    names = registry.account_names(session, [draw.cosigned_by])
    zone = ZoneInfo(settings.timezone)
    at = draw.cosigned_at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if draw.cosigned_at else ""
    return {
        "language": "en" if language == "en" else "zh",
        "title": Text("抽签记录表", "Record of a draw by lot"),
        "drill": draw.kind == "drill",
        "order": True,
        "facts": [
            {"label": Text("届次", "Round"), "value": draw.round.title},
            {"label": Text("事项", "Purpose"), "value": stage_text(draw.stage)},
            {"label": Text("对象", "Of what"), "value": orders.title_of(draw)},
            {"label": Text("性质", "Kind"), "value": papers.kind_words(draw)},
            {"label": Text("次数", "Attempt"), "value": str(draw.attempt)},
            {
                "label": Text("清单项数与抽取个数", "Things, and how many are drawn"),
                "value": f"{len(items)} / {draw.request['panels'][0]['seats']}",
            },
            {"label": Text("状态", "State"), "value": messages.STATE[draw.state]},
        ],
        "strata": [],
        "exclusions": [],
        "things": [{"pseudonym": i.pseudonym, "name": i.name} for i in items],
        "sources": papers.source_rows(draw),
        "drawn": [
            {
                "no": str(item.position), "pseudonym": item.pseudonym, "name": item.name,
                "ticket": tickets[item.pseudonym][:16],
            }
            for item in pages_order.placed(items)
        ],
        "reserves": [],
        "calls": [],
        "replacements": [],
        "verify": papers.verify_rows(draw),
        "note": papers.ANYONE,
        "signatures": papers.signature_rows(names.get(draw.cosigned_by or "", ""), at),
        "ledger": {
            "head": head.root.hex(), "size": str(head.size), "qr_svg": qr_svg(papers.qr_words(head)),
        },
    }  # fmt: skip

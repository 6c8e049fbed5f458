"""What belongs to asking for a draw: every look at what a draft would lead to, and templates.

A look is kept because an office that looks often enough could steer a pool: the number of looks and
who took them stand before the cosigner (docs/draw-protocol.md section 8).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Code, Name, Ref
from app.draw.models import Draw
from app.ledger.models import Record


class WhatIf(Record):
    """One recorded look at a draft: what was asked, of which pool, and what came out."""

    __tablename__ = "what_if"
    __table_args__ = (UniqueConstraint("draw_id", "number"),)
    draw_id: Mapped[Ref] = mapped_column(ForeignKey("draw.id"), index=True)
    number: Mapped[int]
    actor_id: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[At]
    request_digest: Mapped[Code]
    pool_digest: Mapped[Code]
    ledger_size: Mapped[int]  # entries when the pool was read: nothing later, nothing changed
    # `outlook.summary` with the exclusions one by one: {..., "exclusions": [[expert, panel, ...]]}
    summary: Mapped[dict[str, Any]]

    draw: Mapped[Draw] = relationship()


class RequestTemplate(Record):
    """A request under a name, for the whole office: everything but stage, counties and dates."""

    __tablename__ = "request_template"
    __table_args__ = (UniqueConstraint("name"),)
    name: Mapped[Name]
    body: Mapped[dict[str, Any]]
    saved_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    saved_at: Mapped[At]

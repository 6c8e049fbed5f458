"""What a supervisor keeps of his own: the heads that he entered from papers."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import At, Code, Name, Ref
from app.ledger.models import Record


class PaperHead(Record):
    """A head that stands on a paper outside the server, and where the supervisor found it.

    Held against the ledger again on every visit: the list finds a later roll-back too. Who rolls the
    database back rolls the list back with it; the paper itself stays the evidence.
    """

    __tablename__ = "paper_head"
    __table_args__ = (
        UniqueConstraint("account_id", "size", "root"),
        CheckConstraint("size >= 0", name="size"),
    )
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"), index=True)
    size: Mapped[int]
    root: Mapped[Code]  # 64 hex digits
    source: Mapped[Name]  # "slip of 3 May, page 2"
    at: Mapped[At]

"""Accounts and what guards them. One account per person, one live role per person."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import At, Base, Code, Id, Long, Name, Ref
from app.directory.models import Person
from app.ledger.models import Record

ROLES = ("office", "keeper", "supervisor", "expert", "presenter", "admin")
STAFF = ("office", "keeper", "supervisor", "admin")


class Account(Record):
    """What a person signs in with."""

    __tablename__ = "account"
    # Replay guard of the time-based code: moves at every sign-in and proves nothing.
    ledger_skip: ClassVar[frozenset[str]] = frozenset({"totp_step"})
    person_id: Mapped[Ref] = mapped_column(ForeignKey("person.id"), unique=True)
    login: Mapped[Code] = mapped_column(unique=True)
    password_hash: Mapped[Long | None]
    totp_secret: Mapped[Long | None]  # encrypted
    totp_step: Mapped[int | None]
    active: Mapped[bool] = mapped_column(default=True)

    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)


class RoleGrant(Record):
    """A role held from `since` until `until`. The index keeps roles that must not meet in one
    person apart: whoever holds one role holds no other (S0 art. 34(1), 38; separation of duties).
    """

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint(f"role IN {ROLES}", name="role"),
        Index(
            "ix_role_grant_one_live_role",
            "person_id",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
    )
    person_id: Mapped[Ref] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[Code]
    since: Mapped[At]
    until: Mapped[datetime | None]
    granted_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))


class SignIn(Base):
    """A server-side session: only the SHA-256 of its token is kept. Revocable at any time."""

    __tablename__ = "sign_in"
    id: Mapped[Id]
    token_hash: Mapped[Code] = mapped_column(unique=True)
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[At]
    last_seen_at: Mapped[At]
    expires_at: Mapped[At]
    revoked_at: Mapped[datetime | None]
    agent: Mapped[Name]
    address: Mapped[Code]
    tablet_id: Mapped[Ref | None] = mapped_column(ForeignKey("tablet.id"), index=True)


class Tablet(Record):
    """A browser on a device that an account has bound for the field application: its public key
    (ECDSA P-256, SPKI, base64) opens sessions until it is revoked (docs/sync-protocol.md section 1).
    """

    __tablename__ = "tablet"
    # Moves at every contact and proves nothing.
    ledger_skip: ClassVar[frozenset[str]] = frozenset({"last_seen_at"})
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"), index=True)
    label: Mapped[Name]
    agent: Mapped[Name]
    public_key: Mapped[Name]
    bound_at: Mapped[At]
    last_seen_at: Mapped[At]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    revoked_reason: Mapped[Long] = mapped_column(default="")


class TabletNonce(Base):
    """What a tablet has to sign next: kept hashed, used once, for two minutes."""

    __tablename__ = "tablet_nonce"
    id: Mapped[Id]
    tablet_id: Mapped[Ref] = mapped_column(ForeignKey("tablet.id"), index=True)
    nonce_hash: Mapped[Code] = mapped_column(unique=True)
    expires_at: Mapped[At]


class Invitation(Record):
    """A one-time link: sign-up of a new account, a new password, or the code that lets a tablet in
    (`enter`; `bind` for a recorder's own). The token is kept hashed."""

    __tablename__ = "invitation"
    token_hash: Mapped[Code] = mapped_column(unique=True)
    # signup | reset (password) | renew (and second factor) | enrol | enter | bind
    purpose: Mapped[Code]
    role: Mapped[Code | None]
    person_id: Mapped[Ref | None] = mapped_column(ForeignKey("person.id"))
    created_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[At]
    expires_at: Mapped[At]
    used_at: Mapped[datetime | None]


class RecoveryCode(Record):
    """One of ten codes that stand in once for the time-based code; kept hashed."""

    __tablename__ = "recovery_code"
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"), index=True)
    code_hash: Mapped[Code]
    used_at: Mapped[datetime | None]


class Throttle(Base):
    """Failed attempts counted per account and per address, in the database so that every worker
    counts together."""

    __tablename__ = "throttle"
    key: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    since: Mapped[At]
    locked_until: Mapped[datetime | None]


class Envelope(Record):
    """The code in a supervisor's sealed envelope, shown once and kept as an Argon2id hash: it
    stands in for a second supervisor's confirmation where there is none."""

    __tablename__ = "envelope"
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"), index=True)
    code_hash: Mapped[Long]
    made_at: Mapped[At]
    used_at: Mapped[datetime | None]
    replaced_at: Mapped[datetime | None]


class ResetRequest(Record):
    """A lost second factor: who asked for the account's renewal, who confirmed it and by what.

    A supervisor's needs two people. `half_hash` (Argon2id) is the code that the proposer hands
    over; the confirmer hands over the link; neither opens anything alone.
    """

    __tablename__ = "reset_request"
    ledger_later: ClassVar[frozenset[str]] = frozenset({"seen_by", "seen_at"})
    __table_args__ = (
        CheckConstraint("means IN ('direct', 'supervisor', 'envelope')", name="means"),
        CheckConstraint("decision IN ('confirmed', 'refused')", name="decision"),
    )
    account_id: Mapped[Ref] = mapped_column(ForeignKey("account.id"), index=True)
    means: Mapped[Code]
    reason: Mapped[Name]
    proposed_by: Mapped[Ref] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[At]
    expires_at: Mapped[At]
    half_hash: Mapped[Long | None]
    decision: Mapped[str | None]
    decided_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    invitation_id: Mapped[Ref | None] = mapped_column(ForeignKey("invitation.id"), unique=True)
    # Of an administrator's renewal of an office or keeper account: the supervisor who looked at it.
    seen_by: Mapped[Ref | None] = mapped_column(ForeignKey("account.id"))
    seen_at: Mapped[datetime | None]

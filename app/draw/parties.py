"""Who holds a chain of one-time codes, and the observer's page without login.

docs/draw-protocol.md section 4: each party makes its chain on its own device for one commitment
alone. The observer has no account: a link of this draw lets him register and reveal, nothing else.
"""

from __future__ import annotations

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.queries import token_hash
from app.accounts.viewer import Viewer
from app.domain.draw.seed import HEX64
from app.domain.types import DomainError, Text
from app.draw import ceremony, messages
from app.draw.messages import cannot, in_state
from app.draw.models import Draw, Party
from app.draw.models_ceremony import ObserverLink
from app.draw.requests import PARTIES
from app.ledger.append import append

MAX_INDEX = 1024
LINKS = 32  # hashes in a chain that the pages make: the draw and 31 replacement acts
_REGISTER = Text("登记口令链", "register a chain")


def register_party(
    session: Session,
    actor: Viewer,
    draw: Draw,
    name: str,
    commitment_hex: str,
    index: int = LINKS,
) -> Party:
    """A party's chain of one-time codes, made on its own device for this draw alone.

    Office and supervisor register themselves; the observer does so by his link.
    """
    if name not in PARTIES:
        raise DomainError(messages.BAD_CHAIN, field="commitment")
    if name == "observer":
        raise cannot(_REGISTER, messages.OBSERVER_HIMSELF)
    actor.require(name)
    party = _add(session, draw, name, commitment_hex, index, actor.id)
    append(
        session,
        actor,
        "draw.party",
        draw=draw.id,
        party=name,
        commitment=party.commitment,
        index=index,
    )
    return party


def register_observer(session: Session, link: ObserverLink, draw: Draw, commitment: str) -> Party:
    """The observer's chain, from his own device, by the link of this draw."""
    party = _add(session, draw, "observer", commitment, LINKS, None)
    append(
        session,
        None,
        "draw.party",
        draw=draw.id,
        party="observer",
        commitment=party.commitment,
        index=LINKS,
        link=link.id,
    )
    return party


def _add(
    session: Session, draw: Draw, name: str, commitment_hex: str, index: int, account: str | None
) -> Party:
    in_state(draw.state, _REGISTER, "draft")
    value = commitment_hex.strip()
    if not HEX64.fullmatch(value) or not 1 <= index <= MAX_INDEX:
        raise DomainError(messages.BAD_CHAIN, field="commitment")
    if name not in draw.request["parties"]:
        raise cannot(_REGISTER, messages.NO_SUCH_PARTY)
    if any(party.name == name for party in draw.parties):
        raise cannot(_REGISTER, Text("该方已登记", "this party is registered"))
    if _known(session, value):
        raise DomainError(messages.USED_CHAIN, field="commitment")
    party = Party(
        position=PARTIES.index(name),
        name=name,
        account_id=account,
        commitment=value,
        index=index,
        codes=[],
    )
    draw.parties.append(party)
    session.flush()
    session.expire(draw, ["parties"])
    return party


def _known(session: Session, value: str) -> bool:
    """Does a commitment belong to a chain that was used before, in either direction?

    Forward from it to a known value: that chain's later codes will give its own. Forward to it from
    a value that is public already: anybody computes its codes from there.
    """
    rows = session.execute(select(Party.commitment, Party.codes)).all()
    used = [v for commitment, codes in rows for v in (commitment, *codes)]
    if ceremony.same_chain(value, used, MAX_INDEX):
        return True
    return any(
        ceremony.same_chain(codes[-1] if codes else commitment, [value], MAX_INDEX)
        for commitment, codes in rows
    )


def make_observer_link(session: Session, actor: Viewer, draw: Draw) -> str:
    """The token of a new link for the observer of this draw; the one before stops working."""
    actor.require("office")
    what = Text("给见证人链接", "give the observer a link")
    in_state(draw.state, what, "draft", "committed", "cosigned", "completed")
    if "observer" not in draw.request["parties"]:
        raise cannot(what, messages.NO_SUCH_PARTY)
    now = clock.now()
    for old in session.scalars(
        select(ObserverLink).where(ObserverLink.draw_id == draw.id, ObserverLink.ended_at.is_(None))
    ):
        old.ended_at = now
    session.flush()
    token = secrets.token_urlsafe(32)
    link = ObserverLink(
        draw_id=draw.id, token_hash=token_hash(token), made_by=actor.id, made_at=now
    )
    session.add(link)
    session.flush()
    append(session, actor, "draw.observer_link", draw=draw.id, link=link.id)
    return token


def observer_link(session: Session, token: str) -> ObserverLink | None:
    """The live link behind a token."""
    return session.scalar(
        select(ObserverLink).where(
            ObserverLink.token_hash == token_hash(token), ObserverLink.ended_at.is_(None)
        )
    )

"""What a transcript may show to anybody, and what opens it: codes, identities, reasons.

A transcript is its own public edition: people under pseudonyms, every attribute value under a code of
this draw alone, private rules as one word, identities as salted hashes. What the codes stand for is
fixed with the commitment and kept apart (docs/draw-protocol.md, "Public edition" and "Openings").
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.directory.models import Organisation
from app.domain.draw import PanelSpec
from app.domain.draw.objects import canonical
from app.domain.draw.opening import IDENTITY, identity_document, identity_hash, openings
from app.domain.draw.roster import exclusion_leaves, roster_leaves
from app.domain.draw.transcript import pack
from app.domain.types import NotFound
from app.draw import ceremony, messages
from app.draw.models import Draw
from app.draw.models_calls import DrawOpening
from app.draw.pool import PRIVATE_RULES, Assessment
from app.keys import Keys

PRIVATE = "private"  # the rule in the leaf of an exclusion that touches private life
_CODED = {"kind": "k", "discipline": "d", "source": "s", "region": "r"}


@dataclass(frozen=True)
class Hidden:
    """The frozen pool as it may be published, and what opens it."""

    candidates: list[dict[str, Any]]
    specs: list[PanelSpec]
    codes: dict[str, dict[str, str]]  # attribute -> code -> value
    identities: dict[str, dict[str, Any]]  # pseudonym -> preimage of the identity hash

    def names(self) -> dict[str, dict[str, str]]:
        """Attribute -> value in the register -> its code in this draw."""
        return {a: {v: code for code, v in table.items()} for a, table in self.codes.items()}

    def opening(self, draw: Draw, keys: Keys) -> DrawOpening:
        """The row to store with the commitment."""
        text = json.dumps(self.identities, ensure_ascii=False, sort_keys=True)
        return DrawOpening(draw_id=draw.id, codes=self.codes, identities=keys.encrypt(text))


def hide(
    session: Session,
    found: Assessment,
    candidates: Sequence[Mapping[str, Any]],
    specs: Sequence[PanelSpec],
    employers: Mapping[str, str],
) -> Hidden:
    """Codes for values, one word for private rules, an identity hash for everybody.

    `candidates` (columns), `specs` and `employers` (code -> organisation id) are what
    `freezing.freeze_candidates` made; employers come already coded.
    """
    codes: dict[str, dict[str, str]] = {}
    for attribute, letter in _CODED.items():
        values = {row["facts"][attribute] for row in candidates if attribute in row["facts"]}
        values |= {v for spec in specs for v in spec.quotas.get(attribute, {})}
        if values:
            keyed = sorted((secrets.token_bytes(16), value) for value in sorted(values))
            codes[attribute] = {f"{letter}{n:02d}": v for n, (_, v) in enumerate(keyed, 1)}
    back = {a: {value: code for code, value in table.items()} for a, table in codes.items()}
    if employers:
        codes["employer"] = dict(employers)
    names = _organisations(session, set(employers.values()))
    rows, identities = [], {}
    for row in candidates:
        clear = {
            attribute: names.get(codes["employer"][code], "") if attribute == "employer" else code
            for attribute, code in row["facts"].items()
            if attribute == "employer" or attribute in codes
        }
        expert = found.experts[row["expert_id"]]
        identity = identity_document(
            row["pseudonym"], expert.number, expert.person.name, clear, secrets.token_hex(16)
        )
        identities[row["pseudonym"]] = identity
        facts = {
            attribute: back[attribute][value] if attribute in back else value
            for attribute, value in row["facts"].items()
        }
        rows.append(
            {
                **row,
                "facts": {**facts, IDENTITY: identity_hash(identity)},
                "exclusions": [
                    {**x, "shown": PRIVATE} if x["rule"] in PRIVATE_RULES else dict(x)
                    for x in row["exclusions"]
                ],
            }
        )
    coded = [
        replace(
            spec,
            quotas={
                attribute: {
                    back[attribute][value] if attribute in back else value: bounds
                    for value, bounds in table.items()
                }
                for attribute, table in spec.quotas.items()
            },
        )
        for spec in specs
    ]
    return Hidden(rows, coded, codes, identities)


def _organisations(session: Session, ids: set[str]) -> dict[str, str]:
    if not ids:
        return {}
    rows = session.execute(
        select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids))
    )
    return {row.id: row.name for row in rows}


def shown_rule(exclusion: Mapping[str, Any]) -> str:
    """The rule as it stands in the leaf of an exclusion."""
    return str(exclusion.get("shown", exclusion["rule"]))


def opening_of(session: Session, draw: Draw) -> DrawOpening | None:
    return session.scalar(select(DrawOpening).where(DrawOpening.draw_id == draw.id))


def code_table(session: Session, draw: Draw) -> list[list[str]]:
    """[[attribute, code, value], ...]; employers by name."""
    row = opening_of(session, draw)
    if row is None:
        return []
    names = _organisations(session, set(row.codes.get("employer", {}).values()))
    return [
        [attribute, code, names.get(value, value) if attribute == "employer" else value]
        for attribute, table in sorted(row.codes.items())
        for code, value in sorted(table.items())
    ]


def full_opening(session: Session, draw: Draw) -> bytes:
    """The supervisor's ZIP: leaves with salts, tables, codes, and every exclusion with reason and
    evidence. No names: they open leaf by leaf after the review. NotFound before the commitment.

    With it a draw can be checked even if the server loses a salt (docs/draw-protocol.md section 4).
    """
    if draw.commitment is None:
        raise NotFound(messages.ABSENT)
    commitment = ceremony.commitment_of(draw)
    attributes = commitment.document["type_attributes"]
    reasons = [
        {
            "evidence": json.dumps(row["evidence"], ensure_ascii=False, sort_keys=True),
            "evidence_hash": row["evidence_hash"],
            "expert": candidate.pseudonym,
            "nonce": row["nonce"],
            "panel": row["panel"],
            "reason": [row["zh"], row["en"]],
            "rule": row["rule"],
        }
        for candidate in draw.candidates
        for row in candidate.exclusions
    ]
    documents: dict[str, Any] = {
        "codes.json": code_table(session, draw),
        "commitment.json": commitment.document,
        "exclusions.json": exclusion_leaves(ceremony.exclusions_of(draw)),
        "lotteries.json": [commitment.lotteries[p] for p in sorted(commitment.lotteries)],
        "reasons.json": reasons,
        "roster.json": roster_leaves(ceremony.roster_of(draw), attributes),
    }
    if draw.is_order:
        documents["labels.json"] = [[i.pseudonym, i.label] for i in ceremony.items_of(draw)]
    files = {name: canonical(document) for name, document in documents.items()}
    if draw.checkpoint is not None:
        files["checkpoint.txt"] = draw.checkpoint.encode()
    return pack(files)


def opened_names(session: Session, draw: Draw, keys: Keys) -> dict[str, Any]:
    """The openings of everybody who ever held a seat of this draw; who was not drawn stays closed.

    NotFound for a draw without identities (made before they were committed, or never committed).
    """
    row = opening_of(session, draw)
    if row is None or draw.commitment is None:
        raise NotFound(messages.ABSENT)
    identities = json.loads(keys.decrypt(row.identities))
    known = {c.expert_id: c.pseudonym for c in draw.candidates}
    wanted = sorted({known[seat.expert_id] for seat in draw.seats if seat.expert_id in known})
    attributes = draw.commitment["type_attributes"]
    return openings(
        str(draw.commitment_hash),
        draw.commitment,
        roster_leaves(ceremony.roster_of(draw), attributes),
        [identities[name] for name in wanted],
    )

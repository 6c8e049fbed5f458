"""A small draw whose roster leaves carry identities, and the file that opens some of those who sit."""

from __future__ import annotations

from app import verify
from app.domain.draw import Candidate, PanelSpec, select, write_transcript
from app.domain.draw.opening import IDENTITY, identity_document, identity_hash, openings
from app.domain.draw.roster import roster_leaves
from tests.domain.draw.pools import commit, key_of, people, throw

NAMES = "甲乙丙丁戊己庚辛壬"


def named(count: int) -> tuple[bytes, bytes, list[str]]:
    """A transcript of four seats, the openings of the first `count`, and the names in seat order."""
    papers = {
        c.id: identity_document(c.id, f"E{n}", f"虚构{NAMES[n]}", {"g": c.facts["g"]}, f"{n:032x}")
        for n, c in enumerate(people(len(NAMES), {"g": 2}, "named"))
    }
    roster = [
        Candidate(c.id, {**c.facts, IDENTITY: identity_hash(papers[c.id])}, c.salt)
        for c in people(len(NAMES), {"g": 2}, "named")
    ]
    commitment = commit([PanelSpec("A", 4, ("a",), ("d1",), {}, {}, "tickets")], roster)
    key = key_of(commitment)
    result = select(commitment, roster, [], key)
    seated = [seat.expert for seat in result.panel("A").seats]
    data = write_transcript(
        commitment=commitment, roster=roster, exclusions=[], key=key, result=result, codes={},
        source_values={"dice": throw("throw")},
    )  # fmt: skip
    leaves = roster_leaves(roster, commitment.document["type_attributes"])
    document = openings(
        commitment.hash, commitment.document, leaves, [papers[i] for i in seated[:count]]
    )
    return data, verify.jcs(document), [papers[i]["name"] for i in seated]

"""Whoever looks at a list of exclusions does not learn whom a sealed draw seated, or when (rule D-14)."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.draw import chain
from app.draw import freezing, operations, operations_calls, pool
from app.draw.facts import subject_facts
from app.draw.models import Draw
from app.ledger.append import append
from app.programme.models import Round
from tests.draw.builders import REVIEW, Staff, completed, make_pool, make_round, request

TELLING = ("席位", "另一次抽取", "holds a seat", "another draw", "seated_on")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole draws, whose estimates and rehearsals are not what is tested."""
    monkeypatch.setattr(pool, "DRILLS", 100)
    monkeypatch.setattr(freezing, "REHEARSALS", 5)


def sealed_desk(session: Session, staff: Staff, round_: Round) -> Draw:
    desk = request(session, staff, round_)
    operations_calls.choose_disclosure(
        session, staff.office, desk, sealed=True, caller_id=staff.office.id
    )
    return completed(session, staff, desk)


def reasons(page: str) -> str:
    """What the pages say under the rule, without the panel's own days beside it."""
    rows = re.finditer(r"<(tr|li)\b(?:(?!<(?:tr|li)\b).)*?</\1>", page, re.DOTALL)
    said = [unescape(re.sub(r"<[^>]+>", " ", row[0])) for row in rows if "D-16" in row[0]]
    return "\n".join(said)


def test_no_list_of_exclusions_tells_of_a_sealed_draw(
    write: Any, make: Any, client_as: Callable[..., Any]
) -> None:
    with write() as session:
        make_pool(session, 24, 24)
        staff, other = Staff(session, make), Staff(session, make)
        round_ = make_round(session, kind="real")
        desk = sealed_desk(session, staff, round_)
        seated = desk.seats[0].expert_id
        site = operations.request_draw(
            session, other.office, round=round_, stage="site", panels=[{"id": "P1", "seats": 5}],
            subject_ids=[s.id for s in round_.subjects], accept_high="small_pool",
        )  # fmt: skip
        for name in site.request["parties"]:
            operations.register_party(
                session, other.viewer(name), site, name, chain(other.secrets[name], 32).hex()
            )
        page = f"/r/r1/draws/{site.id}"
    asked = [f"{page}/why?expert={seated}", f"/pool/{seated}/eligibility?round=r1", page]

    def everything() -> str:
        found = []
        for viewer in (staff.office, staff.supervisor):
            client = client_as(viewer)
            for path in asked:
                for language in ("zh", "en"):
                    with client.session_transaction() as cookie:
                        cookie["lang"] = language
                    answer = client.get(path)
                    assert answer.status_code == 200, path
                    found.append(reasons(answer.text))
        return "\n".join(found)

    draft = everything()
    assert "评审时间内不能参加" in draft
    for word in TELLING:
        assert word not in draft, word
    with write() as session:
        operations.commit_draw(session, other.office, session.get_one(Draw, site.id))
    frozen = everything()
    assert "评审时间内不能参加" in frozen
    handed = client_as(staff.supervisor).post(f"{page}/opening")
    assert handed.status_code == 200
    with zipfile.ZipFile(io.BytesIO(handed.data)) as archive:
        exported = archive.read("reasons.json").decode()
    assert exported.count('"rule":"D-16"') == 5 and "withheld" in exported
    for word in TELLING:
        assert word not in frozen + exported, word
    assert str(REVIEW) not in exported
    # Once the names are published, today's answer says it; what was frozen stays as it was.
    with write() as session:
        operations_calls.publish_names(session, staff.supervisor, session.get_one(Draw, desk.id))
    assert "2012-11-20 已在另一次抽取的评审组中有席位" in everything()
    with write() as session:
        rows = [
            x for c in session.get_one(Draw, site.id).candidates for x in c.exclusions
            if x["rule"] == "D-16"
        ]  # fmt: skip
        assert {row["en"] for row in rows} == {"not available during the sitting"}


def test_rotation_does_not_tell_of_a_sealed_draw(session: Session, staff: Staff) -> None:
    make_pool(session, 24, 24)
    desk = sealed_desk(session, staff, make_round(session, kind="real"))
    following = make_round(session, kind="real", slug="r2")
    following.review_on = REVIEW.replace(year=REVIEW.year + 1)
    append(session, None, "test.next")
    members = {seat.expert_id for seat in desk.seats}

    def said() -> set[str]:
        panel = {
            "id": "P1", "seats": 5, "dates": [], "subjects": [s.id for s in following.subjects],
            "quotas": {}, "pair_limits": {}, "mode": "tickets",
        }  # fmt: skip
        found = pool.assess(session, following, {"panels": [panel]})
        rows = [row for row in found.blocked if row.rule == "D-15"]
        assert {row.expert for row in rows} == members
        return {row.reason.en for row in rows}

    assert said() == {"kept out by rotation"}
    assert all(f.withheld_expert_ids == members for f in subject_facts(session, following))
    operations_calls.publish_names(session, staff.supervisor, session.scalars(select(Draw)).one())
    assert all("not twice in a row" in text for text in said())

"""Case files sampled in the ceremony of a draw instead of by a typed seed."""

from __future__ import annotations

import re
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.draw import order_of_things
from app.domain.types import Conflict
from app.draw import ceremony, operations_order, orders
from app.draw.models import Draw
from app.ledger.append import append
from app.programme import casefiles
from app.programme.invariants import samples_follow_from_their_seed
from app.programme.models import Subject
from app.verify import verify_transcript
from tests.draw.builders import completed
from tests.schemes.builders import small
from tests.schemes.test_new_pages import client_of, words


def test_a_sample_drawn_in_the_ceremony(session: Any, make: Any) -> None:
    made = small(session, make, "mlr-rule-of-law-2008")
    office, county, round_ = made.scored.office, made.subjects[0], made.round
    rules = {
        rule["type"]: rule["count"]
        for rule in casefiles.case_state(session, county).instrument["repeat"]["sample"]
    }
    for kind, extra in (("licence", 2), ("penalty", -1)):
        for n in range(1, rules[kind] + extra + 1):
            casefiles.add_case(
                session, office, county, kind=kind, number=f"{kind}{n}", title="测试案卷",
                on=date(2008, 3, n),
            )  # fmt: skip
    assert orders.available(session, round_, orders.CASES) == []  # the list is still open
    casefiles.close_list(session, office, county)
    (wanted,) = orders.available(session, round_, orders.CASES)  # penalties are all reviewed
    assert wanted.of == {"subject": county.id, "type": "licence"}
    assert wanted.most == rules["licence"]
    draw = operations_order.request_order(session, office, round=round_, wanted=wanted)
    with pytest.raises(Conflict) as refused:
        casefiles.draw_sample(session, office, county, seed="1 2 3 4 5 6", seed_source="测试骰子")
    assert "抽取仪式" in refused.value.text.zh
    state = casefiles.case_state(session, county)
    assert state.by_ceremony and not state.drawn and state.awaited == ["licence"]
    staff = SimpleNamespace(
        office=office, supervisor=made.scored.supervisor, viewer=None, code=None
    )
    completed(session, staff, draw)  # type: ignore[arg-type]

    state = casefiles.case_state(session, county)
    items = {i.pseudonym: i for i in ceremony.items_of(draw)}
    order = order_of_things(str(draw.key), "order-cases", list(items))[: rules["licence"]]
    codes = [items[c].label.split()[1] for c in order]
    assert state.drawn and state.closing is not None and state.closing.seed is None
    assert state.closing.ceremony["licence"]["files"] == codes
    assert {str(r.code) for r in state.sampled if r.kind == "licence"} == set(codes)
    assert sum(r.kind == "penalty" for r in state.sampled) == rules["penalty"] - 1
    assert verify_transcript(ceremony.transcript_of(draw), draw.commitment_hash).ok
    assert draw.commitment["purpose"]["list"] == state.closing.digest  # type: ignore[index]
    assert samples_follow_from_their_seed(session) == []
    with pytest.raises(Conflict):
        operations_order.request_order(session, office, round=round_, wanted=wanted)
    left = next(r for r in state.live if not r.sampled)
    left.sampled = True
    append(session, None, "test.tampered")
    assert len(samples_follow_from_their_seed(session)) == 1


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_list_offers_the_ceremony_and_then_follows_it(
    app: Any, database: Any, make: Any, language: str
) -> None:
    with database.write() as session:
        made = small(session, make, "mlr-rule-of-law-2008")
        office, county = made.scored.office, made.subjects[0]
        rule = casefiles.case_state(session, county).instrument["repeat"]["sample"][0]
        for n in range(1, rule["count"] + 3):
            casefiles.add_case(
                session, office, county, kind=rule["type"], number=f"案{n}", title="测试案卷",
                on=date(2008, 3, n),
            )  # fmt: skip
        casefiles.close_list(session, office, county)
        slug = made.round.slug
    client = client_of(app, database, office, language)
    where = f"/r/{slug}/cases/{county.id}"
    page = words(client.get(where))
    offer = {"zh": "用抽取仪式抽定", "en": "Draw it with ceremony"}[language]
    assert offer in page and 'name="seed"' in page
    link = re.findall(r'href="([^"]+orders/new[^"]+)"', page)[0].replace("&amp;", "&")
    assert client.post(link, data={"dice": "50"}).status_code == 302
    page = words(client.get(where))
    assert 'name="seed"' not in page
    assert {"zh": "抽取仪式，逐类进行", "en": "in the ceremony of a draw"}[language] in page
    with database.write() as session:
        draw = session.scalars(select(Draw).where(Draw.stage == "order-cases")).one()
        staff = SimpleNamespace(office=office, supervisor=made.scored.supervisor)
        completed(session, staff, draw)  # type: ignore[arg-type]
        state = casefiles.case_state(session, county)
        codes = [str(row.code) for row in state.sampled]
    page = words(client.get(where))
    assert len(codes) == rule["count"] and all(f"<b>{code}</b>" in page for code in codes)


def real(made: Any, licences: int) -> Any:
    """The round made a real one, with a closed list of so many licences and one penalty."""
    session, office, county = made.session, made.scored.office, made.subjects[0]
    made.round.kind = "real"
    append(session, None, "test.real")
    for n in range(1, licences + 1):
        casefiles.add_case(
            session, office, county, kind="licence", number=f"许{n}", title="测试案卷",
            on=date(2008, 3, n),
        )  # fmt: skip
    casefiles.add_case(
        session, office, county, kind="penalty", number="罚1", title="测试案卷", on=date(2008, 3, 1)
    )
    casefiles.close_list(session, office, county)
    return casefiles.case_state(session, county)


def test_no_seed_is_typed_in_a_real_round(session: Session, make: Any) -> None:
    """The attack: the digest is public, so a seed can be found offline that picks a chosen file."""
    made = small(session, make, "mlr-rule-of-law-2008")
    state = real(made, 8)
    office, county, digest = made.scored.office, made.subjects[0], state.closing.digest
    seed = next(
        s for s in (f"1.2.3.4.5.{n}" for n in range(1000))
        if "licence-008" not in casefiles.sample(state, casefiles.sample_key(digest, s))
    )  # fmt: skip
    with pytest.raises(Conflict, match="抽取仪式") as refused:
        casefiles.draw_sample(
            session, office, county, seed=seed.replace(".", " "), seed_source="测试骰子"
        )
    assert "typed seed" in refused.value.text.en
    state = casefiles.case_state(session, county)
    assert state.closing.seed is None and state.sampled == () and not state.drawn
    with pytest.raises(Conflict, match="须抽取"):
        casefiles.take_all(session, office, county)
    assert casefiles.case_state(session, county).sampled == ()


def test_a_real_list_with_nothing_to_draw_is_reviewed_whole(session: Session, make: Any) -> None:
    made = small(session, make, "mlr-rule-of-law-2008")
    state = real(made, 2)
    assert state.awaited == [] and not state.drawn
    casefiles.take_all(session, made.scored.office, made.subjects[0])
    state = casefiles.case_state(session, made.subjects[0])
    assert state.drawn and {r.code for r in state.sampled} == {
        "licence-001", "licence-002", "penalty-001",
    }  # fmt: skip
    assert samples_follow_from_their_seed(session) == []
    with pytest.raises(Conflict, match="不能重抽"):
        casefiles.take_all(session, made.scored.office, made.subjects[0])
    state.sampled[0].sampled = False
    append(session, None, "test.tampered")
    assert len(samples_follow_from_their_seed(session)) == 1


@pytest.mark.parametrize("licences", [8, 2])
def test_the_page_of_a_real_round_has_no_box_for_a_seed(
    app: Any, database: Any, make: Any, licences: int
) -> None:
    with database.write() as session:
        made = small(session, make, "mlr-rule-of-law-2008")
        real(made, licences)
        office, county, slug = made.scored.office, made.subjects[0].id, made.round.slug
    client = client_of(app, database, office, "zh")
    where = f"/r/{slug}/cases/{county}"
    page = words(client.get(where))
    assert 'name="seed"' not in page
    assert ("用抽取仪式抽定" in page) is (licences == 8)
    assert ("确认全部评查" in page) is (licences == 2)
    sent = client.post(f"{where}/sample", data={"seed": "1 2 3 4 5 6", "seed_source": "骰子"})
    assert sent.status_code == 409
    whole = client.post(f"{where}/sample")
    assert whole.status_code == (409 if licences == 8 else 302)
    page = words(client.get(where))
    assert ("无需抽取，全部评查" in page) is (licences == 2)
    with database.read() as session:
        assert len(casefiles.case_state(session, session.get_one(Subject, county)).sampled) == (
            0 if licences == 8 else 3
        )

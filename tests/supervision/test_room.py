"""The overview, the draws and the statistics over a real small world; every planted oddity is named,
and nothing else."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event as sa_event
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.domain.types import Forbidden, NotFound
from app.draw import operations
from app.draw.models import Contact, Draw, Seat
from app.draw.models_request import WhatIf
from app.ledger.append import append
from app.registry.models import Expert
from app.supervision import (
    anomalies,
    explain,
    queries_draws,
    rates,
    shares,
    snapshots,
    verification,
)
from app.supervision.check_words import NAMES
from tests.draw import builders
from tests.supervision.conftest import coin

T0 = datetime(2012, 11, 1, tzinfo=UTC)


@pytest.fixture
def round_(session: Session) -> Any:
    made = builders.make_round(session)
    builders.make_pool(session)
    return made


def overview(session: Session, staff: Any, keys: Any) -> anomalies.Overview:
    kept = verification.everything(session, keys, session.info["store"])
    return anomalies.overview(session, staff.supervisor, kept, "drill")


def finished(
    session: Session, round_: Any, number: int, experts: list[Expert], chance: str
) -> Draw:
    """A completed draw written down as a result, with the chances that it froze."""
    everybody = session.scalars(select(Expert).order_by(Expert.number)).all()
    draw = Draw(
        round_id=round_.id, stage=f"s{number}", kind="drill", purpose_key=f"p{number}",
        state="completed", request={"panels": [], "sources": []},
        snapshot={"chances": {"people": {e.id: chance for e in everybody}, "draws": 0}, "people": {}},
        created_at=T0, drawn_at=T0 + timedelta(days=number),
    )  # fmt: skip
    session.add(draw)
    session.flush()
    for place, expert in enumerate(experts, 1):
        draw.seats.append(
            Seat(panel="P1", number=place, expert_id=expert.id, ticket="0" * 64, changed_at=T0)
        )
    session.flush()
    append(session, None, "test.draw")
    return draw


def test_a_clean_world_has_no_severe_anomaly(session, staff, round_, keys):
    asked = builders.request(session, staff, round_, parties=["office", "supervisor"])
    builders.completed(session, staff, asked)
    view = overview(session, staff, keys)
    # The builders' people and round are bare, which two rooms' invariants say, and they alone.
    bare = tuple(
        title.en
        for name, title in NAMES.items()
        if name.startswith("registry.") or name == "programme.rounds_keep_their_rules"
    )
    severe = [a.sentence.en for a in view.found if a.definition.severity == 1]
    assert [said for said in severe if not said.startswith(bare)] == []
    assert view.counts["ledger"] == view.counts["paper"] == 0
    assert view.counts["aborts"] == view.counts["dice"] == view.counts["envelope"] == 0
    assert view.counts["expert"] == view.counts["operator"] == 0
    assert "expert" in view.notes  # one draw: too few to say, and said so
    assert view.counts["restore"] == 0 and "restore" in view.present


def test_every_planted_oddity_is_named_once(session, staff, round_, keys, make):
    draw = builders.request(session, staff, round_)
    for number in range(1, 13):
        session.add(
            WhatIf(
                draw_id=draw.id, number=number, actor_id=staff.office.id, at=clock.now(),
                request_digest="0" * 64, pool_digest="0" * 64, ledger_size=1, summary={},
            )
        )  # fmt: skip
    append(session, staff.office, "test.looks")
    operations.commit_draw(session, staff.office, draw)
    operations.abort_draw(session, staff.office, draw, "测试：场地停电", "premises")
    again = builders.request(session, staff, round_, parties=["office", "supervisor"])
    assert again.attempt == 2
    operations.commit_draw(session, staff.office, again)
    builders.device.cosign(session, staff.supervisor, again)
    wrong = [*builders.DICE[:-1], 1 + builders.DICE[-1] % 6]
    operations.enter_dice(session, staff.office, again, "dice", wrong)
    operations.enter_dice(session, staff.supervisor, again, "dice", builders.DICE)
    operations.enter_dice(session, staff.office, again, "dice", builders.DICE)
    # The supervisor types the code of the office, from its envelope.
    for name in again.request["parties"]:
        operations.reveal_code(session, staff.supervisor, again, name, staff.code(name))
    view = overview(session, staff, keys)
    assert {c: view.counts[c] for c in ("aborts", "what_ifs", "dice", "envelope")} == {
        "aborts": 1, "what_ifs": 1, "dice": 1, "envelope": 1,
    }  # fmt: skip
    said = {a.code: a for a in view.found}
    assert "12 what-ifs" in said["what_ifs"].sentence.en
    assert "Premises, equipment or power failed" in said["aborts"].sentence.en
    assert staff.office.name in said["aborts"].sentence.zh
    assert "1 ended at this purpose" in said["aborts"].sentence.en
    assert said["envelope"].at == {"draw_id": again.id}
    assert staff.supervisor.name in said["envelope"].sentence.en
    severities = [a.definition.severity for a in view.found]
    assert severities == sorted(severities)


def test_ten_looks_are_not_many(session, staff, round_, keys):
    draw = builders.request(session, staff, round_)
    for number in range(1, 11):
        session.add(
            WhatIf(
                draw_id=draw.id, number=number, actor_id=staff.office.id, at=clock.now(),
                request_digest="0" * 64, pool_digest="0" * 64, ledger_size=1, summary={},
            )
        )  # fmt: skip
    append(session, staff.office, "test.looks")
    assert overview(session, staff, keys).counts["what_ifs"] == 0


def _called(session: Session, round_: Any, rates_of: dict[str, float], each: int) -> None:
    experts = session.scalars(select(Expert).order_by(Expert.number)).all()
    number = 0
    for place, (account, rate) in enumerate(rates_of.items()):
        for block in range(each // 10):
            number += 1
            chosen = [experts[(number * 10 + i) % len(experts)] for i in range(10)]
            draw = finished(session, round_, number, chosen, "0.200000")
            for i, seat in enumerate(draw.seats):
                no = coin(f"call{place}|{block}", i) < rate
                seat.contacts.append(
                    Contact(
                        at=T0, channel="phone", by=account,
                        outcome="declined" if no else "accepted",
                        reason="schedule" if no else None,
                    )
                )  # fmt: skip
    append(session, None, "test.calls")


def test_the_operator_who_loses_experts_is_found_and_the_others_are_not(
    session, staff, round_, keys, make
):
    fair = [make.viewer(session, "office") for _ in range(3)]
    bad = make.viewer(session, "office")
    _called(session, round_, {**{v.id: 0.15 for v in fair}, bad.id: 0.6}, 50)
    found = rates.rates(session, staff.supervisor, "drill")
    verdicts = {row.name: row.judged.verdict for row in found.declined}
    assert verdicts == {**{v.name: "usual" for v in fair}, bad.name: "high"}
    top = found.declined[0]
    assert top.name == bad.name and top.rate.n == 50 and top.others.n == 150
    assert top.reasons == (("schedule", top.rate.k),)
    assert top.rate.low < top.rate.share < top.rate.high
    view = overview(session, staff, keys)
    assert [a.sentence.en.startswith(bad.name) for a in view.found if a.code == "operator"] == [
        True
    ]


def test_fair_operators_are_not_flagged(session, staff, round_, keys, make):
    fair = [make.viewer(session, "office") for _ in range(4)]
    _called(session, round_, {v.id: 0.2 for v in fair}, 50)
    found = rates.rates(session, staff.supervisor, "drill")
    assert {row.judged.verdict for row in found.declined} == {"usual"}
    assert overview(session, staff, keys).counts["operator"] == 0


def test_a_seat_called_twice_counts_once(session, staff, round_):
    experts = session.scalars(select(Expert).order_by(Expert.number)).all()
    draw = finished(session, round_, 1, experts[:2], "0.1")
    for hour, outcome in enumerate(("declined", "unreachable", "accepted")):
        draw.seats[0].contacts.append(
            Contact(
                at=T0 + timedelta(hours=hour), channel="phone", outcome=outcome,
                reason="schedule" if outcome == "declined" else None, by=staff.office.id,
            )
        )  # fmt: skip
    append(session, None, "test.calls")
    (row,) = rates.rates(session, staff.supervisor, "drill").declined
    assert (row.rate.k, row.rate.n) == (0, 1)  # the last answer was yes


def test_the_expert_drawn_too_often_is_found(session, staff, round_, keys):
    experts = session.scalars(select(Expert).order_by(Expert.number)).all()
    for number in range(12):
        others = [experts[1 + (number * 5 + i) % 59] for i in range(5)]
        finished(session, round_, number, [experts[0], *others], "0.100000")
    found = shares.shares(session, staff.supervisor, "drill")
    first = found.experts[0]
    assert (first.number, first.drawn, first.judged.verdict) == (experts[0].number, 12, "high")
    assert first.expected == pytest.approx(1.2)
    assert first.judged.p == pytest.approx(0.1**12)
    assert [s.judged.verdict for s in found.experts].count("high") == 1
    assert first.steps[-1][1] == 12 and len(first.steps) == 12
    picture = shares.picture(found.experts[:5], "en")
    assert picture.startswith("<svg") and "too many" in picture and "style=" not in picture
    assert overview(session, staff, keys).counts["expert"] == 1


def test_chances_kept_by_type_count_too(session, staff, round_):
    """Pools above 2,000: the mean of his type for everybody who could sit, for nobody else."""
    draw = builders.completed(session, staff, builders.request(session, staff, round_))
    kind, frozen = draw.kind, draw.snapshot
    before = shares.shares(session, staff.supervisor, kind)
    assert before.counted == 1 and len(before.experts) > 5
    chances, profiles = frozen["chances"], frozen["people"]
    groups = defaultdict(list)
    for key, value in chances["people"].items():
        vector = tuple(profiles[key].get(a) or "unknown" for a in chances["typed_by"])
        groups[vector].append(Decimal(value))
    types = [[list(v), len(all_), str(sum(all_) / len(all_))] for v, all_ in groups.items()]
    draw.snapshot = {**frozen, "chances": {**chances, "people": {}, "types": types}}
    append(session, None, "test.draw")
    after = shares.shares(session, staff.supervisor, kind)
    assert (after.counted, after.without) == (1, 0)
    assert {row.key for row in after.experts} == {row.key for row in before.experts}
    seats = sum(row.expected for row in before.experts)
    assert sum(row.expected for row in after.experts) == pytest.approx(seats, abs=1e-3)
    draw.snapshot = {**frozen, "chances": {}}
    append(session, None, "test.draw")
    assert shares.shares(session, staff.supervisor, kind).without == 1


def test_an_estimated_zero_proves_nothing_by_itself():
    assert shares._cautious(0.0, 300) == pytest.approx(1 / 301)
    assert shares._cautious(0.25, 0) == 0.25


def test_the_list_and_time_line_of_a_draw(session, staff, round_):
    first = builders.request(session, staff, round_)
    operations.commit_draw(session, staff.office, first)
    operations.abort_draw(session, staff.office, first, "测试", "request")
    asked = builders.request(session, staff, round_, parties=["office", "supervisor"])
    second = builders.completed(session, staff, asked)
    lines = queries_draws.all_draws(session, staff.supervisor, "attempt")
    assert [(x.draw.attempt, x.attempts, x.draw.state) for x in lines] == [
        (1, 2, "aborted"), (2, 2, "completed"),
    ]  # fmt: skip
    assert lines[0].abort.cause == "request" and lines[0].aborted_by == staff.office.name
    kinds = [m.kind for m in queries_draws.timeline(session, staff.supervisor, second)]
    assert kinds[0] == "draw.requested" and kinds[-1] == "draw.completed"
    counts = Counter(kinds)
    assert counts["draw.dice"] == 2 and counts["draw.code"] == 2
    assert counts["draw.cosigned"] == 1
    (source,) = queries_draws.sources(second)
    assert source.values == " ".join(map(str, builders.DICE))
    with pytest.raises(NotFound):
        queries_draws.one(session, staff.supervisor, "0" * 16)
    with pytest.raises(Forbidden):
        queries_draws.all_draws(session, staff.office)


def test_differences_between_two_pools(session, staff, round_):
    before = builders.request(session, staff, round_)
    operations.commit_draw(session, staff.office, before)
    operations.abort_draw(session, staff.office, before, "测试", "request")
    experts = session.scalars(select(Expert).order_by(Expert.number)).all()
    body = builders.make_body(session, "测试新院", "institute", "420102")
    new = builders.make_expert(session, 900, body)
    experts[3].kind = "economic" if experts[3].kind != "economic" else "technical"
    append(session, None, "test.change")
    after = builders.request(session, staff, round_)
    operations.commit_draw(session, staff.office, after)
    found = snapshots.difference(session, staff.supervisor, before.id, after.id)
    assert found.sizes == (60, 61)
    assert [c.number for c in found.added] == [new.number] and found.removed == []
    kinds = [c for c in found.attributes if c.number == experts[3].number]
    assert [c.what.en for c in kinds] == ["Kind"] and kinds[0].old != kinds[0].new
    back = snapshots.difference(session, staff.supervisor, after.id, before.id)
    assert [c.number for c in back.removed] == [new.number] and back.added == []
    assert snapshots.difference(session, staff.supervisor, after.id, after.id).total == 0
    with pytest.raises(NotFound):
        snapshots.difference(session, staff.supervisor, before.id, "0" * 16)


def _queries(session: Session, act: Any) -> int:
    seen: list[str] = []
    session.expire_all()

    def note(*args: Any) -> None:
        seen.append(args[2])

    sa_event.listen(session.get_bind(), "before_cursor_execute", note)
    act()
    sa_event.remove(session.get_bind(), "before_cursor_execute", note)
    return len(seen)


def test_as_many_queries_for_many_draws_as_for_few(session, staff, round_):
    experts = session.scalars(select(Expert).order_by(Expert.number)).all()
    pages = {
        "draws": lambda: queries_draws.all_draws(session, staff.supervisor),
        "rates": lambda: rates.rates(session, staff.supervisor, "drill"),
        "shares": lambda: shares.shares(session, staff.supervisor, "drill"),
    }
    finished(session, round_, 1, experts[:5], "0.1")
    few = {name: _queries(session, act) for name, act in pages.items()}
    for number in range(2, 12):
        finished(session, round_, number, experts[number : number + 5], "0.1")
    assert {name: _queries(session, act) for name, act in pages.items()} == few


def test_the_explainer_says_what_the_access_check_does(app, client_as, make):
    """For every role and a sample of pages: the verdict equals what the server answers."""
    database = app.extensions["mingjian.db"]
    clients = {role: client_as(role) for role in explain.ORDER}
    pages = [
        p for p in explain.pages(app)
        if p.methods == ("GET",) and not p.objects and "<" not in p.rule
        and p.endpoint not in ("static", "field.pack", "field.own_branches")  # for a bound tablet
    ]  # fmt: skip
    assert len(pages) > 15
    with database.read() as session:
        people = {
            role: explain.standing(session, clients["supervisor"].viewer, client.viewer.id)
            for role, client in clients.items()
        }
    for role, client in clients.items():
        for page in pages:
            said = explain.verdict(app, people[role], page.endpoint)
            status = client.get(page.rule).status_code
            assert (status != 403) == said.allowed, (role, page.endpoint, status)
            assert said.reasons
    nobody = explain.verdict(app, people["office"], "supervision.index")
    assert not nobody.allowed and "none of them" in nobody.reasons[-1].en


def test_pages_open_in_both_languages(app, client_as):
    supervisor, office, admin = (client_as(r) for r in ("supervisor", "office", "admin"))
    for path, sign in (
        ("", "Nothing|record in doubt|know of it"),
        ("/draws", "Every attempt"),
        ("/ledger", "Present head"),
        ("/compare", "Compare"),
        ("/differences", "Two commitments"),
        ("/rates", "Declined"),
        ("/shares", "Experts"),
        ("/permissions", "supervision.index"),
        ("/why", "Explain"),
    ):
        url = f"/supervision{path}"
        assert supervisor.get(url).status_code == 200
        assert office.get(url).status_code == 403
        assert admin.get(url).status_code == (
            200 if path in ("/ledger", "/permissions") else 403
        ), path
        supervisor.post("/language", data={"lang": "en", "language": "en"})
        answer = supervisor.get(url)
        assert any(part in answer.text for part in sign.split("|")), path
        supervisor.post("/language", data={"lang": "zh", "language": "zh"})


def test_compare_by_page_keep_and_download(app, client_as):
    client = client_as("supervisor")
    ledger = client.get("/supervision/ledger").text
    head = ledger[ledger.index("mj1:") :].split("<")[0]
    assert "一致" in client.get(f"/supervision/compare?head={head}").text
    kept = client.post("/supervision/compare", data={"head": head, "source": "测试抽取表"})
    assert kept.status_code == 302
    assert "测试抽取表" in client.get("/supervision/compare").text
    fork = head.split(":")[1]
    bad = f"mj1:{fork}:{'ab' * 32}"
    page = client.get(f"/supervision/compare?head={bad}").text
    assert "冲突" in page and "下载冲突证明" in page
    proof = client.get(f"/supervision/compare/proof?head={bad}")
    assert proof.json["verdict"] == "forked"
    assert proof.headers["Content-Disposition"].startswith('attachment; filename="conflict-')
    beyond = client.get(f"/supervision/compare/proof?head=mj1:99999:{'ab' * 32}").json
    assert beyond["verdict"] == "rolled_back"
    assert client.get("/supervision/compare?head=mj1:x").status_code == 422
    again = client.post("/supervision/compare", data={"head": "mj1:x", "source": "纸"})
    assert again.status_code == 422 and "纸" in again.text
    assert client.get("/supervision/ledger/0?file=1").json["holds"] is True
    assert client.get("/supervision/ledger/999999").status_code == 404


def test_every_room_has_words(app):
    """The table of permissions calls no room by the program's name for it."""
    rooms = {page.endpoint.partition(".")[0] for page in explain.pages(app)}
    assert rooms - set(explain.ROOM) == set() and "field_desk" in rooms

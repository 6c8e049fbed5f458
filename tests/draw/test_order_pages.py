"""The order of statements through the pages, from the list of orders to the panel's page."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.draw import chain
from app.domain.types import Conflict
from app.draw import ceremony, orders
from app.draw.models import Draw
from app.draw.operations_order import request_order
from app.home.waits import waits
from app.ledger import prove
from app.ledger.append import append
from app.ledger.models import Event
from app.panel import operations as panels
from app.panel import queries as panel_queries
from app.programme.models import Round
from app.verify import verify_transcript
from tests.draw.builders import DICE, cosign_form
from tests.draw.test_ceremony_pages import BASE, Hall
from tests.draw.test_orders import completed, only, operations, registered


@pytest.fixture
def hall(settings: Any, make: Any) -> Hall:
    made = Hall(settings, make)
    with made.write() as session:
        round_ = session.scalars(select(Round)).one()
        draw = operations.request_draw(
            session, made.people.office, round=round_, stage="site",
            subject_ids=[s.id for s in round_.subjects], panels=[{"id": "P1", "seats": 5}],
        )  # fmt: skip
        completed(session, made.people, registered(session, made.people, draw))
        panels.form_panels(session, made.people.office, draw=draw)
        viewer = make.viewer(session, "presenter")
        round_.subjects[0].presenter_id = viewer.person_id
        made.presenter = viewer  # type: ignore[attr-defined]
        append(session, None, "test.presenter")
    return made


def test_the_whole_ceremony_of_an_order_of_statements(hall: Hall, make: Any) -> None:
    listed = hall.ask("office", "GET", f"{BASE}/orders")
    assert "陈述顺序：评审组 P1" in listed.text and "用抽取仪式抽定" in listed.text
    panel_page = hall.ask("office", "GET", "/r/r1/panels").text
    assert "用抽取仪式抽定" in panel_page
    where = next(
        a for a in re.findall(r'href="([^"]+orders/new[^"]+)"', listed.text) if "statements" in a
    )
    where = where.replace("&amp;", "&")
    assert "府谷县" in hall.ask("office", "GET", where).text
    assert hall.ask("supervisor", "GET", where).status_code == 403
    refused = hall.post("office", where, dice="0")
    assert refused.status_code == 422 and "至少要有一个随机来源" in refused.text
    made = hall.post("office", where, dice="50")
    assert made.status_code == 302
    page = made.headers["Location"]
    again = hall.post("office", where, dice="50")
    assert again.status_code in (409, 422) and "同一事项已有抽取" in again.text

    hall.people.secrets = {n: secrets.token_bytes(32) for n in hall.people.secrets}
    early = hall.post("office", f"{page}/commit")
    assert "尚未登记口令链" in early.text
    for name in ("office", "supervisor"):
        value = chain(hall.people.secrets[name], 32).hex()
        assert hall.post(name, f"{page}/party", party=name, commitment=value).status_code == 302
    assert hall.post("office", f"{page}/commit").status_code == 302
    form = cosign_form(hall.people, hall.write)
    asked = hall.ask("supervisor", "GET", f"{page}/cosign")
    assert asked.status_code == 200 and "冻结的清单" in asked.text and "610822 府谷县" in asked.text
    assert hall.post("supervisor", f"{page}/cosign", **form).status_code == 302
    for role in ("office", "supervisor"):
        sent = {"source": "dice", "values": DICE}
        assert hall.ask(role, "POST", f"{page}/dice/save", json=sent).status_code == 200
    state = hall.ask("supervisor", "GET", f"{page}/state").get_json()
    assert state["order"] is True and state["result"] is None
    for role in ("office", "supervisor"):
        code = chain(hall.people.secrets[role], 31).hex()
        assert hall.post(role, f"{page}/code", party=role, code=code).status_code == 302

    with hall.write() as session:
        draw = session.scalars(select(Draw).where(Draw.stage == "order-statements")).one()
        assert draw.state == "completed"
        items = sorted(ceremony.items_of(draw), key=lambda i: i.position or 99)
        first, second = (i.label for i in items)
        assert verify_transcript(ceremony.transcript_of(draw), draw.commitment_hash).ok
        place = next(i.position for i in items if "府谷县" in i.label)
        told = [w.what.zh for w in waits(session, hall.presenter)]  # type: ignore[attr-defined]
        assert f"陈述顺序已抽定：您第 {place} 个陈述，共 2 个" in told
        (panel,) = panel_queries.panels(session, hall.people.office, draw.round)
        sitting = next(s for s in panel.sittings if s.subject.name_zh in first)

    shown = hall.ask("office", "GET", page)
    assert shown.text.index(first) < shown.text.index(second) and "下载记录包" in shown.text
    lines = hall.ask("office", "GET", f"{page}/state").get_json()["result"][0]["lines"]
    assert [(line["name"], line["seat"]) for line in lines] == [(first, 1), (second, 2)]
    wall = hall.ask("supervisor", "GET", f"{page}/present")
    assert wall.status_code == 200 and "陈述顺序" in wall.text
    transcript = hall.ask("office", "GET", f"{page}/transcript")
    assert verify_transcript(transcript.data).ok
    for language in ("zh", "en"):
        paper = hall.ask("office", "GET", f"{page}/slip", headers={"Cookie": f"lang={language}"})
        assert paper.data.startswith(b"%PDF")
    for part in ("calls", "edit", "names", "why", "letters.pdf", "calls.pdf", "disclosure"):
        assert hall.ask("office", "GET", f"{page}/{part}").status_code == 404, part
    for part in ("what-if", "supplement", "plan"):
        assert hall.post("office", f"{page}/{part}").status_code == 404, part
    panel_page = hall.ask("office", "GET", "/r/r1/panels").text
    assert "陈述顺序由抽签确定" in panel_page
    names = [label.split()[1] for label in (first, second)]
    assert panel_page.index(names[0]) < panel_page.index(names[1])
    sitting_page = hall.ask("office", "GET", f"/r/r1/sittings/{sitting.id}").text
    assert "第 1 个陈述，共 2 个" in sitting_page
    index = hall.ask("supervisor", "GET", BASE).text
    assert "陈述顺序" in index and "顺序已抽定" in index
    home = hall.ask("supervisor", "GET", "/supervision/draws")
    assert home.status_code == 200 and "陈述顺序" in home.text
    one = hall.ask("supervisor", "GET", f"/supervision/draws/{page.rsplit('/', 1)[1]}")
    assert one.status_code == 200
    opened = hall.post("supervisor", f"{page}/opening")
    assert opened.status_code == 200 and opened.data.startswith(b"PK")


def test_no_order_once_the_first_sitting_has_begun(hall: Hall) -> None:
    """Asked for or committed afterwards it is refused, and nothing is changed; sittings go on."""
    listed = hall.ask("office", "GET", f"{BASE}/orders").text
    where = next(a for a in re.findall(r'href="([^"]+orders/new[^"]+)"', listed) if "statem" in a)
    where = where.replace("&amp;", "&")
    made = hall.post("office", where, dice="50").headers["Location"]
    hall.people.secrets = {n: secrets.token_bytes(32) for n in hall.people.secrets}
    for name in ("office", "supervisor"):
        value = chain(hall.people.secrets[name], 32).hex()
        hall.post(name, f"{made}/party", party=name, commitment=value)
    with hall.write() as session:
        (panel,) = panel_queries.panels(
            session, hall.people.office, session.scalars(select(Round)).one()
        )
        sitting = panel.sittings[1]
        panels.open_sitting(session, hall.people.office, sitting=sitting)
        county, events = sitting.subject.name_zh, prove.count(session)
    refused = hall.post("office", f"{made}/commit")
    assert refused.status_code == 409
    assert (
        f"评审组 P1 的会议已经开始（{county}）" in refused.text and "没有任何改动" in refused.text
    )
    assert hall.post("office", f"{made}/abort", cause="other", reason="已开始").status_code == 302
    listed = hall.ask("office", "GET", f"{BASE}/orders").text
    assert f"会议已开始（{county}），不能再抽" in listed and "stage=order-statements" not in listed
    assert "stage=order-counties" in listed
    for answer in (hall.ask("office", "GET", where), hall.post("office", where, dice="50")):
        assert answer.status_code == 409 and "第一场会议开始之前抽定" in answer.text
    with hall.write() as session:
        assert len(session.scalars(select(Draw).where(Draw.stage == "order-statements")).all()) == 1
        kinds = [json.loads(p)["kind"] for p in session.scalars(
            select(Event.payload).where(Event.seq >= events))]  # fmt: skip
        assert "draw.committed" not in kinds and "draw.requested" not in kinds


def test_no_sitting_begins_between_the_commitment_and_the_order(hall: Hall) -> None:
    with hall.write() as session:
        round_ = session.scalars(select(Round)).one()
        (panel,) = panel_queries.panels(session, hall.people.office, round_)
        wanted = only(session, round_, orders.STATEMENTS)
        draw = registered(
            session, hall.people,
            request_order(session, hall.people.office, round=round_, wanted=wanted),
        )  # fmt: skip
        operations.commit_draw(session, hall.people.office, draw)
        with pytest.raises(Conflict, match="陈述顺序已承诺、尚未抽定"):
            panels.open_sitting(session, hall.people.office, sitting=panel.sittings[0])
        assert panel.sittings[0].phase == "planned"
        operations.abort_draw(session, hall.people.office, draw, "改期", "other")
        panels.open_sitting(session, hall.people.office, sitting=panel.sittings[0])
        assert panel.sittings[0].phase == "open"

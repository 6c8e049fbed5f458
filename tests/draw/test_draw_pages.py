"""The pages, in both languages: who sees what, the one next step, and raw requests repeated."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, func, select

from app.directory.models import Organisation
from app.domain.draw import chain
from app.draw.models import Draw, Seat
from app.ledger.append import append
from app.programme.models import Round, Subject
from app.registry.models import Expert
from tests.draw.builders import (
    DICE,
    Staff,
    act_cosign_form,
    completed,
    cosign_form,
    make_expert,
    make_pool,
    make_round,
    request,
)

BASE = "/r/r1/draws"


@pytest.fixture
def people(write: Any, make: Any) -> Staff:
    with write() as session:
        make_pool(session)
        make_round(session, kind="real")
        return Staff(session, make)


@pytest.fixture
def supervisor(client_as: Callable[..., Any], people: Staff) -> Any:
    return client_as(people.supervisor)


def english(client: Any) -> Any:
    with client.session_transaction() as cookie:
        cookie["lang"] = "en"
    return client


def created(office: Any, write: Any, **more: str) -> str:
    with write() as session:
        round_ = session.scalar(select(Draw.id))
        assert round_ is None
        subjects = list(session.scalars(select(Subject.id)))
    form = {
        "stage": "desk", "subjects": subjects, "split": "one", "seats": "5", "mode": "tickets",
        "load_cap": "0", "replacement": "act", "dice": "50", "accept_high": "", **more,
    }  # fmt: skip
    answer = office.post(f"{BASE}/new", data=form)
    assert answer.status_code == 302, re.sub(r"<[^>]+>", " ", answer.text)
    return str(answer.headers["Location"])


def test_the_whole_ceremony_on_two_screens(
    office: Any, supervisor: Any, people: Staff, write: Any
) -> None:
    page = created(office, write, min_discipline_land="1", max_discipline_land="2")
    for client, name in ((office, "office"), (supervisor, "supervisor")):
        shown = client.get(page).text
        assert "生成口令链" in shown
        value = chain(people.secrets[name], 32).hex()
        assert (
            client.post(f"{page}/party", data={"party": name, "commitment": value}).status_code
            == 302
        )
    assert "冻结名单并提交承诺" in office.get(page).text
    assert "等待创建办公室：试算，然后冻结名单并提交承诺" in supervisor.get(page).text
    assert supervisor.post(f"{page}/commit").status_code == 403
    assert office.post(f"{page}/commit").status_code == 302
    assert office.post(f"{page}/cosign").status_code == 403
    assert supervisor.post(f"{page}/cosign").status_code == 422
    assert supervisor.post(f"{page}/cosign", data=cosign_form(people, write)).status_code == 302
    typed = " ".join(map(str, DICE))
    wrong = "6" + typed[1:]
    assert office.post(f"{page}/dice", data={"source": "dice", "values": wrong}).status_code == 302
    short = supervisor.post(f"{page}/dice", data={"source": "dice", "values": "1 2 3"})
    assert (
        short.status_code == 422
        and "须恰好 50 个值" in short.text
        and "1 2 3</textarea>" in short.text
    )
    supervisor.post(f"{page}/dice", data={"source": "dice", "values": typed})
    assert "第 1 个值不同" in office.get(page).text
    assert typed not in office.get(page).text  # never the other's values
    office.post(f"{page}/dice", data={"source": "dice", "values": typed})
    assert typed in office.get(page).text
    bad = office.post(f"{page}/code", data={"party": "office", "code": "0" * 64})
    assert bad.status_code == 422 and "口令与“创建办公室”的承诺不符" in bad.text
    office.post(f"{page}/code", data={"party": "office", "code": people.code("office")})
    supervisor.post(f"{page}/code", data={"party": "supervisor", "code": people.code("supervisor")})
    answers = [office.post(f"{page}/complete").status_code for _ in range(20)]
    assert answers == [409] * 20, "the last code has drawn already"
    with write() as session:
        draw = session.scalar(select(Draw))
        assert draw.state == "completed"
        assert session.scalar(select(func.count(Seat.id))) == 5
        names = [s.expert.person.name for s in draw.seats]
        digest = draw.commitment_hash
    for client in (office, supervisor):
        shown = client.get(page).text
        assert all(name in shown for name in names) and digest[:16] in shown
        assert "第 5 席" in shown
    hall = office.get(f"{page}/present").text
    assert digest in hall and not any(name in hall for name in names)


def test_pages_speak_english(office: Any, people: Staff, write: Any, supervisor: Any) -> None:
    with write() as session:
        draw = completed(session, people, request(session, people, session.scalar(select(Round))))
        page, key = f"{BASE}/{draw.id}", draw.seats[0].expert_id
    english(supervisor)
    shown = supervisor.get(page).text
    for words in (
        "Exclusions and reasons",
        "Members now",
        "Ticket",
        "Chances",
        "rules not computed",
    ):
        assert words.casefold() in shown.casefold(), words
    body = re.sub(r"<header.*?</header>", "", shown, flags=re.S)
    visible = re.sub(r"<[^>]+>", " ", body)
    leftovers = set(re.findall(r"[\u4e00-\u9fff]+", visible))
    assert leftovers <= {"明鉴", "测试专家"}, leftovers
    assert "not computed" in supervisor.get(f"{page}/why?expert={key}").text
    index = english(office).get(BASE).text
    assert "Completed" in index and "attempt" in index.casefold()
    slip = supervisor.get(f"{page}/slip")
    assert slip.mimetype == "application/pdf" and slip.data.startswith(b"%PDF")
    bundle = supervisor.get(f"{page}/transcript")
    assert "commitment.json" in zipfile.ZipFile(io.BytesIO(bundle.data)).namelist()


def test_a_refused_request_keeps_what_was_typed(office: Any, write: Any) -> None:
    with write() as session:
        subjects = list(session.scalars(select(Subject.id)))
    answer = office.post(
        f"{BASE}/new",
        data={"stage": "desk", "subjects": subjects, "split": "one", "seats": "6", "mode": "tickets",
              "load_cap": "0", "replacement": "act", "dice": "50", "accept_high": "",
              "min_discipline_law": "2"},
    )  # fmt: skip
    assert answer.status_code == 422
    assert "规则 D-03" in answer.text and 'name="min_discipline_law" value="2"' in answer.text
    with write() as session:
        assert session.scalar(select(func.count(Draw.id))) == 0


def test_nobody_else_comes_in_and_unknown_looks_the_same(
    office: Any, client_as: Callable[..., Any], people: Staff, write: Any
) -> None:
    page = created(office, write)
    for role in ("expert", "presenter", "keeper", "admin"):
        client = client_as(role)
        for path in (
            BASE,
            f"{BASE}/new",
            page,
            f"{page}/why",
            f"{page}/slip",
            f"{page}/transcript",
        ):
            assert client.get(path).status_code in (403, 404), (role, path)
        assert client.post(f"{page}/complete").status_code in (403, 404)
    assert office.get(f"{BASE}/{'0' * 16}").status_code == 404
    assert office.get(f"{page}/transcript").status_code == 404
    assert office.get(f"{page}/present").status_code == 404


def test_calls_and_replacement_on_the_page(
    office: Any, supervisor: Any, people: Staff, write: Any
) -> None:
    with write() as session:
        draw = completed(session, people, request(session, people, session.scalar(select(Round))))
        page, seat = f"{BASE}/{draw.id}", draw.seats[0]
        name, seat_id = seat.expert.person.name, seat.id
    call = {"channel": "phone", "outcome": "declined", "reason": "", "note": ""}
    refused = office.post(f"{page}/seats/{seat_id}/contact", data=call)
    assert refused.status_code == 422 and "没有登记" in refused.text
    call["reason"] = "travel"
    assert office.post(f"{page}/seats/{seat_id}/contact", data=call).status_code == 302
    assert "出差" in office.get(page).text
    none = office.post(f"{page}/removals", data={"reason": "absence", "evidence": "来电说明"})
    assert none.status_code == 422 and "请选择要更换的席位" in none.text
    data = {"seats": [seat_id], "reason": "absence", "evidence": "来电说明"}
    assert office.post(f"{page}/removals", data=data).status_code == 302
    assert "核对更换事由并会签" in supervisor.get(page).text
    assert supervisor.post(f"{page}/act/cosign").status_code == 422
    form = act_cosign_form(people, write)
    assert supervisor.post(f"{page}/act/cosign", data=form).status_code == 302
    office.post(f"{page}/act/code", data={"party": "office", "code": people.code("office", 2)})
    supervisor.post(
        f"{page}/act/code", data={"party": "supervisor", "code": people.code("supervisor", 2)}
    )
    # The last code has filled the vacancy already.
    assert [office.post(f"{page}/act/complete").status_code for _ in range(3)] == [404] * 3
    with write() as session:
        active = list(session.scalars(select(Seat).where(Seat.state != "removed")))
        assert len(active) == 5 and name not in {s.expert.person.name for s in active}
    slip = office.get(f"{page}/slip")
    assert slip.status_code == 200 and slip.data.startswith(b"%PDF")


def test_queries_do_not_grow_with_the_pool(
    office: Any, people: Staff, write: Any, app: Any
) -> None:
    page = created(office, write)
    engine = app.extensions["mingjian.db"].engine
    counts: list[int] = []

    def count(*_: Any) -> None:
        counts[-1] += 1

    for extra in (0, 40):
        with write() as session:
            body = session.scalar(select(Organisation))
            for n in range(extra):
                make_expert(session, 500 + n, body)
            append(session, None, "test.more")
        counts.append(0)
        event.listen(engine, "before_cursor_execute", count)
        assert office.get(page).status_code == 200
        event.remove(engine, "before_cursor_execute", count)
    with write() as session:
        assert session.scalar(select(func.count(Expert.id))) == 100
    assert counts[0] == counts[1] < 60, counts

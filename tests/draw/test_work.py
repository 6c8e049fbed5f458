"""A slow look or commitment is computed beside the request: followed, left, refused, lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app import clock
from app.draw import operations, outlook, work
from app.draw.models import Draw
from app.draw.models_request import WhatIf
from app.draw.models_work import Work
from app.ledger.append import append
from app.programme.models import Subject
from tests.draw.builders import Staff

BASE = "/r/r1/draws"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "BEAT", 0.05)


def drafted(write: Any, people: Staff, **panel: Any) -> str:
    with write() as session:
        round_ = session.scalars(select(Subject)).first().round
        return operations.request_draw(
            session, people.office, round=round_, stage="desk",
            subject_ids=[s.id for s in round_.subjects],
            panels=[{"id": "P1", "seats": 5, "mode": "lottery", **panel}],
        ).id  # fmt: skip


def ended(client: Any, key: str, wanted: Callable[[Any], bool] | None = None) -> Any:
    """The last state that the page heard, once `wanted` holds (else: once nothing runs)."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        state = client.get(f"{BASE}/{key}/work/state").get_json()
        if wanted(state) if wanted else state["state"] != "running":
            return state
        time.sleep(0.05)
    raise AssertionError(state)


def test_a_look_goes_on_when_its_page_is_left_and_tells_how_far_it_is(
    office: Any, write: Any, people: Staff, client_as: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = drafted(write, people)
    heard: list[tuple[str, float | None]] = []
    go_on = False
    real = outlook.prepare_lotteries

    def slow(*args: Any, tell: Any, **named: Any) -> Any:
        def told(done: float, phase: Any) -> None:
            heard.append((phase.zh, done))
            tell(done, phase)
            while done >= 0.2 and not go_on:
                time.sleep(0.01)

        return real(*args, tell=told, **named)

    monkeypatch.setattr(outlook, "prepare_lotteries", slow)
    assert office.get(f"{BASE}/{key}/work/state").get_json()["state"] == "none"
    assert office.get(f"{BASE}/{key}/work").status_code == 302
    asked = office.post(f"{BASE}/{key}/what-if", data={"follow": "1"})
    assert asked.status_code == 302 and asked.location == f"{BASE}/{key}/work"
    # Nobody looks; somebody else finds it on the page of the draw and as figures.
    other = client_as(people.supervisor)
    state = ended(other, key, lambda s: (s["done"] or 0) >= 0.2)
    assert state["state"] == "running" and 0.2 <= state["done"] < 1
    assert state["stage"].startswith("评审组 P1 的公平抽签表：")
    page = other.get(f"{BASE}/{key}").text
    assert "正在试算" in page and f'href="{BASE}/{key}/work"' in page
    watched = other.get(f"{BASE}/{key}/work").text
    assert '<progress data-bar max="1" value="0.' in watched and "可以离开本页" in watched
    # A second one is not begun.
    again = office.post(f"{BASE}/{key}/what-if", data={"follow": "1"}, follow_redirects=True)
    assert "没有再开始一次" in again.text
    go_on = True
    assert ended(other, key)["state"] == "done"
    assert office.get(f"{BASE}/{key}/work").location == f"{BASE}/{key}"
    assert [done for _, done in heard][-1] == 1.0 and len({phase for phase, _ in heard}) >= 4
    with write() as session:
        assert session.scalar(select(func.count(WhatIf.id))) == 1
        assert session.scalar(select(func.count(Work.id))) == 1
    assert "第 1 次试算" in office.get(f"{BASE}/{key}").text


def test_a_commitment_is_followed_and_its_refusal_stays_on_the_page(
    office: Any, write: Any, people: Staff
) -> None:
    key = drafted(write, people, quotas={"kind": {"management": [0, 0]}})
    office.post(f"{BASE}/{key}/commit", data={"follow": "1"})
    assert ended(office, key)["state"] == "refused"
    for page in (f"{BASE}/{key}/work", f"{BASE}/{key}"):
        text = office.get(page).text
        assert "没有提交承诺" in text and "机会为零" in text
    office.post("/language", data={"lang": "en", "next": "/"})
    assert "The latest commitment was not done" in office.get(f"{BASE}/{key}").text
    office.post("/language", data={"lang": "zh", "next": "/"})
    with write() as session:
        draw = session.get_one(Draw, key)
        draw.request = {**draw.request, "accept_zero": "not_needed"}
        append(session, None, "test.accepted")
    office.post(f"{BASE}/{key}/commit", data={"follow": "1"})
    assert ended(office, key)["state"] == "done"
    with write() as session:
        assert session.get_one(Draw, key).state == "committed"
    assert "最近一次提交承诺没有完成" not in office.get(f"{BASE}/{key}").text


def test_a_restart_on_the_way_is_said_plainly_and_can_be_asked_again(
    office: Any, write: Any, people: Staff
) -> None:
    key = drafted(write, people)
    now = clock.now()
    with write() as session:
        session.add(
            Work(
                draw_id=key, kind="what_if", account_id=people.office.id, stage_zh="求解", stage_en="x",
                began_at=now - timedelta(minutes=3), heard_at=now - timedelta(seconds=31),
            )
        )  # fmt: skip
    assert office.get(f"{BASE}/{key}/work/state").get_json()["state"] == "broken"
    for page in (f"{BASE}/{key}/work", f"{BASE}/{key}"):
        assert (
            "服务器在计算途中重新启动或停止，没有保存任何内容。请重新提交。"
            in office.get(page).text
        )
    office.post(f"{BASE}/{key}/what-if", data={"follow": "1"})
    assert ended(office, key)["state"] == "done"


def test_a_fault_of_the_programme_ends_the_page_too(
    office: Any, write: Any, people: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = drafted(write, people)

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(outlook, "summary", broken)
    office.post(f"{BASE}/{key}/what-if", data={"follow": "1"})
    assert ended(office, key)["state"] == "broken"
    text = office.get(f"{BASE}/{key}/work").text
    assert "计算中断，没有保存任何内容" in text and "ZeroDivision" not in text
    with write() as session:
        assert session.scalar(select(func.count(WhatIf.id))) == 0


def test_the_silent_thread_of_a_lost_computation_changes_nothing_any_more(
    app: Any, office: Any, write: Any, people: Staff
) -> None:
    """It was taken for gone, a second one began: the first may not end the second."""
    key = drafted(write, people)
    parts = app.extensions["mingjian.db"]
    kept: list[Any] = []
    work.start(parts, people.office, key, "what_if", lambda tell, end: kept.append(end), app.logger)
    ended(office, key, lambda _: bool(kept))
    with write() as session:
        session.query(Work).delete()
        session.add(
            Work(draw_id=key, kind="what_if", began_at=clock.now(), heard_at=clock.now())
        )  # fmt: skip
    with write() as session:
        kept[0](session)
    assert office.get(f"{BASE}/{key}/work/state").get_json()["state"] == "running"

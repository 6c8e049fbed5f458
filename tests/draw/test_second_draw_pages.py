"""The pages of a second draw: the office asks, the supervisor decides with his password, both see why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.draw import freezing, operations_release, pool, releases
from app.draw.models import Draw
from app.draw.models_refusals import DrawRefusal
from app.home.waits_supervisor import supervisor_waits
from app.programme import operations as programme
from tests.conftest import PASSWORD
from tests.draw.builders import Staff, completed, make_pool, make_round, request


@pytest.fixture
def first(write: Any, make: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Staff, str]:
    """A real draw with its result, in a round that is then cancelled."""
    monkeypatch.setattr(pool, "DRILLS", 100)
    monkeypatch.setattr(freezing, "REHEARSALS", 5)
    with write() as session:
        make_pool(session, 24, 10)
        staff = Staff(session, make)
        draw = completed(session, staff, request(session, staff, make_round(session, kind="real")))
        programme.cancel_round(session, staff.office, draw.round, "文件有误")
        return staff, draw.id


def test_from_the_question_to_the_release(
    first: tuple[Staff, str], write: Any, client_as: Callable[..., Any]
) -> None:
    staff, key = first
    base = f"/r/r1/draws/{key}"
    office, supervisor = client_as(staff.office), client_as(staff.supervisor)
    link = f'href="{base}/second"'
    assert link in office.get(base).text and link in supervisor.get(base).text
    assert "/r/r1/draws" in office.get("/r/r1/").text
    shown = office.get(f"{base}/second").text
    assert 'name="reason"' in shown and 'name="decision"' not in shown and "文件有误" in shown
    empty = office.post(f"{base}/second", data={"reason": " "})
    assert empty.status_code == 422
    assert office.post(f"{base}/second", data={"reason": "须重抽"}).status_code == 302
    with write() as session:
        (wait,) = [w for w in supervisor_waits(session, staff.supervisor) if w.round is not None]
        assert wait.endpoint == "draw.second" and "decide" in wait.what.en
    assert office.post(f"{base}/second", data={"reason": "须重抽"}).status_code == 409
    page = supervisor.get(f"{base}/second?lang=en").text
    assert "须重抽" in page and 'name="decision"' in page
    form = {"decision": "release", "answer": "已核对", "password": PASSWORD}
    assert office.post(f"{base}/second/decide", data=form).status_code == 403
    wrong = supervisor.post(f"{base}/second/decide", data={**form, "password": "x"})
    assert wrong.status_code == 422 and "密码不对" in wrong.text and "已核对" in wrong.text
    with write() as session:
        assert releases.of_draw(session, session.get_one(Draw, key))[0].state == "asked"
    assert supervisor.post(f"{base}/second/decide", data=form).status_code == 302
    with write() as session:
        (row,) = releases.of_draw(session, session.get_one(Draw, key))
        assert (row.state, row.decided_by) == ("released", staff.supervisor.id)
        told = [(r.act, r.reason) for r in session.query(DrawRefusal)]
    assert sorted(told) == [
        ("second_ask", "input"), ("second_ask", "state"), ("second_decide", "password"),
        ("second_decide", "role"),
    ]  # fmt: skip
    assert supervisor.post(f"{base}/second/decide", data=form).status_code == 409
    assert "已放行" in office.get(f"{base}/second").text
    assert client_as("keeper").get(f"{base}/second").status_code == 403
    line = supervisor.get(f"/supervision/draws/{key}").text
    assert "放行再次抽取" in line and "申请再次抽取" in line


def test_the_second_draw_shows_what_it_follows(
    first: tuple[Staff, str], write: Any, client_as: Callable[..., Any]
) -> None:
    staff, key = first
    with write() as session:
        draw = session.get_one(Draw, key)
        operations_release.ask_second(session, staff.office, draw, "须重抽")
        operations_release.decide_second(
            session, staff.supervisor, draw, release=True, answer="同意"
        )
        staff.secrets = {name: name.encode().ljust(32) for name in staff.secrets}
        second = completed(
            session, staff, request(session, staff, make_round(session, kind="real", slug="r2"))
        )
        later = second.id
    for who in (staff.office, staff.supervisor):
        page = client_as(who).get(f"/r/r2/draws/{later}").text
        assert "再次抽取" in page and f'href="/r/r1/draws/{key}/second"' in page
    assert (
        f'href="/r/r2/draws/{later}"'
        in client_as(staff.office).get(f"/r/r1/draws/{key}/second").text
    )

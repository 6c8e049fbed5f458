"""The office's one-time link for a county's representative: one person, one county, one use."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import clock
from app.accounts import queries
from app.accounts.models import Invitation
from app.directory.models import Person
from app.domain.types import Conflict, DomainError, Forbidden
from app.ledger.append import append
from app.programme import operations as programme
from app.programme.presenters import presenter_link
from tests.conftest import PASSWORD
from tests.programme.conftest import add_districts, add_regions, make_round

JOIN = re.compile(r"/(join|enter)/([\w-]{28,43})")


@pytest.fixture
def town(app: Any, client_as: Any) -> tuple[Any, dict[str, str], Any]:
    """(the office's client, district -> subject id, the application) of an open round."""
    office = client_as("office")
    with app.extensions["mingjian.db"].write() as session:
        add_regions(session)
        round_ = make_round(session, office.viewer, "one")
        found = {name: s.id for name, s in add_districts(session, office.viewer, round_).items()}
    return office, found, app


def send(office: Any, subject_id: str, name: str = "") -> Any:
    return office.post(f"/r/one/counties/{subject_id}/presenter/link", data={"name": name})


def token_of(response: Any) -> tuple[str, str]:
    return JOIN.search(response.get_data(as_text=True)).groups()


def test_the_link_makes_a_presenter_who_sees_only_the_own_county(town: Any) -> None:
    office, subjects, app = town
    own, other = subjects["东城区"], subjects["海淀区"]
    assert "presenter/link" in office.get(f"/r/one/counties/{own}").get_data(as_text=True)
    answer = send(office, own, "虚拟代表甲")
    kind, token = token_of(answer)
    page = answer.get_data(as_text=True)
    assert kind == "join" and "虚拟代表甲" in page and "<svg" in page
    guest = app.test_client()
    form = {"login": "county1", "password": PASSWORD, "again": PASSWORD}
    assert guest.get(f"/join/{token}").status_code == 200
    assert guest.post(f"/join/{token}", data={**form, "role": "admin"}).status_code == 302
    assert guest.post(f"/join/{token}", data=form).status_code == 404, "once"
    guest.post("/sign-in", data={"login": "county1", "password": PASSWORD})
    assert guest.get(f"/r/one/counties/{own}").status_code == 200
    assert guest.get(f"/r/one/counties/{other}").status_code == 404
    assert guest.get("/r/one/counties").status_code == 403
    with app.extensions["mingjian.db"].read() as session:
        viewer = queries.viewer_by_login(session, "county1")
        assert (viewer.role, viewer.name) == ("presenter", "虚拟代表甲")


def test_who_has_an_account_gets_a_link_that_signs_in_for_ten_minutes(town: Any) -> None:
    office, subjects, app = town
    own = subjects["东城区"]
    _, token = token_of(send(office, own, "虚拟代表甲"))
    form = {"login": "county1", "password": PASSWORD, "again": PASSWORD}
    app.test_client().post(f"/join/{token}", data=form)
    kind, entry = token_of(send(office, own))
    assert kind == "enter"
    with clock.fixed(clock.now() + timedelta(minutes=10)):
        assert app.test_client().get(f"/enter/{entry}").status_code == 404
    tablet = app.test_client()
    assert tablet.post(f"/enter/{entry}").status_code == 302
    assert tablet.get(f"/r/one/counties/{own}").status_code == 200


def test_a_new_link_ends_the_one_before_and_a_new_name_the_old_person(town: Any) -> None:
    office, subjects, app = town
    own = subjects["东城区"]
    _, first = token_of(send(office, own, "虚拟代表甲"))
    _, second = token_of(send(office, own))
    assert app.test_client().get(f"/join/{first}").status_code == 404
    _, third = token_of(send(office, own, "虚拟代表乙"))
    assert app.test_client().get(f"/join/{second}").status_code == 404
    assert app.test_client().get(f"/join/{third}").status_code == 200
    with app.extensions["mingjian.db"].read() as session:
        row = session.scalars(
            select(Invitation).where(Invitation.token_hash == queries.token_hash(third))
        ).one()
        assert session.get_one(Person, row.person_id).name == "虚拟代表乙"
        assert row.role == "presenter" and row.expires_at - row.created_at == timedelta(hours=24)


def test_a_county_without_a_presenter_needs_a_name_and_the_page_says_so(town: Any) -> None:
    office, subjects, app = town
    answer = send(office, subjects["东城区"], "  ")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and not JOIN.search(page) and "陈述人姓名" in page
    with app.extensions["mingjian.db"].read() as session:
        assert session.scalars(select(Invitation)).all() == []


def test_only_the_office_and_only_while_the_county_takes_part(session: Any, make: Any) -> None:
    office = make.viewer(session, "office")
    add_regions(session)
    subjects = add_districts(session, office, make_round(session, office, "one"))
    subject = subjects["东城区"]
    for role in ("keeper", "supervisor", "expert", "presenter", "admin"):
        with pytest.raises(Forbidden):
            presenter_link(session, make.viewer(session, role), subject, name="甲")
    with pytest.raises(DomainError):
        presenter_link(session, office, subject)
    programme.withdraw_subject(session, office, subject, "虚构理由：撤回申报")
    with pytest.raises(Conflict):
        presenter_link(session, office, subject, name="甲")
    staff = make.viewer(session, "keeper")
    subjects["海淀区"].presenter = session.get(Person, staff.person_id)
    with pytest.raises(Forbidden):
        presenter_link(session, office, subjects["海淀区"])
    subjects["海淀区"].presenter = None
    append(session, None, "test.end")

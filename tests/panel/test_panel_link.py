"""The check-in desk's QR link: an account at first use, one use, ten minutes, the office only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app import clock
from app.accounts import operations, queries
from app.domain.types import Conflict, Forbidden
from app.ledger.append import append


def test_the_office_makes_a_link_that_enters_once_within_ten_minutes(
    session: Any, make: Any
) -> None:
    office = make.viewer(session, "office")
    person = make.person(session)
    token = operations.entry_link(session, office, person=person, login="e0007")
    assert queries.live_role(session, person.id) == "expert"
    again = operations.entry_link(session, office, person=person, login="e0007")
    invitation = queries.open_invitation(session, token)
    assert invitation is not None
    late = queries.open_invitation(session, again)
    _, viewer = operations.enter_by_link(session, invitation, agent="t", address="1", hours=1)
    assert (viewer.role, viewer.person_id) == ("expert", person.id)
    assert queries.open_invitation(session, token) is None
    with (
        clock.fixed(clock.now() + timedelta(minutes=11)),
        pytest.raises(Conflict),
    ):
        operations.enter_by_link(session, late, agent="t", address="1", hours=1)


def test_nobody_else_makes_one_and_staff_cannot_be_entered(session: Any, make: Any) -> None:
    person = make.person(session)
    for role in ("keeper", "supervisor", "admin"):
        with pytest.raises(Forbidden):
            operations.entry_link(session, make.viewer(session, role), person=person, login="e0008")
    append(session, None, "test.people")
    office, keeper = make.viewer(session, "office"), make.viewer(session, "keeper")
    staff = session.get(type(person), keeper.person_id)
    with pytest.raises(Forbidden):
        operations.entry_link(session, office, person=staff, login="x")

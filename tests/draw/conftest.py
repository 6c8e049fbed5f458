"""Fixtures of the draw's tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.draw import pool
from tests.draw.builders import Staff, make_pool, make_round


@pytest.fixture(autouse=True)
def few_drills(monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimates of chances from fewer drill draws: what is tested is not their last digit."""
    monkeypatch.setattr(pool, "DRILLS", 300)


@pytest.fixture
def staff(session: Session, make: Any) -> Staff:
    return Staff(session, make)


# For tests through pages: `write()` opens a transaction of the application's own database.


@pytest.fixture
def write(app: Any) -> Any:
    return app.extensions["mingjian.db"].write


@pytest.fixture
def people(write: Any, make: Any) -> Staff:
    """The staff of a world with a pool and a drill round of one county or more."""
    with write() as session:
        make_pool(session)
        make_round(session)
        return Staff(session, make)


@pytest.fixture
def office(client_as: Callable[..., Any], people: Staff) -> Any:
    return client_as(people.office)

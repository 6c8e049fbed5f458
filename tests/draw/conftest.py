"""Fixtures of the draw's tests."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.draw import pool
from tests.draw.builders import Staff


@pytest.fixture(autouse=True)
def few_drills(monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimates of chances from fewer drill draws: what is tested is not their last digit."""
    monkeypatch.setattr(pool, "DRILLS", 300)


@pytest.fixture
def staff(session: Session, make: Any) -> Staff:
    return Staff(session, make)

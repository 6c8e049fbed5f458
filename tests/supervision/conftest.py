"""Fixtures: a small pool, the people of a ceremony, and counters in the place of chance."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.draw import pool
from tests.draw.builders import Staff


@pytest.fixture(autouse=True)
def few_drills(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "DRILLS", 300)


@pytest.fixture
def staff(session: Session, make: Any) -> Staff:
    return Staff(session, make)


def coin(seed: str, number: int) -> float:
    """A number in [0, 1) from SHA-256 of a counter: the same on every machine."""
    digest = hashlib.sha256(f"{seed}|{number}".encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56

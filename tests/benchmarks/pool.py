"""A pool of any size, written straight into the tables: for reading speed, not for the ledger."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import insert, text

from app.db import Database
from app.directory.models import Employment, Organisation, Person
from app.registry.models import DISCIPLINES, SOURCES, Expert

EMPLOYERS = 400
CHUNK = 2_000


def fill_pool(database: Database, count: int) -> None:
    """`count` invented experts at 400 invented employers."""
    with database.write() as session:
        session.info["mode"] = "raw"
        session.execute(insert(Organisation), [
            {"id": f"a{n:015d}", "name": f"虚构大学{n:03d}", "kind": "university"} for n in range(EMPLOYERS)
        ])  # fmt: skip
        for start in range(0, count, CHUNK):
            numbers = range(start, min(start + CHUNK, count))
            session.execute(insert(Person), [_person(n) for n in numbers])
            session.execute(insert(Employment), [_post(n) for n in numbers])
            session.execute(insert(Expert), [_expert(n) for n in numbers])
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _person(n: int) -> dict[str, Any]:
    return {"id": f"b{n:015d}", "name": f"虚构{n * 7919 % 100_000:05d}"}


def _post(n: int) -> dict[str, Any]:
    return {
        "id": f"c{n:015d}",
        "person_id": f"b{n:015d}",
        "organisation_id": f"a{n % EMPLOYERS:015d}",
        "since": date(2010, 1, 1),
    }


def _expert(n: int) -> dict[str, Any]:
    return {
        "id": f"d{n:015d}",
        "person_id": f"b{n:015d}",
        "number": f"E{100 + n:04d}",
        "status": ("active", "active", "active", "candidate", "retired")[n % 5],
        "kind": "technical",
        "discipline": DISCIPLINES[n % len(DISCIPLINES)],
        "source": SOURCES[n % len(SOURCES)],
        "title": "教授",
        "title_rank": 4,
        "region_code": f"{(11, 13, 31, 44)[n % 4]}0100",
        "specialties": [],
    }

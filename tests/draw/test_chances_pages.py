"""Chances on the page of a draw: ranges instead of too many bars, and pages of people and of types."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from app.documents.charts import ProbabilityRow
from app.draw import freezing, operations, operations_what_if, pages, pool, type_chances
from app.draw.models import Draw
from app.programme.models import Round
from tests.draw.builders import Staff, request


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimates and rehearsals are not what is tested."""
    monkeypatch.setattr(pool, "DRILLS", 100)
    monkeypatch.setattr(freezing, "REHEARSALS", 5)


def test_ranges_hold_everybody_and_their_mean() -> None:
    rows = [ProbabilityRow(str(n), Decimal(n) / 100, n + 1) for n in range(41)]
    found = pages.in_ranges(rows)
    assert len(found) == pages.RANGES == 20
    assert sum(row.people for row in found) == sum(row.people for row in rows) == 861
    assert found[0].label == "0.00%–2.00%" and found[0].people == 3
    assert found[0].probability == (Decimal(0) * 1 + Decimal("0.01") * 2) / 3
    assert found[-1].label == "38.00%–40.00%" and found[-1].people == 39 + 40 + 41
    whole = sum((row.probability * row.people for row in rows), Decimal(0))
    assert abs(sum(row.probability * row.people for row in found) - whole) < Decimal("1e-20")
    alike = [ProbabilityRow("x", Decimal("0.5"), 2) for _ in range(70)]
    assert [(r.label, r.people) for r in pages.in_ranges(alike)] == [("50.00%–50.00%", 140)]


def test_people_and_types_come_in_pages(
    write: Any, people: Staff, client_as: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with write() as session:
        round_ = session.scalars(select(Round)).one()
        panel = {"quotas": {"discipline": {"land": [1, 2]}}}
        draw = request(session, people, round_, panel=panel)
        operations_what_if.what_if(session, people.office, draw)
        page = f"/r/r1/draws/{draw.id}"
        cover = operations_what_if.look(session, draw).summary["cover"]
    assert (cover["draws"], cover["seats"], cover["named"]) == (20, 100, 3)
    assert Decimal(cover["reserves"]) <= Decimal(cover["few"]) <= 1
    office = client_as(people.office)
    first = office.get(page).text
    assert "只定 3 名候补" in first and pages.percent(cover["few"]) in first
    assert "每个人的机会（60 人）" in first and "合为" not in first
    second = office.get(f"{page}?people=2").text
    listed = [re.findall(r'why\?expert=(\w+)">E\d+ ', text.split('id="everybody"')[1])
              for text in (first, second)]  # fmt: skip
    assert (len(listed[0]), len(listed[1])) == (50, 10)
    assert len(set(listed[0]) | set(listed[1])) == 60
    assert "people=2#everybody" in first and '<details id="everybody" open>' in second
    # A pool too large for one figure a person: types, ranges, and everybody by type once it is frozen.
    monkeypatch.setattr(type_chances, "LISTED", 59)
    monkeypatch.setattr(pages, "BARS", 3)
    monkeypatch.setattr(pages, "PAGE_SIZE", 15)
    with write() as session:
        draw = session.get_one(Draw, draw.id)
        operations_what_if.what_if(session, people.office, draw)
        types = len(operations_what_if.look(session, draw).summary["chances"]["types"])
    look = office.get(page).text
    assert "每个人的机会" not in look and re.search(r"（图，\d+ 类合为 \d+ 档）", look)
    assert f"各类人的机会（表，{types} 类）" in look and 15 < types < 30
    rest = office.get(f"{page}?types=2").text.split('id="types"')[1].split("</details>")[0]
    assert rest.count("<tr>") == types - 15 + 1
    with write() as session:
        operations.commit_draw(session, people.office, session.get_one(Draw, draw.id))
    frozen = office.get(f"{page}?people=4").text
    assert "每个人的机会（60 人）" in frozen and "各人的机会按其类型计" in frozen
    shown = re.findall(r'why\?expert=(\w+)">E\d+ ', frozen.split('id="everybody"')[1])
    assert len(shown) == 15 and "people=3#everybody" in frozen and "people=5" not in frozen

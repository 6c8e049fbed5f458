"""Lists of regions and organisations: sorted, filtered and paged by the database, in as many queries
whatever their length."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from app.directory.models import Organisation, Region
from app.ledger.append import append
from tests.field.counting import queries_of

REGIONS = (
    ("610000", "陕西省", "省级", None, None),
    ("610822", "府谷县", "县", "610800", None),
    ("610800", "榆林市", "地级市", "610000", None),
    ("610199", "旧城区", "市辖区", "610100", date(2001, 5, 1)),
    ("610198", "老县", "县", "610100", date(1999, 5, 1)),
)


def add_regions(session: Any, rows: Any = REGIONS) -> None:
    for code, name, kind, parent, until in rows:
        session.add(
            Region(code=code, name=name, kind=kind, parent_code=parent, valid_from=None,
                   valid_to=until, source=f"来源{kind}")
        )  # fmt: skip
    append(session, None, "test.regions")


def add_organisations(session: Any, number: int) -> None:
    root = Organisation(name="总局", kind="authority", region_code="610000", central=True)
    session.add(root)
    session.flush()
    kinds = ("university", "institute", "company")
    for n in range(number):
        session.add(
            Organisation(
                name=f"单位{n:04}", kind=kinds[n % 3], parent_id=root.id if n % 2 else None,
                region_code=None if n % 5 == 0 else "610800", central=n % 4 == 0,
            )
        )  # fmt: skip
    append(session, None, "test.organisations")


def cells(page: str, column: int) -> list[str]:
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    found = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    return [re.sub(r"<svg.*?</svg>|<[^>]+>", "", row[column]).strip() for row in found]


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("", ["610000", "610198", "610199", "610800", "610822"]),
        ("?sort=-code", ["610822", "610800", "610199", "610198", "610000"]),
        ("?sort=parent", ["610800", "610198", "610199", "610822", "610000"]),
        ("?sort=valid", ["610198", "610199", "610000", "610800", "610822"]),
        ("?sort=nonsense", ["610000", "610198", "610199", "610800", "610822"]),
        ("?kind=县&sort=-code", ["610822", "610198"]),
        ("?state=former", ["610198", "610199"]),
        ("?state=now&q=6108", ["610800", "610822"]),
    ],
)
def test_regions_sort_and_filter(app: Any, client_as: Any, query: str, codes: list[str]) -> None:
    with app.extensions["mingjian.db"].write() as session:
        add_regions(session)
    page = client_as("office").get(f"/regions{query}").get_data(as_text=True)
    assert cells(page, 0) == codes


def test_a_head_turns_its_order_and_keeps_the_filter(app: Any, client_as: Any) -> None:
    with app.extensions["mingjian.db"].write() as session:
        add_regions(session)
    office = client_as("office")
    page = office.get("/regions?kind=县&sort=name&page=1").get_data(as_text=True)
    assert re.search(r'aria-sort="ascending"><a href="[^"]*sort=-name[^"]*"', page)
    link = re.search(r'href="([^"]*sort=-name[^"]*)"', page)
    assert link and "kind=" in link[1] and "page=" not in link[1]
    assert '<input type="hidden" name="sort" value="name">' in page
    down = office.get("/regions?kind=县&sort=-name").get_data(as_text=True)
    assert cells(page, 1) == cells(down, 1)[::-1] and len(cells(page, 1)) == 2


def test_organisations_sort_by_every_column(app: Any, client_as: Any) -> None:
    with app.extensions["mingjian.db"].write() as session:
        add_organisations(session, 9)
    office = client_as("office")

    def shown(query: str, column: int = 0) -> list[str]:
        return cells(office.get(f"/organisations{query}").get_data(as_text=True), column)

    roots = ["单位0000", "单位0002", "单位0004", "单位0006", "单位0008", "总局"]
    assert shown("") == roots and shown("?sort=-name") == roots[::-1]
    assert shown("?sort=-children", 5) == ["4", "0", "0", "0", "0", "0"]
    assert shown("?sort=-children")[0] == "总局" and shown("?sort=children")[-1] == "总局"
    assert shown("?sort=place", 3)[-1] == "—" and shown("?sort=-place", 3)[0] == "—"
    assert shown("?sort=central", 4) == ["—", "—", "是", "是", "是", "是"]
    assert shown("?central=no&q=单位") == ["单位0001", "单位0002", "单位0003", "单位0005", "单位0006", "单位0007"]  # fmt: skip
    assert shown("?q=单位&sort=parent", 2) == ["总局"] * 4 + ["—"] * 5
    assert shown("?kind=company&sort=-name") == ["单位0008", "单位0005", "单位0002"]


def test_as_many_queries_at_one_row_as_at_three_thousand(app: Any, client_as: Any) -> None:
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        add_regions(session, REGIONS[:2])
        add_organisations(session, 0)
    office = client_as("office")
    urls = ("/regions?sort=-name&state=now", "/organisations?sort=-children")
    few = [queries_of(app, lambda: office.get(url)) for url in urls]  # noqa: B023
    with database.engine.connect().execution_options(write=True) as connection, connection.begin():
        # Straight into the tables: this is about reading.
        connection.execute(
            Region.__table__.insert(),
            [
                {"id": f"r{n:015}", "salt": b"0" * 16, "code": f"{700000 + n}", "name": f"县{n:05}",
                 "kind": "县", "parent_code": "610000", "source": "试"}
                for n in range(3000)
            ],
        )  # fmt: skip
        connection.execute(
            Organisation.__table__.insert(),
            [
                {"id": f"o{n:015}", "salt": b"0" * 16, "name": f"单位{n:05}", "kind": "company",
                 "central": False, "source": "", "region_code": "610800"}
                for n in range(3000)
            ],
        )  # fmt: skip
    assert [queries_of(app, lambda: office.get(url)) for url in urls] == few  # noqa: B023
    page = office.get("/regions?sort=-name&page=3").get_data(as_text=True)
    assert len(cells(page, 1)) == 50 and "3002" in page

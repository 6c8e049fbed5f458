"""The pool's lists ask the database the same number of questions whatever the number of rows."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import event

from app.accounts import operations as accounts
from app.accounts import queries as account_queries
from app.directory import operations as directory
from app.directory.models import Region
from app.registry import operations
from app.registry.operations import Candidate

LISTS = (
    "/pool", "/pool?q=测试&sort=-name", "/pool/duplicates", "/pool/corrections", "/pool/export.xlsx",
    "/registers/engagements", "/registers",
)  # fmt: skip


def add(session: Any, first: int, count: int) -> None:
    """`count` experts, each with a namesake's employer, a past panel and a request for correction."""
    session.add(Region(code=f"11{first:04d}", name=f"测试{first}", kind="x", source="test"))
    bodies = [
        directory.create_organisation(session, None, name=f"测试院{first + n}", kind="institute")
        for n in range(count)
    ]
    for number, body in enumerate(bodies, first):
        for twin in range(2):
            expert = operations.nominate(
                session, None,
                Candidate(
                    name=f"测试{number}", organisation=body, title="教授", title_rank=4,
                    kind="technical", discipline="land", source="institute", phone="13800001111",
                ),
                distinct=True,
            )  # fmt: skip
            operations.add_past_panel(
                session,
                None,
                expert=expert,
                round_name="2011年度",
                since=date(2011, 9, 5),
                basis="x",
            )
            if twin:
                account = accounts.create_account(
                    session, None, person=expert.person, login=expert.number, password_hash="x",
                    role="expert",
                )  # fmt: skip
                viewer = account_queries.viewer_of(session, account)
                assert viewer is not None
                operations.ask_correction(
                    session, viewer, expert=expert, field="title", wanted="研究员", explanation="x"
                )


def test_lists_take_the_same_number_of_queries(client_as: Any, app: Any) -> None:
    database = app.extensions["mingjian.db"]
    keeper = client_as("keeper")
    seen: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    def counts() -> dict[str, int]:
        found = {}
        for path in LISTS:
            assert keeper.get(path).status_code == 200  # warm
            seen.clear()
            keeper.get(path)
            found[path] = len(seen)
        return found

    with database.write() as session:
        add(session, 1, 1)
    event.listen(database.engine, "before_cursor_execute", note)
    few = counts()
    with database.write() as session:
        add(session, 2, 25)
    many = counts()
    event.remove(database.engine, "before_cursor_execute", note)
    assert many == few
    assert all(3 < n < 25 for n in few.values()), few
    page = keeper.get("/pool/duplicates").text
    assert page.count("/merge?other=") == 200, "as many as are shown"

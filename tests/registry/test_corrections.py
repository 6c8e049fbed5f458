"""Dated changes of name and numbers, the logged look at them, and what experts ask to be corrected."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts import operations as accounts
from app.accounts import queries as account_queries
from app.accounts.viewer import Viewer
from app.directory import operations as directory
from app.directory import queries as directory_queries
from app.directory.models import FormerValue, Organisation
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.ledger.models import Event, Secret
from app.registry import operations, queries_registers
from app.registry.models import Expert, ExpertCorrection
from app.registry.operations import Candidate

OLD, NEW = "13800001111", "13900002222"


@pytest.fixture
def place(session: Session) -> Organisation:
    return directory.create_organisation(session, None, name="测试大学", kind="university")


def expert_of(session: Session, place: Organisation, name: str = "测试甲") -> tuple[Expert, Viewer]:
    row = operations.nominate(
        session, None,
        Candidate(
            name=name, organisation=place, title="副教授", title_rank=3, kind="technical",
            discipline="land", source="university", phone=OLD if name == "测试甲" else None,
        ),
    )  # fmt: skip
    account = accounts.create_account(
        session, None, person=row.person, login=row.number, password_hash="x", role="expert"
    )
    viewer = account_queries.viewer_of(session, account)
    assert viewer is not None
    return row, viewer


def test_changes_are_dated_and_former_values_stay_readable(
    session: Session, place: Organisation, keys: Any, make: Any
) -> None:
    expert, _ = expert_of(session, place)
    keeper = make.viewer(session, "keeper")
    operations.edit_expert(
        session, keeper, expert=expert, version=expert.version, name="测试改名", phone=NEW,
        on=date(2026, 3, 1),
    )  # fmt: skip
    former = directory_queries.former_values(session, expert.person)
    assert {
        (r.field, directory_queries.clear_former(r, keys), r.until, r.changed_by) for r in former
    } == {
        ("name", "测试甲", date(2026, 2, 28), keeper.id),
        ("phone", OLD, date(2026, 2, 28), keeper.id),
    }
    assert {directory_queries.masked_former(r, keys) for r in former} == {"测试甲", "138****1111"}
    assert all(OLD not in row.value for row in former), "kept encrypted"
    tomorrow = clock.today("Asia/Shanghai") + timedelta(days=2)
    with pytest.raises(DomainError, match="不能晚于今天"):
        operations.edit_expert(
            session, keeper, expert=expert, version=expert.version, phone=OLD, on=tomorrow
        )
    same = operations.edit_expert(
        session, keeper, expert=expert, version=expert.version, name="测试改名"
    )
    assert same == [] and len(session.scalars(select(FormerValue)).all()) == 2
    shown = operations.reveal(session, keeper, expert=expert, reason="核对")
    assert shown["phone"] == NEW and OLD in shown["former_phones"]
    secret = session.scalars(select(Secret).order_by(Secret.seq.desc())).first()
    assert secret is not None and json.loads(secret.body)["data"]["reason"] == "核对"


def test_an_accepted_correction_changes_the_fact(
    session: Session, place: Organisation, keys: Any, make: Any
) -> None:
    expert, viewer = expert_of(session, place)
    keeper = make.viewer(session, "keeper")

    def ask(field: str, wanted: str) -> ExpertCorrection:
        return operations.ask_correction(
            session, viewer, expert=expert, field=field, wanted=wanted, explanation="换号"
        )

    row = ask("phone", "１３９ ００００２２２２")
    assert NEW not in row.wanted
    with pytest.raises(Conflict, match="等待答复"):
        ask("phone", NEW)
    operations.answer_correction(
        session, keeper, correction=row, accept=True, reason="已核实", on=date(2026, 2, 1)
    )
    assert keys.decrypt(expert.person.phone) == NEW
    former = session.scalars(select(FormerValue)).one()
    assert (former.field, former.until) == ("phone", date(2026, 1, 31))
    with pytest.raises(Conflict, match="已经答复"):
        operations.answer_correction(session, keeper, correction=row, accept=False, reason="x")
    title = ask("title", "教授")
    operations.answer_correction(session, keeper, correction=title, accept=True, reason="证书")
    assert (expert.title, expert.title_rank) == ("教授", 4)
    name = ask("name", "测试佳")
    operations.answer_correction(session, keeper, correction=name, accept=False, reason="无凭据")
    assert expert.person.name == "测试甲" and name.decision == "refused"
    last = session.scalars(select(Event).order_by(Event.seq.desc())).first()
    assert last is not None and '"kind":"sealed"' in last.payload


def test_who_may_ask_and_answer(session: Session, place: Organisation, make: Any) -> None:
    expert, viewer = expert_of(session, place)
    other, stranger = expert_of(session, place, "测试乙")

    def ask(
        who: Viewer, field: str = "title", wanted: str = "教授", **more: Any
    ) -> ExpertCorrection:
        more = {"explanation": "证书"} | more
        return operations.ask_correction(
            session, who, expert=expert, field=field, wanted=wanted, **more
        )

    for who in (stranger, make.viewer(session, "keeper")):
        with pytest.raises(Forbidden):
            ask(who)
    for field, wanted, more in (
        ("phone", "123", {}), ("birth_date", "3/4/1970", {}), ("career_start", "很久", {}),
        ("title", " ", {}), ("status", "active", {}), ("title", "教授", {"explanation": " "}),
    ):  # fmt: skip
        with pytest.raises(DomainError):
            ask(viewer, field, wanted, **more)
    row = ask(viewer)
    for role in ("office", "supervisor", "expert", "admin"):
        with pytest.raises(Forbidden):
            operations.answer_correction(
                session, make.viewer(session, role), correction=row, accept=True, reason="x"
            )
    with pytest.raises(DomainError, match="理由"):
        operations.answer_correction(
            session, make.viewer(session, "keeper"), correction=row, accept=True, reason=" "
        )
    with pytest.raises(NotFound):
        queries_registers.correction(session, viewer, row.id)
    assert queries_registers.own_corrections(session, other.id) == []


def test_the_pages_of_a_correction(client_as: Any, app: Any) -> None:
    with app.extensions["mingjian.db"].write() as session:
        place = directory.create_organisation(session, None, name="测试大学", kind="university")
        expert, viewer = expert_of(session, place)
        key = expert.id
    own, keeper = client_as(viewer), client_as("keeper")
    form = {
        "correction-field": "phone",
        "correction-wanted": "12",
        "correction-explanation": "换号",
    }
    bad = own.post("/me/expert/correction", data=form)
    assert bad.status_code == 422 and "手机号应为" in bad.text and "换号" in bad.text
    assert (
        own.post("/me/expert/correction", data={**form, "correction-wanted": NEW}).status_code
        == 302
    )
    mine = own.get("/me/expert").text
    assert NEW in mine and "待答复" in mine
    listed = keeper.get("/pool/corrections").text
    assert "139****2222" in listed and NEW not in listed
    assert "更正申请待您答复" in keeper.get("/").text
    seen = client_as("supervisor").get("/pool/corrections").text
    assert "139****2222" in seen and NEW not in seen
    assert client_as("office").get("/pool/corrections").status_code == 403
    found = re.search(r'action="(/pool/corrections/([0-9a-f]{16}))"', listed)
    assert found is not None
    url, row = found[1], found[2]
    refused = keeper.post(url, data={f"{row}-decision": "refused", f"{row}-reason": ""})
    assert refused.status_code == 422
    done = keeper.post(url, data={f"{row}-decision": "accepted", f"{row}-reason": "已核实"})
    assert done.status_code == 302
    after = own.get("/me/expert").text
    assert "已核实" in after and "接受，予以更正" in after and OLD in after
    page = keeper.get(f"/pool/{key}").text
    assert "138****1111" in page and "139****2222" in page and OLD not in page
    gone = keeper.get("/pool/corrections").text
    assert NEW not in gone and "139****2222" in gone
    edit = keeper.get(f"/pool/{key}/edit").text
    version = re.search(r'name="version"[^>]*value="(\d+)"', edit)
    assert version is not None
    facts = {
        "version": version[1], "name": "测试佳", "title": "副教授", "title_rank": "3",
        "kind": "technical", "discipline": "land", "source": "university", "on": "2026-04-01", "note": "测试备注",
    }  # fmt: skip
    assert keeper.post(f"/pool/{key}/edit", data=facts).status_code == 302
    page = keeper.get(f"/pool/{key}").text
    assert "测试甲" in page and "2026-03-31" in page and "测试备注" in page

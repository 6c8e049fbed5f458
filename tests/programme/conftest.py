"""The Beijing exercise in small: six districts in two classes, as the notice of 2012 names them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.directory.models import Organisation, Region
from app.domain.types import Text
from app.ledger.append import append
from app.programme import operations, queries
from app.programme.models import Round, Subject

DISTRICTS = (
    ("110101", "东城区", "II"),
    ("110108", "海淀区", "I"),
    ("110106", "丰台区", "I"),
    ("110113", "顺义区", "I"),
    ("110117", "平谷区", "I"),
    ("110116", "怀柔区", "I"),
)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
EXEMPTION = {
    "central_exempt": {
        "decided_by": "测试办公室",
        "on": "2012-10-08",
        "reason": {"zh": "测试", "en": "a test"},
    }
}


def add_regions(session: Session) -> None:
    for code, name, _ in DISTRICTS:
        session.add(
            Region(code=code, name=name, kind="市辖区", parent_code="110000", source="test")
        )
    session.add(
        Region(
            code="110103",
            name="崇文区",
            kind="市辖区",
            parent_code="110000",
            valid_to=date(2010, 7, 1),
            source="test",
        )
    )
    append(session, None, "test.regions")


def make_round(session: Session, actor: Any, slug: str = "bj-2") -> Round:
    """A round in preparation: forms loaded and fixed, no counties."""
    operations.load_forms(session, actor)
    round_ = operations.create_round(
        session,
        actor,
        slug=slug,
        scheme_id="beijing-2012-2nd",
        title_zh="第二届评选演练",
        title_en="Second selection, drill",
        kind="drill",
        review_on=date(2012, 11, 12),
        rule_overrides=EXEMPTION,
    )
    operations.pin_latest(session, actor, round_)
    return round_


def add_districts(session: Session, actor: Any, round_: Round) -> dict[str, Subject]:
    """The six, with every fact answered "no": name -> subject."""
    facts = dict.fromkeys(queries.facts_asked(round_), False)
    made = {}
    for code, name, cls in DISTRICTS:
        made[name] = operations.add_subject(
            session,
            actor,
            round_,
            region_code=code,
            region_class=cls,
            class_basis="京国土调〔2012〕485号 三",
            facts=facts,
        )
    return made


def fill_figures(session: Session, enters: Any, confirms: Any, round_: Round) -> None:
    """A plain number for every figure that a form reads; ratios stay below one."""
    catalogue = queries.figure_catalogue(round_)
    for place, (subject, key, _) in enumerate(queries.missing_figures(session, round_)):
        if key in queries.figures_of(session, round_)[subject.id]:
            continue
        top = catalogue[key].maximum
        value = 1000 + place if top is None else int(top)
        figure = operations.enter_figure(
            session, enters, subject, key, value, "", 2011, "测试统计表 第1页"
        )
        operations.confirm_figure(session, confirms, figure)


@pytest.fixture
def people(session: Session, make: Any) -> dict[str, Any]:
    """One viewer of each role, and a second person in the office."""
    roles = ("office", "keeper", "supervisor", "expert", "presenter", "admin")
    return {role: make.viewer(session, role) for role in roles} | {
        "second": make.viewer(session, "office")
    }


@pytest.fixture
def round_(session: Session, people: dict[str, Any]) -> Round:
    add_regions(session)
    return make_round(session, people["office"])


@pytest.fixture
def districts(session: Session, people: dict[str, Any], round_: Round) -> dict[str, Subject]:
    return add_districts(session, people["office"], round_)


@pytest.fixture
def opened(
    session: Session, people: dict[str, Any], round_: Round, districts: dict[str, Subject]
) -> Round:
    return operations.open_round(session, people["office"], round_)


@pytest.fixture
def unit(session: Session) -> Organisation:
    made = Organisation(name="测试指导处", kind="authority", region_code="110000", source="test")
    session.add(made)
    append(session, None, "test.unit")
    return made


@pytest.fixture
def says() -> Callable[[Any], str]:
    """Both languages of a raised error in one string."""

    def text(caught: Any) -> str:
        found: Text = caught.value.text
        return f"{found.zh} | {found.en}"

    return text

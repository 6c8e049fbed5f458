"""What a new installation and a new round ask for first; nobody is sent to a page with nothing to do."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app import clock
from app.accounts.viewer import Viewer
from app.domain.types import DomainError
from app.draw.models import Draw
from app.draw.models_ceremony import DeviceKey
from app.home.queries import stage_line
from app.home.waits import waits
from app.ledger.append import append
from app.programme import operations, queries
from app.programme.models import Round
from tests.aggregation import builders as scored
from tests.programme.conftest import add_regions, make_round


def said(session: Any, viewer: Viewer) -> list[tuple[str, str]]:
    session.flush()
    return [(wait.endpoint, wait.what.en) for wait in waits(session, viewer)]


def endpoints(session: Any, viewer: Viewer) -> list[str]:
    return [endpoint for endpoint, _ in said(session, viewer)]


def test_a_new_installation_says_who_is_missing_and_what_comes_first(
    session: Any, make: Any
) -> None:
    admin = make.viewer(session, "admin")
    assert [words for _, words in said(session, admin)] == [
        "There is no supervisor yet: invite one",
        "Nobody of the programme office yet: invite one",
        "There is no pool keeper yet: invite one",
    ]
    office, keeper = make.viewer(session, "office"), make.viewer(session, "keeper")
    assert [words for _, words in said(session, admin)] == [
        "There is no supervisor yet: invite one"
    ]
    assert endpoints(session, office) == ["programme.new_round"]
    assert endpoints(session, keeper) == ["registry.import_file"]
    scored.expert(session, make, 1)
    assert "registry.import_file" not in endpoints(session, keeper)


def luohe(session: Any, office: Viewer) -> Round:
    """An open round of one county, by a scheme that has no qualification form."""
    add_regions(session)
    operations.load_forms(session, office)
    round_ = operations.create_round(
        session, office, slug="lh", scheme_id="luohe-2010", title_zh="测试届", title_en="Test",
        kind="real", review_on=date(2012, 11, 12),
    )  # fmt: skip
    operations.pin_latest(session, office, round_)
    operations.add_subject(
        session, office, round_, region_code="东城区", region_class="", class_basis="测试文件",
        facts=dict.fromkeys(queries.facts_asked(round_), False),
    )  # fmt: skip
    return operations.open_round(session, office, round_)


def draft(session: Any, round_: Round, state: str = "draft") -> Draw:
    row = Draw(
        round_id=round_.id, stage="select", kind="real", purpose_key="测试", state=state,
        request={"parties": ["office", "supervisor"]}, created_at=clock.now(),
    )  # fmt: skip
    session.add(row)
    append(session, None, "test.draw")
    return row


def test_no_check_is_awaited_where_the_scheme_has_no_form_for_it(session: Any, make: Any) -> None:
    office, keeper = make.viewer(session, "office"), make.viewer(session, "keeper")
    round_ = luohe(session, office)
    assert "programme.qualification" not in endpoints(session, office)
    stages = [stage["key"] for stage in stage_line(session, keeper, round_)]
    assert stages[:2] == ["declare", "draw"]
    other = make_round(session, office)
    operations.add_subject(
        session, office, other, region_code="110101", region_class="II", class_basis="测试文件",
        facts=dict.fromkeys(queries.facts_asked(other), False),
    )  # fmt: skip
    assert "programme.qualification" in endpoints(session, office)
    stages = [stage["key"] for stage in stage_line(session, keeper, other)]
    assert stages[:3] == ["declare", "qualify", "draw"]


def test_an_open_round_asks_for_its_draw_and_the_draw_for_the_supervisor(
    session: Any, make: Any
) -> None:
    office, supervisor = make.viewer(session, "office"), make.viewer(session, "supervisor")
    round_ = luohe(session, office)
    assert ("draw.new", "The round is open: ask for the draw of experts") in said(session, office)
    assert endpoints(session, supervisor) == ["ceremony.own_device"]
    row = draft(session, round_)
    assert "draw.new" not in endpoints(session, office)
    assert endpoints(session, supervisor) == ["ceremony.own_device", "draw.codes"]
    row.state = "aborted"
    append(session, None, "test.draw")
    assert endpoints(session, supervisor) == ["ceremony.own_device"]
    key = DeviceKey(
        account_id=supervisor.id, public="00" * 32, name="supervisor-00000000", label="测试",
        registered_at=clock.now(),
    )  # fmt: skip
    session.add(key)
    append(session, None, "test.key")
    assert endpoints(session, supervisor) == []
    key.revoked_at = clock.now()
    append(session, None, "test.key")
    assert endpoints(session, supervisor) == []  # until the next draw asks for one
    row.state = "draft"
    append(session, None, "test.draw")
    assert endpoints(session, supervisor) == ["ceremony.own_device", "draw.codes"]
    row.state = "aborted"
    append(session, None, "test.draw")
    assert "draw.new" in endpoints(session, office)


def test_a_county_is_found_by_its_name(session: Any, make: Any) -> None:
    office = make.viewer(session, "office")
    round_ = luohe(session, office)
    assert [(s.region_code, s.name_zh) for s in round_.subjects] == [("110101", "东城区")]


def test_a_name_that_means_nothing_is_refused_with_the_way_out(session: Any, make: Any) -> None:
    office = make.viewer(session, "office")
    add_regions(session)
    round_ = make_round(session, office)
    with pytest.raises(DomainError) as refused:
        operations.add_subject(
            session, office, round_, region_code="无此区", region_class="I", class_basis="测试"
        )
    assert refused.value.field == "region_code"
    assert "无此区" in refused.value.text.zh and "list of regions" in refused.value.text.en

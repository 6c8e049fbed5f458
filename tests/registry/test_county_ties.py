"""The county's side of conflicts: kept as written, and the answer never says who is in the pool."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from app.directory.operations import create_organisation, load_regions
from app.domain.types import DomainError, Forbidden
from app.registry import operations
from app.registry.models import CountyTie, Interest


def _expert(session: Any) -> Any:
    school = create_organisation(session, None, name="测试大学", kind="university")
    return operations.nominate(
        session,
        None,
        operations.Candidate(
            name="测试甲",
            organisation=school,
            title="教授",
            title_rank=4,
            kind="technical",
            discipline="land",
            source="university",
            consent_on=date(2026, 1, 1),
        ),
    )


def test_a_namesake_in_the_pool_is_kept_out_until_decided(session: Any, make: Any) -> None:
    load_regions(session, None)
    expert = _expert(session)
    presenter = make.viewer(session, "presenter")
    words = {
        "region_code": "110108",
        "employer": "测试大学",
        "kind": "kin",
        "evidence": "区长的兄弟",
    }
    operations.declare_from_county(session, presenter, person_name=" 测试甲 ", **words)
    operations.declare_from_county(session, presenter, person_name="不在库的人", **words)
    operations.declare_from_county(session, presenter, person_name="测试甲", **words)
    kept = session.scalars(select(CountyTie.person_name)).all()
    assert sorted(kept) == ["不在库的人", "测试甲", "测试甲"]
    found = session.scalars(select(Interest)).all()
    assert [(i.expert_id, i.side, i.status, i.region_code) for i in found] == [
        (expert.id, "county", "declared", "110108")
    ]


def test_only_a_presenter_and_never_without_particulars(session: Any, make: Any) -> None:
    words = {"region_code": "110108", "employer": "", "kind": "kin"}
    with pytest.raises(Forbidden):
        operations.declare_from_county(
            session, make.viewer(session, "office"), person_name="某某", evidence="原因", **words
        )
    with pytest.raises(DomainError):
        operations.declare_from_county(
            session, make.viewer(session, "presenter"), person_name="某某", evidence=" ", **words
        )
    assert session.scalars(select(CountyTie)).all() == []

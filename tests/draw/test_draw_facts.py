"""What the rules are told, why an expert is out, what is hidden from whom, and what doctor finds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.draw.eligibility import Finding
from app.domain.draw.rules_facts import SubjectFacts
from app.domain.types import Forbidden, NotFound, Text
from app.draw import ceremony, facts, invariants, operations, pool, queries
from app.ledger.append import append
from app.programme.models import Guidance, Round
from app.registry.models import Absence, Expert, Interest, Sanction
from tests.draw.builders import (
    COUNTY,
    REVIEW,
    Staff,
    completed,
    make_body,
    make_expert,
    make_pool,
    make_round,
    request,
)


def interest(session: Session, expert: Expert, kind: str, status: str, **more: Any) -> None:
    session.add(
        Interest(
            expert_id=expert.id, kind=kind, side=more.pop("side", "expert"), status=status,
            evidence="测试", declared_at=datetime(2012, 10, 2, tzinfo=UTC),
            **{"region_code": COUNTY, **more},
        )
    )  # fmt: skip


def outcome(
    session: Session, staff: Staff, round_: Round, expert: Expert, rule: str
) -> tuple[str, str]:
    session.flush()
    session.expire_all()
    answers = {a.rule_id: a for a in queries.why(session, staff.supervisor, round_, expert)}
    assert len(answers) > 40
    return answers[rule].outcome, answers[rule].reason.en


def test_each_source_of_conflict_reaches_its_rule(session: Session, staff: Staff) -> None:
    round_ = make_round(session)
    far = make_body(session, "测试研究院", "institute", "420102")
    county = make_body(session, "测试府谷县人民政府", "government", COUNTY)
    below = make_body(session, "测试府谷县国土局", "authority", COUNTY, parent_id=county.id)
    guide = make_body(session, "测试指导司", "authority", "110000")
    session.add(
        Guidance(
            round_id=round_.id, subject_id=round_.subjects[0].id, organisation_id=guide.id,
            basis="测试",
        )
    )  # fmt: skip
    clean = make_expert(session, 1, far)
    cases: list[tuple[str, Expert]] = [
        ("C-01", make_expert(session, 2, below)),
        ("C-14", make_expert(session, 3, guide)),
        ("C-09", make_expert(session, 4, make_body(session, "测试西安院", "institute", "610102"))),
        ("P-04", make_expert(session, 5, far, consent_at=None)),
        ("P-05", make_expert(session, 6, far, status="suspended")),
        ("P-08", make_expert(session, 7, far, verified_on=date(2010, 1, 1))),
    ]
    by_interest = {
        "C-04": ("kin", "upheld", {}), "C-08": ("dispute", "upheld", {}),
        "C-07": ("drafting", "upheld", {"since": date(2012, 1, 1)}),
        "C-05": ("other", "declared", {}), "C-12": ("other", "declared", {"side": "county"}),
    }  # fmt: skip
    for number, (rule, (kind, status, more)) in enumerate(by_interest.items(), 10):
        expert = make_expert(session, number, far)
        interest(session, expert, kind, status, **more)
        cases.append((rule, expert))
    barred = make_expert(session, 20, far)
    session.add(
        Sanction(
            expert_id=barred.id,
            kind="bar",
            since=date(2005, 1, 1),
            reason="测试",
            decided_by="测试",
        )
    )
    away = make_expert(session, 21, far)
    session.add(Absence(expert_id=away.id, since=REVIEW, until=REVIEW))
    cases += [("P-07", barred), ("D-16", away)]
    append(session, None, "test.cases")
    for rule, expert in cases:
        said, reason = outcome(session, staff, round_, expert, rule)
        assert said == "block" and reason.strip(), (rule, said)
        assert outcome(session, staff, round_, clean, rule)[0] != "block", rule
    kin = next(e for rule, e in cases if rule == "C-04")
    reason = outcome(session, staff, round_, kin, "C-04")[1]
    assert (
        "spouse, direct or collateral" in reason
    )  # the degree is not recorded, so none is claimed


def test_one_reason_against_several_counties_is_printed_once_and_names_them_all() -> None:
    names = {code: Text(f"测试{zh}", f"Test {zh}") for code, zh in (("1", "甲县"), ("2", "乙县"))}
    counties = [SubjectFacts(code=code, name=name) for code, name in names.items()]

    def found(rule: str, code: str, zh: str, en: str, organisation: str) -> Finding:
        reason = Text(zh, en).format(who=names[code])
        return Finding(rule, code, reason, {"organisation": organisation}, "block")

    rival = ("任职于测试丙县局，属与{who}同批", "employed by 测试丙县局, a rival of {who}")
    elsewhere = ("任职于{who}局", "employed by {who} office")
    blocked = pool.printed(
        "a",
        "expert",
        [
            found("C-15", "1", *rival, "x"),
            found("C-15", "2", *rival, "x"),
            found("C-01", "1", *elsewhere, "y"),
            found("C-01", "2", *elsewhere, "z"),
        ],
        counties,
    )
    assert {b.rule: b.reason for b in blocked} == {
        "C-15": Text(
            "任职于测试丙县局，属与测试甲县、测试乙县同批",
            "employed by 测试丙县局, a rival of Test 甲县, Test 乙县",
        ),
        "C-01": Text(  # two bodies: two facts, each printed
            "任职于测试甲县局；任职于测试乙县局",
            "employed by Test 甲县 office; employed by Test 乙县 office",
        ),
    }
    rows = {b.rule: b.evidence["findings"] for b in blocked}
    assert [row["subject"] for row in rows["C-15"]] == ["1", "2"], "the evidence stays whole"


def test_dismissed_and_withdrawn_declarations_let_the_expert_sit(
    session: Session, staff: Staff
) -> None:
    round_ = make_round(session)
    expert = make_expert(session, 1, make_body(session, "测试研究院", "institute", "420102"))
    interest(session, expert, "other", "dismissed")
    interest(session, expert, "dispute", "withdrawn")
    append(session, None, "test.cases")
    assert outcome(session, staff, round_, expert, "C-05")[0] == "info"
    assert outcome(session, staff, round_, expert, "C-08")[0] == "not_computed"


def test_an_upheld_share_is_weighed_once(session: Session, staff: Staff) -> None:
    round_ = make_round(session)
    far = make_body(session, "测试研究院", "institute", "420102")
    county = make_body(session, "测试府谷县人民政府", "government", COUNTY)
    firm = make_body(session, "测试县属公司", "company", COUNTY, parent_id=county.id)
    held, outside, pending = (make_expert(session, n, far) for n in (1, 2, 3))
    share = {"since": date(2012, 1, 1)}
    interest(session, held, "shareholding", "upheld", organisation_id=firm.id, **share)
    interest(session, outside, "shareholding", "upheld", organisation_id=far.id, **share)
    interest(session, pending, "shareholding", "declared", organisation_id=firm.id, **share)
    append(session, None, "test.cases")
    answers = {
        e.id: [outcome(session, staff, round_, e, rule)[0] == "block" for rule in ("C-03", "C-05")]
        for e in (held, outside, pending)
    }
    assert answers[held.id] == [True, False]
    # C-03 cannot see a body outside the county, and an undecided share is still a declaration.
    assert answers[outside.id] == answers[pending.id] == [False, True]


def test_an_institute_is_its_own_employer_and_a_bureau_belongs_to_its_authority(
    session: Session,
) -> None:
    ministry = make_body(session, "测试部", "authority", "110000")
    first = make_body(session, "测试一院", "institute", "110000", parent_id=ministry.id)
    lab = make_body(session, "测试一院实验室", "institute", "110000", parent_id=first.id)
    office = make_body(session, "测试部某司", "authority", "110000", parent_id=ministry.id)
    append(session, None, "test.bodies")
    tree = facts.Tree(session)
    assert tree.employer(first.id) == first.id == tree.employer(lab.id)
    assert tree.employer(office.id) == ministry.id


def test_nothing_recorded_is_not_the_same_as_none(session: Session) -> None:
    expert = make_expert(session, 1, make_body(session, "测试研究院", "institute", "420102"))
    append(session, None, "test.pool")
    known = facts.expert_facts(session, REVIEW)[expert.id]
    assert (known.kin, known.disputes, known.engagements, known.ties) == (None,) * 4
    assert (known.unavailable, known.participations, known.declarations) == ((), (), ())
    assert known.birth_date == date(1965, 5, 5) and len(known.screened_by) == 2


def test_earlier_seats_count_and_the_next_round_rests_a_county(
    session: Session, staff: Staff
) -> None:
    make_pool(session)
    first = make_round(session)
    draw = completed(session, staff, request(session, staff, first))
    second = make_round(session, slug="r2")
    second.review_on = date(2013, 6, 1)
    append(session, None, "test.round")
    seated = draw.seats[0].expert
    known = facts.expert_facts(session, second.review_on, kind="drill")[seated.id]
    (seat,) = known.participations or ()
    assert (seat.panel_date, seat.subject_codes) == (REVIEW, (COUNTY, "610823"))
    said, reason = outcome(session, staff, second, seated, "D-15")
    assert said == "block" and "previous round" in reason
    assert facts.expert_facts(session, REVIEW, kind="real")[seated.id].participations == ()


def test_kin_of_one_another_never_sit_together(session: Session, staff: Staff) -> None:
    experts = make_pool(session, 35, bodies=35)
    for other in experts[1:12]:
        interest(session, experts[0], "kin", "upheld", region_code=None, other_expert_id=other.id)
    append(session, None, "test.kin")
    draw = request(session, staff, make_round(session), 7)
    operations.commit_draw(session, staff.office, draw)
    limits = dict(draw.commitment["panels"][0]["pair_limits"])
    assert limits == {"employer": 1, **{f"pair{n}": 1 for n in range(1, 12)}}


def test_private_counts_and_reasons_are_the_supervisors(session: Session, staff: Staff) -> None:
    experts = make_pool(session, 60)
    interest(session, experts[0], "kin", "upheld")
    for expert in experts[1:3]:
        expert.consent_at = None
    append(session, None, "test.private")
    draw = request(session, staff, make_round(session))
    operations.commit_draw(session, staff.office, draw)
    seen = {v: dict(queries.what_if(session, v, draw).shown["rules"]) for v in
            (staff.office, staff.supervisor)}  # fmt: skip
    assert seen[staff.office] == {"C-04": "<5", "P-04": 2}
    assert seen[staff.supervisor] == {"C-04": 1, "P-04": 2}
    assert dict(draw.commitment["exclusion_counts"]) == {"P-04": 2, "private": "<5"}
    for viewer, private in ((staff.office, True), (staff.supervisor, False)):
        row = next(
            r for r in queries.exclusions(session, viewer, draw) if r.expert_id == experts[0].id
        )
        assert ("supervisor can read" in row.reason.en) is private
        told = {a.rule_id: a for a in queries.why(session, viewer, draw, experts[0])}["C-04"]
        assert told.outcome == "block" and ("supervisor can read" in told.reason.en) is private


def test_reading_is_for_the_two_and_an_expert_sees_his_seat(
    session: Session, staff: Staff, make: Any
) -> None:
    make_pool(session)
    round_ = make_round(session)
    draw = completed(session, staff, request(session, staff, round_))
    for role in ("admin", "keeper", "presenter", "expert"):
        viewer = make.viewer(session, role)
        assert queries.draws(session, viewer, round_) == []
        with pytest.raises(NotFound):
            queries.draw(session, viewer, round_, draw.id)
        with pytest.raises(Forbidden):
            queries.exclusions(session, viewer, draw)
        assert queries.own_seats(session, viewer) == []
    with pytest.raises(NotFound):
        queries.draw(session, staff.office, round_, "0" * 16)
    assert [s.number for s in queries.active_seats(session, draw)] == [1, 2, 3, 4, 5]


def test_a_lost_transcript_is_written_again(session: Session, staff: Staff) -> None:
    make_pool(session)
    draw = completed(session, staff, request(session, staff, make_round(session)))
    settings = session.info["settings"]
    path = ceremony.transcript_path(settings, str(draw.transcript_sha256))
    data = path.read_bytes()
    path.write_bytes(b"damaged")
    assert queries.transcript(session, staff.supervisor, settings, draw) == data
    path.unlink()
    assert queries.transcript(session, staff.supervisor, settings, draw) == data


def findings(session: Session) -> dict[str, int]:
    session.flush()
    session.expire_all()
    return {name: len(check(session)) for name, check in invariants.INVARIANTS}


def test_doctor_finds_each_kind_of_damage(session: Session, staff: Staff) -> None:
    make_pool(session)
    draw = completed(session, staff, request(session, staff, make_round(session)))
    assert findings(session) == dict.fromkeys(
        (
            "draw.result_recomputed", "draw.transcript_verifies", "draw.no_excluded_seated",
            "draw.one_result", "draw.candidates_unchanged", "draw.kind_kept", "draw.as_recorded",
            "draw.one_result_a_county", "draw.releases_as_recorded", "draw.one_seat_a_day",
        ),
        0,
    )  # fmt: skip
    seated = {s.expert_id for s in draw.seats}
    outsider = next(c for c in draw.candidates if c.expert_id not in seated)
    seat, expert = draw.seats[0].id, draw.seats[0].expert_id
    swap = text("UPDATE seat SET expert_id = :e WHERE id = :s")
    session.execute(swap, {"e": outsider.expert_id, "s": seat})
    assert findings(session)["draw.result_recomputed"] == 1
    session.execute(swap, {"e": expert, "s": seat})
    assert findings(session)["draw.result_recomputed"] == 0
    kind = text("UPDATE draw SET kind = :k WHERE id = :d")
    committed = draw.kind
    session.execute(kind, {"k": "real" if committed == "drill" else "drill", "d": draw.id})
    assert findings(session)["draw.kind_kept"] == 1
    session.execute(kind, {"k": committed, "d": draw.id})
    salt = outsider.leaf_salt
    change = text("UPDATE candidate SET leaf_salt = :v WHERE id = :c")
    session.execute(change, {"v": "0" * 32, "c": outsider.id})
    broken = findings(session)
    assert (broken["draw.candidates_unchanged"], broken["draw.transcript_verifies"]) == (1, 1)
    session.execute(change, {"v": salt, "c": outsider.id})
    assert not any(findings(session).values())
    row = next(c for c in draw.candidates if c.expert_id == expert)
    session.execute(
        text("UPDATE candidate SET exclusions = :v WHERE id = :c"),
        {"v": '[{"panel": "P1", "rule": "C-01"}]', "c": row.id},
    )
    assert findings(session)["draw.no_excluded_seated"] == 1

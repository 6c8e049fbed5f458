"""Calls: what is told, the reply clock and the attempts, coded answers, removals, papers, reserves."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.directory import operations as directory
from app.domain.types import Conflict, DomainError, Forbidden
from app.draw import call_words, calls, operations, operations_calls, papers_calls
from app.draw.models import Draw, Seat
from app.draw.models_calls import CallPlan
from app.draw.papers import slip, verifiers
from app.exercise import device
from app.ledger.models import Secret
from app.supervision.anomalies import overview
from tests.draw.builders import Staff, completed, make_pool, make_round, request

MEETS = datetime(2012, 11, 20, 0, 30, tzinfo=UTC)  # 08:30 in Beijing
NOW = datetime(2012, 11, 15, 2, 0, tzinfo=UTC)
ZONE = "Asia/Shanghai"


def planned(session: Session, staff: Staff, draw: Draw, **more: Any) -> CallPlan:
    values = {
        "meets_at": MEETS, "place_kind": "field", "half_days": 7, "reply_to": "010-00000000",
        **more,
    }  # fmt: skip
    return operations_calls.plan_calls(session, staff.office, draw, **values)


def drawn(session: Session, staff: Staff, **more: Any) -> Draw:
    make_pool(session)
    return completed(
        session, staff, request(session, staff, make_round(session, kind="real"), 5, **more)
    )


def pages_of(data: bytes, folder: Path) -> list[str]:
    """The text of each page of a PDF, without the spaces that typesetting puts in."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is missing")
    path = folder / "paper.pdf"
    path.write_bytes(data)
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True)
    return [re.sub(r"\s", "", page) for page in text.stdout.decode().split("\f")[:-1]]


def test_what_is_told_fits_a_message_and_names_no_county(session: Session, staff: Staff) -> None:
    draw = drawn(session, staff)
    plan = planned(session, staff, draw)
    with clock.fixed(NOW):
        text = calls.message_for(draw.seats[0], plan, ZONE)
        script = call_words.script(plan, clock.now(), ZONE)
    name = draw.seats[0].expert.person.name
    assert text.zh == (
        f"{name}老师：您被抽为评审专家，11月20日08:30，实地，3天半。"
        "请11月16日10:00前回复010-00000000，勿外传。"
    )
    assert "20 Nov 08:30, on site, with travel, 3.5 days. Answer by 16 Nov 10:00" in text.en
    assert len(text.zh) <= 70 and len(text.en) <= 160
    for subject in draw.round.subjects:
        for words in (text, script):
            assert subject.name_zh not in words.zh and subject.name_en not in words.en
    assert [call_words.duration(n).zh for n in (1, 2, 3, 4)] == ["半天", "1天", "1天半", "2天"]
    assert [call_words.duration(n).en for n in (1, 2, 3, 4)] == [
        "half a day", "1 day", "1.5 days", "2 days",
    ]  # fmt: skip


def test_the_plan_is_checked_and_fixed_by_the_first_call(session: Session, staff: Staff) -> None:
    draw = drawn(session, staff)
    for wrong, field in (
        ({"place_kind": "府谷县"}, "place_kind"), ({"half_days": 0}, "half_days"),
        ({"attempts": 10}, "attempts"), ({"reply_hours": 0}, "reply_hours"),
        ({"reply_to": "  "}, "reply_to"),
    ):  # fmt: skip
        with pytest.raises(DomainError) as refused:
            planned(session, staff, draw, **wrong)
        assert refused.value.field == field
    with pytest.raises(Forbidden):
        operations_calls.plan_calls(
            session, staff.supervisor, draw, meets_at=MEETS, place_kind="venue", half_days=2,
            reply_to="1",
        )  # fmt: skip
    first = planned(session, staff, draw)
    again = planned(session, staff, draw, attempts=2)
    assert again.id == first.id and again.attempts == 2
    operations.record_contact(session, staff.office, draw.seats[0], "phone", "unreachable")
    with pytest.raises(Conflict, match="told the same"):
        planned(session, staff, draw)


def test_an_answer_that_comes_after_the_meeting_begins_is_said(
    session: Session, staff: Staff
) -> None:
    draw = drawn(session, staff)
    plan = planned(session, staff, draw, reply_hours=48)

    def last() -> datetime | None:
        return calls.too_late(plan, calls.lines(session, staff.office, draw))

    assert calls.too_late(None, []) is None
    for at, late in ((MEETS - timedelta(hours=48), False), (MEETS - timedelta(hours=47), True)):
        with clock.fixed(at):  # nobody is called yet: as if all were called now
            assert last() == (at + timedelta(hours=48) if late else None)
    with clock.fixed(NOW):
        for seat in draw.seats[:2]:
            operations.record_contact(session, staff.office, seat, "phone", "accepted")
            operations.confirm_seat(session, staff.office, seat)
    late_call = MEETS - timedelta(hours=30)
    with clock.fixed(late_call):
        for seat in draw.seats[2:]:
            operations.record_contact(session, staff.office, seat, "phone", "unreachable")
        assert last() == late_call + timedelta(hours=48)
        for seat in draw.seats[2:]:
            operations.record_contact(session, staff.office, seat, "phone", "accepted")
            operations.confirm_seat(session, staff.office, seat)
        assert last() is None  # nobody is left to answer

    def words(at: datetime, begun: bool = False) -> str:
        return call_words.too_late(plan, MEETS, at, ZONE, begun=begun).en

    assert "hours to answer to 5 at most" in words(MEETS - timedelta(hours=5, minutes=59))
    for hours, begun in ((0.5, False), (5, True)):
        assert words(MEETS - timedelta(hours=hours), begun).endswith("answer before the meeting.")
    assert words(MEETS).endswith("That time is over: check it.")


def test_three_attempts_and_the_reply_clock(session: Session, staff: Staff) -> None:
    draw = drawn(session, staff)
    planned(session, staff, draw)
    first, second, third = draw.seats[:3]
    with clock.fixed(NOW, timedelta(seconds=1)):
        for left in (2, 1, 0):
            assert calls.lines(session, staff.office, draw)[0].ground == ""
            operations.record_contact(session, staff.office, first, "phone", "unreachable")
            line = calls.lines(session, staff.office, draw)[0]
            assert (line.tries, line.left) == (3 - left, left)
        assert line.ground == "unreachable" and call_words.cause_for(line.ground, None) == "absence"
        operations.record_contact(session, staff.office, second, "phone", "unreachable")
        operations.record_contact(session, staff.office, third, "phone", "declined", "health")
        lines = calls.lines(session, staff.office, draw)
        assert lines[2].ground == "declined"
        assert (lines[1].ground, lines[1].overdue) == ("", False)
        asked = second.contacts[0].at
    with clock.fixed(asked + timedelta(hours=24)):
        assert calls.lines(session, staff.office, draw)[1].ground == ""
    with clock.fixed(asked + timedelta(hours=24, seconds=1)):
        late = calls.lines(session, staff.office, draw)[1]
        assert (late.ground, late.overdue) == ("silent", True)
        assert late.due == asked + timedelta(hours=24)
    causes = {
        r: call_words.cause_for("declined", r) for r in ("schedule", "health", "recusal", "other")
    }
    assert causes == {"schedule": "absence", "health": "health", "recusal": "recusal", "other": ""}


def test_rates_by_operator_and_reason(session: Session, staff: Staff, make: Any) -> None:
    draw = drawn(session, staff)
    other = make.viewer(session, "office")
    for viewer, number, outcome, reason in (
        (staff.office, 0, "declined", "travel"), (staff.office, 1, "declined", "travel"),
        (staff.office, 2, "accepted", None), (other, 3, "unreachable", None),
    ):  # fmt: skip
        operations.record_contact(session, viewer, draw.seats[number], "phone", outcome, reason)
    rows = calls.rates(draw, {staff.office.id: "甲", other.id: "乙"})
    assert {r["operator"]: (r["calls"], r["outcomes"], r["reasons"]) for r in rows} == {
        "甲": (
            3,
            [("accepted", 1, 33), ("declined", 2, 67), ("unreachable", 0, 0)],
            [("travel", 2)],
        ),
        "乙": (1, [("accepted", 0, 0), ("declined", 0, 0), ("unreachable", 1, 100)], []),
    }
    operations.record_removals(
        session, staff.office, draw, [(s, "absence", "出差") for s in draw.seats[:2]]
    )
    assert calls.removal_rates(draw, {staff.office.id: "甲"}) == [("甲", "absence", 2, 40)]


def test_reserves_are_those_who_are_called(session: Session, staff: Staff) -> None:
    draw = drawn(session, staff, replacement="reserves")
    queues = calls.reserves(draw, shown=50)
    assert sum(q.seats for q in queues) == 5
    seated = {p for panel in draw.result["panels"] for p, _ in panel["seats"]}
    assert not seated & {p for q in queues for _, p in q.people}
    assert all(list(q.people) == sorted(q.people) for q in queues)
    act = operations.record_removals(
        session, staff.office, draw, [(draw.seats[0], "health", "住院（测试）")]
    )
    device.cosign_removals(session, staff.supervisor, draw, act)
    (new,) = operations.complete_act(session, staff.office, act)
    known = {c.expert_id: c for c in draw.candidates}
    kind = known[draw.seats[0].expert_id].facts["kind"]
    first = [p for q in queues if q.of == (kind,) for _, p in q.people]
    employers = {
        known[s.expert_id].facts["employer"] for s in draw.seats if s.active and s is not new
    }
    free = [
        p for p in first
        if next(c for c in draw.candidates if c.pseudonym == p).facts["employer"] not in employers
    ]  # fmt: skip
    assert known[new.expert_id].pseudonym == free[0]


def test_papers_name_no_county_and_number_each_letter(
    session: Session, staff: Staff, tmp_path: Path
) -> None:
    draw = drawn(session, staff, replacement="reserves")
    settings, keys = session.info["settings"], session.info["keys"]
    with pytest.raises(Conflict, match="no call plan"):
        papers_calls.letters(session, draw, draw.seats, "zh", settings)
    planned(session, staff, draw)
    names = [s.expert.person.name for s in draw.seats]
    person = draw.seats[0].expert.person
    directory.change_person(session, None, person, phone="13800001234")
    for language, word in (("zh", "评审专家通知书"), ("en", "Noticetoareviewer")):
        pages = pages_of(
            papers_calls.letters(session, draw, draw.seats, language, settings), tmp_path
        )
        assert len(pages) == 5
        for page, name, seat in zip(pages, names, draw.seats, strict=True):
            assert name in page and word in page
            assert papers_calls.letter_number(draw, seat) in page
            assert sum(other in page for other in names) == 1
            assert "府谷" not in page and "横山" not in page and "County61" not in page
        (sheet,) = pages_of(
            papers_calls.call_sheet(session, staff.office, draw, language, settings, keys), tmp_path
        )
        assert all(name in sheet for name in names) and "府谷" not in sheet
        assert "138****1234" in sheet and "13800001234" not in sheet
        (whole,) = pages_of(
            papers_calls.call_sheet(
                session, staff.office, draw, language, settings, keys, phones=True
            ),
            tmp_path,
        )
        assert "13800001234" in whole
        text = "".join(pages_of(slip(session, staff.office, draw, language, settings), tmp_path))
        assert all(name in text for name in names)
        assert all(value in text for _, value in verifiers())
        assert (
            "每个人都知道候补是谁" if language == "zh" else "everyonepresentknowswhotheyare"
        ) in text


# ---------- the pages


def test_whole_numbers_need_a_reason_and_are_on_record(
    write: Any, make: Any, client_as: Callable[..., Any]
) -> None:
    with write() as session:
        staff = Staff(session, make)
        draw = drawn(session, staff)
        planned(session, staff, draw)
        page = f"/r/r1/draws/{draw.id}"
    office, supervisor = client_as(staff.office), client_as(staff.supervisor)
    assert "记入账本" in office.get(f"{page}/calls").text
    assert "记入账本" not in supervisor.get(f"{page}/calls").text
    assert supervisor.post(f"{page}/calls/phones.pdf", data={"reason": "试"}).status_code == 403
    refused = office.post(f"{page}/calls/phones.pdf", data={"reason": " "})
    assert refused.status_code == 422 and "请写明为什么要看电话" in refused.text
    assert office.get(f"{page}/calls.pdf").data.startswith(b"%PDF")

    def kept() -> list[dict[str, Any]]:
        with write() as session:
            bodies = [json.loads(text) for text in session.scalars(select(Secret.body))]
        return [b["data"] for b in bodies if b["kind"] == "draw.phones_unmasked"]

    assert kept() == []
    answer = office.post(f"{page}/calls/phones.pdf", data={"reason": "电话通知（测试）"})
    assert answer.status_code == 200 and answer.data.startswith(b"%PDF")
    assert kept() == [{"draw": draw.id, "seats": 5, "reason": "电话通知（测试）"}]
    with write() as session:
        shown = overview(session, staff.supervisor, None, "real").found
        (looked,) = [a.sentence.en for a in shown if a.code == "phones"]
        assert "unmasked 5 record(s)" in looked and staff.office.name in looked


def test_from_the_plan_to_a_removal_on_the_page(
    write: Any, make: Any, client_as: Callable[..., Any]
) -> None:
    with write() as session:
        staff = Staff(session, make)
        draw = drawn(session, staff)
        page, seats = f"/r/r1/draws/{draw.id}", [s.id for s in draw.seats]
    office, supervisor = client_as(staff.office), client_as(staff.supervisor)
    assert "先定通知方案" in office.get(f"{page}/calls").text
    assert office.get(f"{page}/letters.pdf").status_code == 409
    plan = {
        "meets_at": "2012-11-20T08:30", "place_kind": "venue", "half_days": "6",
        "reply_to": "010-00000000", "reply_hours": "24", "attempts": "3",
    }  # fmt: skip
    refused = office.post(f"{page}/plan", data={**plan, "attempts": "12"})
    assert refused.status_code == 422 and "应在 1 至 9 之间" in refused.text
    assert 'value="010-00000000"' in refused.text
    assert supervisor.post(f"{page}/plan", data=plan).status_code == 403
    assert office.post(f"{page}/plan", data=plan).status_code == 302
    with clock.fixed(MEETS - timedelta(hours=20, minutes=30)):
        assert office.post(f"{page}/plan", data=plan).status_code == 302
        shown = office.get(f"{page}/calls").text
        assert "答复期限晚于报到时间" in shown and '<details id="plan" open>' in shown
        hint = shown.split('id="reply_hours-hint">')[1].split("</p>")[0]
        assert (
            "答复可以等到11月20日12:00，而11月20日08:30就报到" in hint and "不超过 20 小时" in hint
        )
        assert office.post(f"{page}/plan", data={**plan, "reply_hours": "20"}).status_code == 302
        shown = office.get(f"{page}/calls").text
        assert "答复期限晚于报到时间" not in shown and "不超过" not in shown
    assert office.post(f"{page}/plan", data=plan).status_code == 302
    shown = office.get(f"{page}/calls").text
    assert "11月20日08:30" in shown and "会议场所" in shown and "府谷县" not in shown
    assert office.get(f"{page}/letters.pdf").data.startswith(b"%PDF")
    call = {"channel": "phone", "outcome": "accepted", "reason": "", "note": ""}
    assert office.post(f"{page}/seats/{seats[0]}/contact", data=call).status_code == 302
    with write() as session:
        assert session.get_one(Seat, seats[0]).state == "confirmed"
    bad = office.post(f"{page}/seats/{seats[1]}/contact", data={**call, "outcome": "declined"})
    assert bad.status_code == 422 and "没有登记" in bad.text
    call |= {"outcome": "declined", "reason": "health", "note": "手术（测试）"}
    office.post(f"{page}/seats/{seats[1]}/contact", data=call)
    shown = office.get(f"{page}/calls").text
    assert "更换此席位" in shown and "手术（测试）" in shown
    form = office.get(f"{page}/removal?seat={seats[1]}&ground=declined").text
    assert re.search(r'value="health" selected', form) or re.search(
        r'selected value="health"', form
    )
    assert "本人在通知时答复不能参加" in form and f'value="{seats[1]}" checked' in form
    upheld = office.get(f"{page}/removal?seat={seats[2]}&ground=challenge&ref=abc123").text
    assert re.search(r'value="recusal" selected', upheld) and "编号 abc123" in upheld
    assert office.get(f"{page}/removal?seat={seats[2]}&ground=whim").status_code == 404
    data = {"seats": [seats[1]], "reason": "health", "evidence": "住院证明（测试）"}
    assert office.post(f"{page}/removals", data={**data, "evidence": ""}).status_code == 422
    assert office.post(f"{page}/removals", data=data).status_code == 302
    assert "核对更换事由并会签" in supervisor.get(page).text
    shown = supervisor.get(f"{page}/calls").text
    assert "按经办人的答复与更换" in shown and "50%" in shown and "20%" in shown
    with write() as session:
        assert session.scalar(select(CallPlan.attempts)) == 3


def test_the_calls_page_speaks_english(
    write: Any, make: Any, client_as: Callable[..., Any]
) -> None:
    with write() as session:
        staff = Staff(session, make)
        draw = drawn(session, staff)
        planned(session, staff, draw)
        operations.record_contact(
            session, staff.office, draw.seats[0], "phone", "declined", "travel"
        )
        page, seat = f"/r/r1/draws/{draw.id}", draw.seats[0].id
    client = client_as(staff.office)
    with client.session_transaction() as cookie:
        cookie["lang"] = "en"
    for path in (
        f"{page}/calls",
        f"{page}/removal?seat={seat}&ground=declined",
        f"{page}/disclosure",
    ):
        answer = client.get(path)
        assert answer.status_code == 200
        body = re.sub(r"<header.*?</header>", "", answer.text, flags=re.S)
        body = re.sub(r'<p lang="zh-CN".*?</p>', "", body, flags=re.S)
        left = set(re.findall(r"[\u4e00-\u9fff]+", re.sub(r"<[^>]+>", " ", body)))
        assert left <= {"明鉴", "测试专家", "测试研究院", "测试"}, (path, left)

"""A report's life: who drafts, writes, signs and finishes it, and that nothing moves afterwards."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import UTC, date, datetime
from typing import Any

import pypdf
import pytest
from sqlalchemy import select

from app import clock
from app.aggregation import operations as aggregation
from app.aggregation.models import Run
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.ledger import prove
from app.ledger.append import append
from app.ledger.models import Event
from app.panel.models import Sitting, Statement
from app.report import invariants, operations, papers, queries
from app.scoring.models import Sheet
from tests.aggregation import builders
from tests.report import reports


@pytest.fixture
def made(session: Any) -> builders.Scored:
    return builders.reload(session)


@pytest.fixture
def run(session: Any, made: builders.Scored) -> Run:
    return aggregation.run(session, made.office, round=made.round)


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def change_a_sheet(session: Any) -> None:
    sheet = session.scalar(select(Sheet).where(Sheet.state == "sealed").order_by(Sheet.id))
    sheet.state, sheet.reason = "absent", "封存后发现未到场"
    append(session, None, "test.change")


def test_who_may_draft(session: Any, made: builders.Scored, run: Run) -> None:
    plain = made.experts[1][1]
    for viewer in (plain, made.supervisor, made.presenter, made.admin):
        with pytest.raises(Forbidden):
            operations.draft_report(session, viewer, round=made.round, run=run)
    report = operations.draft_report(session, made.experts[0][1], round=made.round, run=run)
    assert (report.number, report.state, report.run_id) == (1, "drafting", run.id)
    with pytest.raises(Conflict, match="还在办理"):
        operations.draft_report(session, made.office, round=made.round, run=run)


def test_due_in_five_working_days(session: Any, made: builders.Scored, run: Run) -> None:
    with clock.fixed(datetime(2026, 9, 28, 3, 0, tzinfo=UTC)):
        report = operations.draft_report(session, made.office, round=made.round, run=run)
    assert report.due_at == clock.deadline(date(2026, 10, 10))


def test_two_leaders_editing_at_once(session: Any, made: builders.Scored, run: Run) -> None:
    first, second = made.experts[0][1], made.experts[2][1]  # leaders of desk and site
    report = operations.draft_report(session, first, round=made.round, run=run)
    operations.save_section(
        session, first, report=report, key="problems", text="甲的文字", version=1
    )
    with pytest.raises(Conflict, match="第 2 版"):
        operations.save_section(
            session, second, report=report, key="problems", text="乙的文字", version=1
        )
    assert report.sections["problems"] == "甲的文字"
    with pytest.raises(Forbidden):
        operations.save_section(
            session, made.experts[1][1], report=report, key="problems", text="丙", version=2
        )
    with pytest.raises(NotFound):
        operations.save_section(session, first, report=report, key="dissent", text="", version=2)
    with pytest.raises(DomainError, match="𠮷") as caught:
        operations.save_section(session, first, report=report, key="problems", text="𠮷", version=2)
    assert caught.value.field == "text"


def test_required_sections(session: Any, made: builders.Scored, run: Run) -> None:
    report = operations.draft_report(session, made.office, round=made.round, run=run)
    with pytest.raises(Conflict, match="七、主要成效与创新、八、问题与建议、九、评审结论与排序"):
        operations.submit_for_signing(session, made.office, report=report)


def test_signing(session: Any, made: builders.Scored, run: Run) -> None:
    report = reports.drafted(session, made, run)
    first = made.experts[0][1]
    with pytest.raises(Conflict, match="起草中"):
        operations.sign(session, first, report=report, state="signed", signed_name=first.name)
    operations.submit_for_signing(session, first, report=report)
    with pytest.raises(Conflict, match="签署中"):
        operations.save_section(
            session, first, report=report, key="problems", text="再改", version=report.version
        )
    with pytest.raises(DomainError) as caught:
        operations.sign(session, first, report=report, state="signed", signed_name="别人")
    assert caught.value.field == "signed_name"
    with pytest.raises(DomainError) as caught:
        operations.sign(
            session, first, report=report, state="dissent", text=" ", signed_name=first.name
        )
    assert caught.value.field == "text"
    operations.sign(session, first, report=report, state="signed", signed_name=first.name)
    with pytest.raises(Conflict, match="已经签署"):
        operations.sign(session, first, report=report, state="signed", signed_name=first.name)
    assert len(queries.waiting(session, report)) == 8
    with pytest.raises(Conflict) as late:
        operations.finish(session, made.office, report=report)
    assert made.experts[8][1].name in late.value.text.zh and first.name not in late.value.text.zh
    assert report.head is None
    operations.record_refusal(
        session, made.office, report=report, expert=made.experts[8][0], text="本人来电表示不签"
    )
    stranger = made.presenter
    with pytest.raises(Forbidden):
        operations.sign(session, stranger, report=report, state="signed", signed_name="x")


def test_signatures_do_not_show_in_the_ledger(
    session: Any, made: builders.Scored, run: Run
) -> None:
    reports.signed(session, made, run)
    kinds = [json.loads(e.payload)["kind"] for e in session.scalars(select(Event))]
    assert "report.submitted" in kinds and "report.signature" not in kinds


def test_a_final_report_is_on_paper_under_a_signed_head(
    session: Any, made: builders.Scored, run: Run
) -> None:
    report = reports.finished(session, made, run)
    assert report.state == "final" and report.pdf_sha256
    with session.info["store"].open(report.pdf_sha256) as kept:
        data = kept.read()
    assert hashlib.sha256(data).hexdigest() == report.pdf_sha256
    text = text_of(data)
    assert report.head in text and report.head.startswith("mj1:")
    checked = prove.verify(session, session.info["keys"], prove.TreeHead.parse(report.head))
    assert checked.ok, checked.faults
    flat = text.replace(" ", "").replace("\n", "")
    for words in ("演练文书", "平谷区现场查验时间不足", "拒绝签字", made.experts[4][1].name):
        assert words in flat
    for draw in ("desk", "site"):
        assert hashlib.sha256(draw.encode()).hexdigest() in flat
    assert "未签署" not in text
    for name, check in invariants.INVARIANTS:
        assert check(session) == [], name
    assert operations.finish(session, made.office, report=report) is report
    with pytest.raises(Conflict):
        operations.sign(
            session, made.experts[0][1], report=report, state="signed",
            signed_name=made.experts[0][1].name,
        )  # fmt: skip
    with pytest.raises(Conflict, match="不能替换"):
        operations.draft_report(session, made.office, round=made.round, run=run)


def test_the_draft_names_nobody_and_says_that_it_is_not_signed(
    session: Any, made: builders.Scored, run: Run
) -> None:
    report = reports.drafted(session, made, run)
    text = text_of(papers.report_pdf(session, report)).replace(" ", "")
    assert "送审稿未签署" in text and "mj1:" not in text and "（定稿后印出）" in text
    for _, viewer in made.experts:
        assert viewer.name not in text


def test_the_english_edition(session: Any, made: builders.Scored, run: Run) -> None:
    text = text_of(papers.report_pdf(session, reports.finished(session, made, run), "en"))
    for words in (
        "9. Conclusion and ranking", "Haidian District", "signed with dissent", "REHEARSAL",
        "Total = Desk review × 0.7 + Site assessment × 0.3", "÷ 5 =", "Ledger head",
    ):  # fmt: skip
        assert words in text, words
    assert "阶段" not in text and "专家" not in text


def test_a_later_final_report_replaces_and_says_so(
    session: Any, made: builders.Scored, run: Run
) -> None:
    first = reports.finished(session, made, run)
    change_a_sheet(session)
    builders.corrected(session, made)
    later = aggregation.run(session, made.office, round=made.round, note="更正签到记录")
    second = operations.draft_report(session, made.office, round=made.round, run=later)
    assert (first.state, second.sections) == ("final", first.sections)
    for _, viewer in made.experts:
        if second.state == "drafting":
            operations.submit_for_signing(session, made.office, report=second)
        operations.sign(session, viewer, report=second, state="signed", signed_name=viewer.name)
    operations.finish(session, made.office, report=second)
    assert (first.state, second.state) == ("replaced", "final")
    assert queries.final_report(session, made.round) is second
    assert invariants.papers_are_kept(session) == invariants.finals_are_signed(session) == []


def test_a_draft_on_an_older_run_gives_way(session: Any, made: builders.Scored, run: Run) -> None:
    first = reports.signed(session, made, run)
    change_a_sheet(session)
    builders.corrected(session, made)
    later = aggregation.run(session, made.office, round=made.round, note="更正签到记录")
    with pytest.raises(Conflict, match="最近一次汇总（第 2 次）"):
        operations.draft_report(session, made.office, round=made.round, run=run)
    second = operations.draft_report(session, made.office, round=made.round, run=later)
    assert (first.state, second.number, second.signatures) == ("replaced", 2, [])


def test_damage_is_found(session: Any, made: builders.Scored, run: Run) -> None:
    report = reports.finished(session, made, run)
    path = session.info["store"].path(report.pdf_sha256)
    data = path.read_bytes()
    path.write_bytes(data + b" ")
    assert "文件缺失或被改动" in invariants.papers_are_kept(session)[0].zh
    path.write_bytes(data)
    report.sections = {**report.sections, "conclusion": "定稿后偷改"}
    append(session, None, "test.tampering")
    assert "与存档不同" in invariants.papers_render_again(session)[0].zh
    report.head = "mj1:1:" + "0" * 64
    append(session, None, "test.tampering")
    assert invariants.finals_are_signed(session) != []


def test_who_reads(session: Any, made: builders.Scored, run: Run) -> None:
    report = reports.drafted(session, made, run)
    leader, member = made.experts[0][1], made.experts[1][1]
    outsider = builders.expert(session, _Make(), 99)[1]

    def readers() -> list[bool]:
        people = (
            made.office,
            made.supervisor,
            leader,
            member,
            outsider,
            made.presenter,
            made.admin,
        )
        return [bool(queries.reports(session, p, made.round)) for p in people]

    assert readers() == [True, True, True, False, False, False, False]
    operations.submit_for_signing(session, leader, report=report)
    assert readers() == [True, True, True, True, False, False, False]
    for viewer in (member, made.presenter):
        with pytest.raises(NotFound):
            queries.own_result(session, viewer, made.round)  # nothing before it is final


class _Make:
    def viewer(self, session: Any, role: str, login: str) -> Any:
        from tests.conftest import Make

        return Make().viewer(session, role, login)


def test_own_results_once_final(session: Any, made: builders.Scored, run: Run) -> None:
    reports.finished(session, made, run)
    own = queries.own_result(session, made.experts[2][1], made.round)["figures"]
    assert len(own) == 12  # six counties at the desk and six on site
    seats = {f["sheet"]["seat_id"] for f in own}
    assert len(seats) == 2
    recused = next(f for f in own if f["sheet"]["state"] == "recused")
    assert recused["sheet"]["total"] is None and not recused["dropped"]
    for viewer in (made.office, made.admin, made.presenter):
        with pytest.raises(NotFound):
            queries.own_result(session, viewer, made.round)


def test_pages(app: Any, client_as: Any) -> None:
    database = app.extensions["mingjian.db"]
    with database.write() as session:
        made = builders.reload(session)
        slug = made.round.slug
    base = f"/r/{slug}/reports"
    office, leader = client_as(made.office), client_as(made.experts[0][1])
    assert leader.post(base).status_code == 409  # no run yet
    office.post(f"/r/{slug}/runs", data={"note": ""})
    assert "起草报告" in leader.get(base).text
    assert leader.post(base).headers["Location"].endswith("/reports/1")
    page = leader.get(f"{base}/1").text
    assert page.count("data-keep=") == 9 and "综合得分与排序" in page and "<del>" in page
    empty = ['href="#s-achievements"', 'href="#s-problems"', 'href="#s-conclusion"']
    assert [link for link in empty if page.index(link) < page.index("送签</button>")] == empty
    for key, text in reports.WORDS.items():
        with database.read() as session:
            version = queries.last_report(session, builders.reload(session).round).version
        answer = leader.post(
            f"{base}/1/sections/{key}", data={"version": str(version), "text": text}
        )
        assert answer.status_code == 302
    stale = leader.post(f"{base}/1/sections/problems", data={"version": "1", "text": "我的文字"})
    assert stale.status_code == 409
    assert "我的文字" in stale.text and "统一统计口径" in stale.text
    assert not any(link in leader.get(f"{base}/1").text for link in empty)
    member = client_as(made.experts[1][1])
    assert member.get(f"{base}/1").status_code == 404
    assert office.post(f"{base}/1/submit").status_code == 302
    page = member.get(f"{base}/1").text
    assert 'id="sign"' in page and made.experts[2][1].name not in page
    wrong = member.post(f"{base}/1/sign", data={"state": "dissent", "signed_name": "某人"})
    assert wrong.status_code == 422 and "签名须与您的姓名" in wrong.text
    assert office.post(f"{base}/1/finish").status_code == 409
    for _, viewer in made.experts[:8]:
        done = client_as(viewer).post(
            f"{base}/1/sign", data={"state": "signed", "signed_name": viewer.name}
        )
        assert done.status_code == 302
    gone = made.experts[8][0].id
    short = office.post(f"{base}/1/refusals", data={"expert": gone, "text": "不签"})
    assert short.status_code == 422
    office.post(f"{base}/1/refusals", data={"expert": gone, "text": "本人来电表示不签"})
    assert office.post(f"{base}/1/finish").status_code == 302
    assert office.post(f"{base}/1/finish").status_code == 409  # final already, said clearly
    pdf = member.get(f"{base}/1/report.pdf")
    assert pdf.mimetype == "application/pdf"
    with database.read() as session:
        kept = queries.last_report(session, builders.reload(session).round)
        assert hashlib.sha256(pdf.data).hexdigest() == kept.pdf_sha256
        for name, check in invariants.INVARIANTS:
            assert check(session) == [], name
    assert "Rating report" in text_of(office.get(f"{base}/1/report.pdf?lang=en").data)
    assert client_as(made.presenter).get(f"{base}/own").status_code == 403  # once it is released
    assert client_as(made.presenter).get(f"{base}/1").status_code == 403
    assert client_as(made.admin).get(f"{base}/1").status_code == 403
    assert "按规则去掉" in member.get(f"{base}/own").text
    assert client_as("expert").get(f"{base}/own").status_code == 404


def test_a_statement_without_confirmation_is_printed_with_its_reason(
    session: Any, made: builders.Scored, run: Run
) -> None:
    rows = session.scalars(select(Statement).order_by(Statement.opened_at)).all()
    rows[0].unconfirmed, rows[0].unconfirmed_note = "refused", "代表称需请示"
    rows[1].unconfirmed, rows[1].confirmed_at = None, clock.now()
    append(session, None, "test.unconfirmed")
    report = operations.draft_report(session, made.office, round=made.round, run=run)
    blocks = papers.report_data(session, report, "en")["sections"]["site"]
    (said,) = [b for b in blocks if b["kind"] == "list" and "not confirmed" in b["items"][0].en]
    county = {s.id: s.subject.name for s in session.scalars(select(Sitting))}[rows[0].sitting_id]
    assert said["items"][0] == Text(
        f"{county.zh}陈述记录未经确认：区县代表拒绝确认。代表称需请示",
        f"{county.en}, record not confirmed: the representative refused to confirm: "
        "代表称需请示 (original in Chinese)",
    )
    assert len(said["items"]) == len(rows) - 1, "nothing is said about the confirmed one"


def test_the_leaders_words_say_their_language_to_readers_of_the_other(
    session: Any, made: builders.Scored, run: Run
) -> None:
    report = reports.drafted(session, made, run)
    blocks = papers.report_data(session, report, "en")["sections"]["achievements"]
    first, last = reports.WORDS["achievements"].split("\n")
    assert [b["text"] for b in blocks] == [first, Text(last, f"{last} (original in Chinese)")]
    english = text_of(papers.report_pdf(session, report, "en"))
    assert english.count("(original in Chinese)") >= 3
    assert "原文为" not in text_of(papers.report_pdf(session, report, "zh"))

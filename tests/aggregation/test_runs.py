"""A run on a real small round: what blocks it, what it computes, that it stands and replays."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from app.aggregation import exports, invariants, operations, queries
from app.aggregation.inputs import collect
from app.aggregation.models import Run
from app.aggregation.reading import Reading
from app.aggregation.results import own_maximum
from app.aggregation.wording import punctuated
from app.domain.ledger.canonical import digest
from app.domain.statistics.rounding import half_up
from app.domain.types import Conflict, DomainError, Forbidden, NotFound
from app.ledger.append import append
from app.ledger.models import Event
from app.programme import operations as programme
from app.programme.models import Figure
from app.scoring.models import Sheet
from tests.aggregation import builders


@pytest.fixture
def made(session: Any) -> builders.Scored:
    return builders.reload(session)


@pytest.fixture
def run(session: Any, made: builders.Scored) -> Run:
    return operations.run(session, made.office, round=made.round)


def by_hand(run: Run, key: str) -> tuple[Fraction, dict[str, Fraction], dict[str, list[str]]]:
    """Total, stage means and dropped labels of a county, from the stored marks alone."""
    row = next(r for r in run.inputs["subjects"] if r["id"] == key)
    means, fell = {}, {}
    for stage in ("desk", "site"):
        marks = sorted(
            (Fraction(s["total"]), label)
            for label, s in row["stages"][stage]["sheets"].items()
            if s["total"] is not None
        )
        drop = 1 if 5 <= len(marks) <= 10 else 0
        kept = marks[drop : len(marks) - drop]
        means[stage] = sum((m for m, _ in kept), Fraction(0)) / len(kept)
        fell[stage] = sorted(label for _, label in (marks[0], marks[-1]))
    total = means["desk"] * Fraction(7, 10) + means["site"] * Fraction(3, 10)
    return total, means, fell


def test_scores_are_those_of_a_pocket_calculator(run: Run) -> None:
    scores = run.results["scores"]["subjects"]
    assert len(scores) == 6
    for key, score in scores.items():
        total, means, fell = by_hand(run, key)
        assert score["total"] == str(half_up(total, 2))
        for stage, mean in means.items():
            part = score["stages"][stage]
            exact = next(
                s["result"] for s in score["steps"] if s["op"] == "estimate" and s["stage"] == stage
            )
            assert Fraction(exact) == mean
            assert len(fell[stage]) == 2 and part["unit"]["dropped"] == fell[stage]


def test_absence_and_recusal_are_states_and_never_zero(run: Run, made: builders.Scored) -> None:
    fourth = made.round.subjects[3].region_code
    second = made.round.subjects[1].region_code
    rows = {row["id"]: row for row in run.inputs["subjects"]}
    absent = rows[fourth]["stages"]["desk"]["sheets"]["5"]
    assert (absent["state"], absent["total"], absent["reason"]["zh"]) == (
        "absent", None, "当日请病假",
    )  # fmt: skip
    assert rows[second]["stages"]["desk"]["sheets"]["3"]["state"] == "recused"
    unit = run.results["scores"]["subjects"][fourth]["stages"]["desk"]["unit"]
    assert (unit["present"], unit["used"]) == (6, 4)


def test_items_of_a_sheet_add_up_to_its_total(run: Run) -> None:
    reading = Reading(run)
    columns = 0
    for key in reading.names:
        for stage in ("desk", "site"):
            raters, items = reading.items(key, stage)
            for n, label in enumerate(raters):
                sheet = reading.counties[key]["stages"][stage]["sheets"][label]
                if sheet["total"] is None:
                    assert all(item.points[n] is None for item in items)
                    continue
                columns += 1
                points = [Decimal(p) for i in items if (p := i.points[n]) not in (None, "N/A")]
                assert sum(points, Decimal(0)) == Decimal(sheet["total"])
    assert columns == 82


def test_ranking_is_within_classes_and_by_total(run: Run) -> None:
    places = Reading(run).ranking()
    assert [(p.group, p.rank) for p in places] == [
        ("I", "1"), ("I", "2"), ("I", "3"), ("I", "4"), ("I", "5"), ("II", "1"),
    ]  # fmt: skip
    totals = [p.total for p in places[:5]]
    assert totals == sorted(totals, reverse=True)  # type: ignore[type-var]


def test_agreement_is_on_untrimmed_marks(run: Run) -> None:
    (desk, site) = run.results["agreement"]
    assert (desk["stage"], desk["n"], desk["k"], desk["missing"]) == ("desk", 6, 7, 2)
    assert desk["icc"]["ICC(A,1)"]["value"] is not None
    # With gaps there is no F interval: the bounds are simulated, and the verdict goes by the lower one.
    mean = desk["icc"]["ICC(A,k)"]
    assert float(mean["low"]) < float(mean["value"]) < float(mean["high"])
    assert desk["verdict"]["basis"] == "low" and desk["resamples"] == 1000
    assert desk["alpha_interval"]["interval"]["seed"] == desk["seed"] != site["seed"]
    own = [row["stages"]["desk"] for row in run.inputs["subjects"]]
    assert Decimal(desk["full_mark"]) == min(map(own_maximum, own)) < 100
    assert (site["n"], site["k"], site["missing"]) == (6, 7, 0)
    assert site["icc"]["ICC(A,k)"]["low"] is not None
    assert "." in run.results["agreement"][0]["sem"]  # a float never enters the ledger
    json.dumps(run.results)
    digest(run.results)


def test_what_is_missing_is_named(session: Any, made: builders.Scored) -> None:
    sitting = made.panels["desk"].sittings[0]
    sitting.phase = "scoring"
    append(session, None, "test.tampering")
    with pytest.raises(Conflict) as caught:
        operations.run(session, made.office, round=made.round)
    assert "东城区（综合评审）" in caught.value.text.zh
    assert "未结束" in caught.value.text.zh and "not over" in caught.value.text.en
    sheet = session.scalar(select(Sheet).where(Sheet.sitting_id == sitting.id))
    sitting.phase, sheet.state = "closed", "draft"
    append(session, None, "test.tampering")
    with pytest.raises(Conflict, match=f"东城区（综合评审） 席位 {sheet.seat.number}"):
        operations.run(session, made.office, round=made.round)


def test_an_unconfirmed_or_missing_figure_blocks_by_name(
    session: Any, made: builders.Scored
) -> None:
    figure = session.scalar(select(Figure).where(Figure.key == "construction_land_ha"))
    subject = next(s for s in made.round.subjects if s.id == figure.subject_id)
    programme.enter_figure(
        session, made.office, subject, figure.key, Decimal("0.5"), "", 2011, "测试统计表 第2页"
    )
    with pytest.raises(DomainError) as caught:
        operations.run(session, made.office, round=made.round)
    assert subject.name_zh in caught.value.text.zh and figure.key in caught.value.text.zh


def test_an_unconcluded_qualification_blocks(session: Any, made: builders.Scored) -> None:
    subject = made.round.subjects[2]
    subject.status = "declared"
    append(session, None, "test.tampering")
    with pytest.raises(Conflict, match=subject.name_zh):
        operations.run(session, made.office, round=made.round)


def test_a_veto_is_a_gate(session: Any, made: builders.Scored) -> None:
    subject = made.round.subjects[1]
    subject.status = "vetoed"
    append(session, None, "test.veto")
    run = operations.run(session, made.office, round=made.round)
    score = run.results["scores"]["subjects"][subject.region_code]
    assert (score["status"], score["total"], score["rank"]) == ("vetoed", None, None)
    last = [p for p in Reading(run).ranking() if p.group == subject.region_class][-1]
    assert last.id == subject.region_code and last.rank is None and last.reason is not None


def test_below_quorum_gives_no_score_and_says_why(session: Any, made: builders.Scored) -> None:
    sitting = made.panels["site"].sittings[0]
    for sheet in session.scalars(select(Sheet).where(Sheet.sitting_id == sitting.id)):
        if sheet.seat.number <= 3:
            sheet.state, sheet.reason = "absent", "未到场"
    append(session, None, "test.absences")
    run = operations.run(session, made.office, round=made.round)
    place = next(p for p in Reading(run).ranking() if p.id == made.round.subjects[0].region_code)
    assert place.total is None and place.status == "no_score"
    assert (
        place.reason is not None
        and place.reason.zh == "实地考核总分只有 4 个有效分数，少于规定的 5 个，不计分。"
    )
    assert place.reason.en.startswith("Site assessment, sheet totals has 4 valid marks")


def test_a_second_run_needs_a_change_and_a_reason(
    session: Any, made: builders.Scored, run: Run
) -> None:
    with pytest.raises(Conflict, match="第 1 次"):
        operations.run(session, made.office, round=made.round, note="想再算一次看看")
    sheet = session.scalar(
        select(Sheet).join(Sheet.sitting).where(Sheet.state == "sealed").order_by(Sheet.id)
    )
    sheet.state, sheet.reason = "absent", "封存后发现未到场"
    append(session, None, "test.change")
    with pytest.raises(DomainError) as caught:
        operations.run(session, made.office, round=made.round)
    assert caught.value.field == "note" and "→ 缺席" in caught.value.text.zh
    builders.corrected(session, made)
    again = operations.run(session, made.office, round=made.round, note="更正签到记录")
    assert again.number == 2 and again.inputs_digest != run.inputs_digest
    changes = [c.zh for c in Reading(again).changes()]
    name = f"{sheet.sitting.subject.name_zh} "
    assert any(c.startswith(name) and "→ 缺席" in c for c in changes)
    assert queries.last_run(session, made.round) is again


def test_the_ledger_gets_digests_and_no_mark(session: Any, run: Run) -> None:
    entry = next(
        e for e in session.scalars(select(Event)) if json.loads(e.payload).get("kind") == "run.made"
    )
    data = json.loads(entry.payload)["data"]
    assert data["results"] == run.results_digest == digest(run.results)
    assert data["inputs"] == digest(run.inputs)
    assert set(data) == {"round", "run", "number", "rule", "inputs", "results"}


def test_the_last_run_replays(session: Any, run: Run) -> None:
    for name, check in invariants.INVARIANTS:
        assert check(session) == [], name


def test_a_changed_score_is_found(session: Any, run: Run) -> None:
    results = json.loads(json.dumps(run.results))
    key = next(iter(results["scores"]["subjects"]))
    results["scores"]["subjects"][key]["total"] = "99.99"
    run.results = results
    append(session, None, "test.tampering")
    assert any("结果与摘要不符" in t.zh for t in invariants.digests_fit(session))
    found = [t.zh for t in invariants.last_runs_replay(session)]
    assert any("得分不同" in t for t in found) and any("公布总分为 99.99" in t for t in found)


def test_a_changed_sheet_is_found(session: Any, made: builders.Scored, run: Run) -> None:
    sheet = session.scalar(select(Sheet).where(Sheet.state == "sealed").order_by(Sheet.id))
    sheet.state, sheet.reason = "absent", "改动"
    append(session, None, "test.tampering")
    (fault,) = invariants.inputs_are_current(session)
    assert "汇总之后" in fault.zh


def test_who_sees_runs(session: Any, made: builders.Scored, run: Run) -> None:
    for viewer in (made.office, made.supervisor):
        assert queries.run(session, viewer, made.round, 1) is run
        assert queries.runs(session, viewer, made.round) == [run]
    for viewer in (made.admin, made.presenter, made.experts[0][1]):
        assert queries.runs(session, viewer, made.round) == []
        with pytest.raises(NotFound):
            queries.run(session, viewer, made.round, 1)
    with pytest.raises(Forbidden):
        operations.run(session, made.supervisor, round=made.round, note="监督人员不能汇总")


def test_collect_is_repeatable(session: Any, made: builders.Scored) -> None:
    assert digest(collect(session, made.round)) == digest(collect(session, made.round))


def test_exports_hold_every_mark(run: Run) -> None:
    reading = Reading(run)
    rows = exports.mark_rows(reading)
    assert len(rows) == 6 * 7 * 2
    book = openpyxl.load_workbook(io.BytesIO(exports.as_xlsx(reading, "zh")))
    assert book.sheetnames == [
        "结果 Results", "评分 Marks", "指标 Items", "计算过程 Arithmetic", "来源 Origin",
    ]  # fmt: skip
    marks = list(book["评分 Marks"].values)
    assert len(marks) == 85
    absent = [row for row in marks if row[4] == "缺席"]
    assert [(row[5], row[6], row[7]) for row in absent] == [(None, "不计", "当日请病假")]
    assert marks[0][:3] == ("区划代码 Code", "区县 County", "阶段 Stage")
    text = exports.as_csv(reading, "en").decode("utf-8-sig")
    assert text.startswith("区划代码 Code,区县 County,阶段 Stage,专家 Expert,状态 State,")
    assert text.count("\r\n") == 85 and ",dropped," in text


def test_sentences_name_counties_and_stages(run: Run) -> None:
    reading = Reading(run)
    lines = [line for key in reading.names for line in reading.arithmetic(key)]
    assert lines
    for line in lines:
        assert "阶段 desk" not in line.zh and "Stage desk" not in line.en
        assert "1101" not in line.zh.split("：")[0]
    assert any(line.zh.startswith("综合评审：抽取 7 人，缺席 1 人，有效 6 份") for line in lines)
    assert punctuated("a:1,2;b(甲),乙 ICC(A,k)") == "a：1,2；b（甲），乙 ICC(A,k)"


def test_pages(app: Any, client_as: Any) -> None:
    with app.extensions["mingjian.db"].read() as session:
        made = builders.reload(session)
        slug = made.round.slug
    office, supervisor = client_as(made.office), client_as(made.supervisor)
    base = f"/r/{slug}/runs"
    assert "还没有汇总" in office.get(base).text
    assert supervisor.post(base, data={"note": ""}).status_code == 403
    assert office.post(base, data={"note": ""}).headers["Location"].endswith("/runs/1")
    again = office.post(base, data={"note": "再来一次看看"})
    assert (
        again.status_code == 422 and "没有新的结果" in again.text and "再来一次看看" in again.text
    )
    page = supervisor.get(f"{base}/1").text
    assert "评分者一致性" in page and "<del>" in page and page.count("<svg") >= 3
    assert "当日请病假" in page
    assert supervisor.get(f"{base}/2").status_code == 404
    assert office.get(f"{base}/1/export.csv").data.startswith(b"\xef\xbb\xbf")
    assert office.get(f"{base}/1/export.xlsx").data.startswith(b"PK")
    for who in (made.admin, made.presenter, made.experts[0][1]):
        assert client_as(who).get(f"{base}/1").status_code == 403

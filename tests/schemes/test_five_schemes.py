"""Every scheme of the library run whole on a small round; totals worked out by hand in the comments."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.aggregation.inputs import collect
from app.aggregation.reading import Reading
from app.domain.types import Conflict, DomainError, Forbidden
from app.home.waits_figures import missing_figure_waits
from app.home.waits_forms import entry_waits
from app.ledger.append import append
from app.programme import case_import, casefiles
from app.programme.figures import missing_figures
from app.scoring import cases, given, operations
from app.scoring.models import CaseSheet
from tests.schemes import builders
from tests.schemes.builders import document, figures, give, off, qualify, sit, small

# Desk form of class II, one county: min-max has no meaning, so the targets apply.
#   A1 1500/3000 x 14 = 7.00, A2 300/600 x 9 = 4.50, A4 0.45/0.9 x 12 = 6.00: 17.50
#   experts' items 65, less n cases of C3 at one point: 82.5 81.5 80.5 79.5 78.5, mean of three 80.5
DESK = {
    "gdp23_wan": "150000", "construction_land_ha": "100", "tax_wan": "30000",
    "stock_supply_ha": "45", "total_supply_ha": "100",
}  # fmt: skip


def desk(_: Any, n: int) -> dict[str, Any]:
    return {"C3.cases": str(n)}


def test_beijing_2012(session: Any, make: Any, monkeypatch: Any) -> None:
    made = small(session, make, "beijing-2012-2nd", region_class="II")
    figures(made, 0, DESK)
    qualify(made)
    sit(made, monkeypatch, "desk", desk)
    sit(made, monkeypatch, "site", off("P1", "12", "1"))
    # site 100 less n: mean of three 98; 0.7 x 80.5 + 0.3 x 98 = 56.35 + 29.40
    assert made.totals() == [Decimal("85.75")]


def test_national_2015(session: Any, make: Any, monkeypatch: Any) -> None:
    made = small(session, make, "mlr-model-county-2015", region_class="II")
    round_, office = made.scored.round, made.scored.office
    asked = {entry.key for entry in missing_figures(session, round_)}
    assert asked == {
        *DESK,
        "awareness_pct",
        "satisfaction_pct",
        "respondents",
    }  # not the re-check's
    figures(made, 0, DESK)
    figures(made, 0, {"awareness_pct": "80", "satisfaction_pct": "90", "respondents": "400"})
    assert missing_figure_waits(session, [round_]) == {}
    assert entry_waits(session, office, round_) == []
    later = [row for row in given.given_of(session, round_)[made.subjects[0].id] if row.later]
    assert [row.id for row in later] == ["R4", "R5"] and not any(row.awaited for row in later)
    qualify(made)
    sit(made, monkeypatch, "desk", desk)
    sit(made, monkeypatch, "site", off("P1", "12", "1"))
    # survey 80 x 0.4 + 90 x 0.6 = 86; 0.6 x 80.5 + 0.3 x 98 + 0.1 x 86 = 48.3 + 29.4 + 8.6
    assert made.totals() == [Decimal("86.30")]


def test_jiangsu_2022_with_bonuses(jiangsu: builders.Small) -> None:
    first, second = document(jiangsu, 0, "表扬.pdf"), document(jiangsu, 0, "推广.pdf")
    # One document at both levels counts once, at the higher: 1; the other 0.5.
    give(jiangsu, 0, "bonus", "JB1", {"level.national": [first], "level.provincial": [first]})
    give(jiangsu, 0, "bonus", "JB2", {"level.provincial": [second]})
    run = jiangsu.run()
    scores = run.results["scores"]["subjects"]
    rows = [scores[s.region_code] for s in jiangsu.subjects]
    assert [row["total"] for row in rows] == ["92.25", "87.00"]
    assert [row["adjust"] for row in rows] == ["1.5", "0"]
    assert [row["rank"] for row in rows] == [1, 2]
    assert run.inputs["uncounted"] == []
    reading = Reading(run)
    (county,) = reading.bonuses()
    assert county.points == "1.5"
    assert [(a.document, a.counted) for a in county.awards] == [
        ("表扬.pdf", True), ("表扬.pdf", False), ("推广.pdf", True),
    ]  # fmt: skip
    assert "90.75 + 1.5 = 92.25" in " ".join(t.en for t in reading.arithmetic("110101"))


def test_a_bonus_needs_its_document_a_second_person_and_counts_a_document_once(
    jiangsu: builders.Small,
) -> None:
    session, scored = jiangsu.session, jiangsu.scored
    paper = document(jiangsu, 0, "表扬.pdf")
    with pytest.raises(DomainError):
        give(jiangsu, 0, "bonus", "JB1", {"level.national": ["0" * 16]})
    foreign = document(jiangsu, 1, "他县.pdf")
    with pytest.raises(DomainError):
        give(jiangsu, 0, "bonus", "JB1", {"level.national": [foreign]})
    mark = give(jiangsu, 0, "bonus", "JB1", {"level.national": [paper]}, confirm=False)
    with pytest.raises(Forbidden):
        given.confirm_given(session, scored.office, mark)
    with pytest.raises(Conflict) as caught:
        jiangsu.run()
    assert "JB1" in caught.value.text.en and "not confirmed" in caught.value.text.en
    with pytest.raises(DomainError) as twice:
        give(jiangsu, 0, "bonus", "JB2", {"level.provincial": [paper]})
    assert "表扬.pdf" in twice.value.text.zh and "JB1" in twice.value.text.zh
    given.confirm_given(session, scored.second, mark)
    assert jiangsu.totals() == [Decimal("91.75"), Decimal("87.00")]
    # A correction takes the confirmation away.
    give(jiangsu, 0, "bonus", "JB1", {"none": "on"}, confirm=False)
    with pytest.raises(Conflict):
        jiangsu.run()


def test_what_a_higher_authority_gives_is_awaited_by_name_and_never_zero(
    session: Any, make: Any, monkeypatch: Any
) -> None:
    made = small(session, make, "jiangsu-enforcement-2022")
    rows = {"illegal_arable_mu": "2", "new_construction_arable_mu": "100"}
    figures(made, 0, {**rows, "rectified_cases": "3", "old_cases": "4"})
    qualify(made)
    sit(made, monkeypatch, "assess", off("J01", "8"))
    give(made, 0, "assess", "J12", {"cases": "0"})
    with pytest.raises(Conflict) as caught:
        made.run()
    assert "J13" in caught.value.text.en and "J12" not in caught.value.text.en
    with pytest.raises(DomainError):  # two hundredths are no step of the scale
        give(made, 0, "assess", "J13", {"mark": "4.02", "reason": "测试"})
    with pytest.raises(DomainError):
        give(made, 0, "assess", "J13", {"mark": "5.0"}, evidence="")
    give(made, 0, "assess", "J13", {"mark": "5.0"})
    assert made.totals() == [Decimal("93.75")]  # 9 + 6.75 + 7 + 5 + 66
    assert made.round.pins and made.run  # without a bonus the paper says so
    assert collect(session, made.round)["uncounted"] == ["js22-bonus"]


def test_luohe_2010_with_a_veto_on_a_sheet_and_a_tie_for_the_heaviest_item(
    session: Any, make: Any, monkeypatch: Any
) -> None:
    mines = {"has_mines": True}
    made = small(session, make, "luohe-2010", counties=4, facts={2: mines, 3: mines})
    figures(made, 0, {"land_index": "0.8"})
    figures(made, 2, {"land_index": "0.8", "mineral_index": "0.7"})
    figures(made, 3, {"land_index": "0.9", "mineral_index": "0.5"})
    # The one with the veto lacks its figures: it stops nothing, for it is out before any mark counts.
    give(made, 1, "selfcheck", "L5", {
        "vetoed": "yes", "vetoes": ["LV1"], "reason": "查实", "evidence": "测试决定书",
    }, evidence="")  # fmt: skip
    for place in (0, 2, 3):
        give(made, place, "selfcheck", "L5", {"vetoed": "no"})
    give(made, 0, "select", "LC1", {"mark": "6.4", "reason": "测试"})
    for place in (2, 3):
        give(made, place, "select", "LC1", {"mark": "8.0", "reason": "测试"})
    sit(made, monkeypatch, "select", off("LB1", "15"))
    run = made.run()
    scores = run.results["scores"]["subjects"]
    rows = [scores[s.region_code] for s in made.subjects]
    # No mines: 32 of 40 carried to 48 of 60; 48 + (15 - 1) + 10 + 7 + 6.4 = 85.4
    # Mines: 32 + 14 and 36 + 10, both 46; 46 + 14 + 10 + 7 + 8 = 85
    assert [row["total"] for row in rows] == ["85.40", None, "85.00", "85.00"]
    assert [row["rank"] for row in rows] == [1, None, 3, 2]
    assert rows[3]["tie"]["rungs"] == ["top_item"]
    assert "LA1" in rows[3]["tie"]["text"]["en"]
    assert rows[1]["status"] == "vetoed"
    assert "测试决定书" in rows[1]["reason"]["zh"]


def test_a_veto_on_a_sheet_is_awaited_and_needs_evidence(
    session: Any, make: Any, monkeypatch: Any
) -> None:
    made = small(session, make, "luohe-2010")
    figures(made, 0, {"land_index": "0.8"})
    give(made, 0, "select", "LC1", {"mark": "6.4", "reason": "测试"})
    sit(made, monkeypatch, "select", off("LB1", "15"))
    with pytest.raises(Conflict) as caught:
        made.run()
    assert "L5" in caught.value.text.en and "L4" not in caught.value.text.en
    with pytest.raises(DomainError) as refused:
        give(
            made, 0, "selfcheck", "L5",
            {"vetoed": "yes", "vetoes": ["LV1"], "reason": "查实"}, evidence="",
        )  # fmt: skip
    assert "evidence" in refused.value.text.en


TABLE = "区县\t类型\t案卷号\t案卷名称\t日期\n"


@pytest.fixture
def lawful(session: Any, make: Any) -> builders.Small:
    """Six licences and two penalties of one county, from a pasted table; list closed and sampled."""
    made = small(session, make, "mlr-rule-of-law-2008")
    lines = [
        f"东城区\t行政许可\t许〔2008〕{n}号\t测试许可{n}\t2008-03-{n:02d}" for n in range(1, 7)
    ]
    lines += [f"110101\tpenalty\t罚〔2008〕{n}号\t测试处罚{n}\t2008/4/{n}" for n in (1, 2)]
    case_import.import_cases(
        session, made.scored.office, made.round, (TABLE + "\n".join(lines)).encode(), "粘贴"
    )
    casefiles.close_list(session, made.scored.office, made.subjects[0])
    casefiles.draw_sample(
        session, made.scored.office, made.subjects[0], seed="3 1 4 1 5 9 2 6",
        seed_source="测试骰子，监督人在场",
    )  # fmt: skip
    give(made, 0, "mutual", "Y11", {"ticks": ["a", "b"]})
    give(made, 0, "mutual", "Y15", {"grade": "good", "prior": "on"})
    return made


def reviewing(case: Any, n: int) -> dict[str, Any]:
    """Expert n finds n faults of filing (2 points each) in every file; expert 2 one grave one more."""
    grave = n == 2 and case.code.startswith("penalty") and case.code.endswith("001")
    return {"Z5.cases": str(n), "Z1.cases": "1" if grave else "0"}


def test_rule_of_law_2008_with_case_files(lawful: builders.Small, monkeypatch: Any) -> None:
    sit(lawful, monkeypatch, "mutual", lambda s, n: {}, reviewing)
    # Experts' items 77, Y11 5, Y15 3 x 0.5 = 1.5; of seven files 100 - 2n each: Y19 15 - 0.3 n
    #   n = 2: (7 x 96 - 5) / 7 = 95.29 (half up), Y19 15 x 0.9529 = 14.29
    #   98.5 98.2 97.79 97.6 97.3; the middle three: 293.59 / 3 = 97.86
    run = lawful.run()
    part = run.inputs["subjects"][0]["stages"]["main"]
    sheets = [part["sheets"][label] for label in sorted(part["sheets"])]
    assert [s["total"] for s in sheets] == ["98.5", "98.2", "97.79", "97.6", "97.3"]
    assert [s["cases"]["mean"] for s in sheets] == ["100", "98", "95.29", "94", "92"]
    assert len(sheets[0]["cases"]["files"]) == 7
    assert run.results["scores"]["subjects"]["110101"]["total"] == "97.86"
    computed = {item["id"]: item["computed"] for item in part["items"]}
    assert computed["Y11"] and not computed["Y19"]  # a case file is the expert's own judgement


def test_a_case_file_that_is_not_reviewed_stops_the_seal_and_the_run(
    lawful: builders.Small, monkeypatch: Any
) -> None:
    session, done = lawful.session, {}

    def but_one(case: Any, n: int) -> dict[str, Any]:
        done.setdefault(n, []).append(case)
        return reviewing(case, n)

    def dial(sitting: Any, n: int) -> dict[str, Any]:
        if n == 0:
            # Two more sheets would do it: undo one seal as if it had not been made.
            row = session.query(CaseSheet).filter_by(case_file_id=done[0][0].id).one()
            row.state = "draft"
            append(session, None, "test.undo")
            sheet = operations.start_sheet(
                session, lawful.scored.viewer_of(row.seat), sitting=sitting
            )
            with pytest.raises(Conflict) as caught:
                cases.must_be_reviewed(session, sheet)
            assert done[0][0].number in caught.value.text.zh
            row.state = "sealed"
            append(session, None, "test.redo")
        return {}

    sit(lawful, monkeypatch, "mutual", dial, but_one)
    rows = session.query(CaseSheet).filter_by(case_file_id=done[4][2].id)
    row = next(row for row in rows if row.seat.number == 5)
    row.state = "superseded"
    append(session, None, "test.undo")
    with pytest.raises(Conflict) as caught:
        lawful.run()
    assert done[4][2].number in caught.value.text.zh and "席位 5" in caught.value.text.zh


def test_the_sample_follows_from_list_and_seed_and_is_drawn_once(lawful: builders.Small) -> None:
    import hashlib

    session, county = lawful.session, lawful.subjects[0]
    state = casefiles.case_state(session, county)
    by_hand = hashlib.sha256(
        f"casefile|{state.closing.digest}|3.1.4.1.5.9.2.6".encode()
    ).hexdigest()
    assert state.key == by_hand
    tickets = sorted(
        (hashlib.sha256(f"ticket|{by_hand}|licence|1|licence-{n:03d}".encode()).hexdigest(), n)
        for n in range(1, 7)
    )
    chosen = {f"licence-{n:03d}" for _, n in tickets[:5]}
    assert {f.code for f in state.sampled} == chosen | {"penalty-001", "penalty-002"}
    office = lawful.scored.office
    with pytest.raises(Conflict):
        casefiles.draw_sample(session, office, county, seed="1 2 3 4 5 6", seed_source="又一次")
    with pytest.raises(Conflict):
        casefiles.add_case(
            session, office, county, kind="levy", number="征1", title="测试", on=date(2008, 1, 1)
        )
    assert casefiles.list_digest(state.live) == state.closing.digest


def test_a_table_of_case_files_names_row_and_column_and_enters_nothing(
    session: Any, make: Any
) -> None:
    made = small(session, make, "mlr-rule-of-law-2008")
    text = TABLE + "东城区\t行政许可\t许1\t甲\t2008-03-01\n海淀区\t行政许可\t许2\t乙\t2008-03-01\n"
    text += "东城区\t信访\t许3\t丙\t2008-03-01\n东城区\t行政许可\t许1\t丁\t2008-13-01\n"
    plan = case_import.plan_cases(session, made.scored.office, made.round, text.encode(), "表.csv")
    assert [(p.row, p.column) for p in plan.problems] == [(3, "county"), (4, "kind"), (5, "on")]
    with pytest.raises(DomainError) as caught:
        case_import.import_cases(session, made.scored.office, made.round, text.encode(), "表.csv")
    assert "第 3 行" in caught.value.text.zh
    assert casefiles.case_state(session, made.subjects[0]).files == ()


def test_a_case_sheet_is_corrected_as_any_other(lawful: builders.Small, monkeypatch: Any) -> None:
    session = lawful.session

    def dial(sitting: Any, n: int) -> dict[str, Any]:
        viewer = lawful.scored.experts[n][1]
        if n == 2:  # the grave fault was none
            work = cases.case_work(session, sitting, sheet_seat(session, sitting, viewer))
            row = next(r for c, r in work.files if c.code == "penalty-001")
            new = operations.correct(session, viewer, sheet=row, reason="复核后无此问题")
            assert (new.revision, new.case_file_id) == (2, row.case_file_id)
            builders.seal(lawful, viewer, new, {"Z1.cases": "0", "Z5.cases": "2"})
            assert (row.state, new.state) == ("superseded", "sealed") and new.receipt
        return {}

    sit(lawful, monkeypatch, "mutual", dial, reviewing)
    assert lawful.totals() == [Decimal("97.90")]  # 98.2, 97.9, 97.6


def sheet_seat(session: Any, sitting: Any, viewer: Any) -> Any:
    from app.panel import queries as panels

    return panels.own_seat(session, viewer, sitting.panel)

"""What the diagnostics say about planted rounds: people, severity, links, cut lines, shadow, own page."""

from __future__ import annotations

from typing import Any

import pytest

from app.aggregation import diagnostics_agreement
from app.aggregation.diagnostics import Cast, Diagnosis
from app.aggregation.diagnostics_agreement import (
    Simulated,
    item_agreements,
    panel_agreements,
    simulated,
)
from app.aggregation.diagnostics_words import changed_list, severity_words
from app.aggregation.reading import Reading
from app.domain.statistics.raters import Estimate
from app.domain.types import Text
from tests.aggregation.diagnostic_runs import APART, CLEAR, TWO, stored


def by_label(looked: Diagnosis, stage: str) -> dict[str, Any]:
    return {label: report for _, label, report in looked.stage_raters(stage).raters}


def test_the_strict_expert_is_found_with_his_standard_error() -> None:
    looked = Diagnosis(stored({"desk": CLEAR}))
    found = by_label(looked, "desk")
    assert list(found) == ["1", "2", "3", "4", "5", "6", "7"]
    strict = found["4"].severity
    assert -6.5 < strict.value < -3.5 and 0 < strict.se < 1.5
    assert "明显偏严" in severity_words(strict).zh
    assert "clearly" not in severity_words(found["5"].severity).en
    wavering = found["2"].consistency
    assert wavering.standing == "erratic" and found["1"].consistency.standing == "usual"


def test_severity_in_words_turns_at_its_limits() -> None:
    assert severity_words(Estimate(2.0, 1.0)).en == "+2.00 points (SE 1.00), clearly lenient"
    assert severity_words(Estimate(1.9, 1.0)).en.endswith("no clear difference from the others")
    assert severity_words(Estimate(-2.0, 1.0)).zh == "−2.00 分（标准误 1.00），明显偏严"
    assert severity_words(Text("不足:只评了 2 个", "few")).zh == "不足：只评了 2 个"


def test_panels_without_a_common_expert_are_not_compared() -> None:
    run = stored({"desk": TWO}, panels=APART)
    looked = Diagnosis(run)
    assert not looked.stage_raters("desk").found.connected
    assert looked.shadow(looked.cut()).reason is not None
    # The same seats, but seat 5 of both panels is one person: now he links them.
    linked = Diagnosis(run, Cast({"deskP1-5": "anna", "deskP2-5": "anna"}, {}))
    assert linked.stage_raters("desk").found.connected
    assert linked.shadow(linked.cut()).reason is None


# Seat 1 at the desk and seat 2 on site lift K2 over K1, each by a little: it takes both sheets.
DESK = {
    "K1": ["80", "80", "80", "80", "80", "80"],
    "K2": ["98", "76", "79", "80", "80", "80"],
    "K3": ["50", "50", "50", "51", "50", "50"],
}
SITE = {
    "K1": ["80", "80", "80", "80", "80", "80"],
    "K2": ["80", "98", "79", "80", "80", "76"],
    "K3": ["50", "50", "50", "50", "51", "50"],
}


def test_an_expert_left_out_takes_all_his_sheets_with_him() -> None:
    run = stored({"desk": DESK, "site": SITE}, estimator="mean", top=1)
    same = Cast({"desk1": "bo", "site2": "bo"}, {})
    looked = Diagnosis(run, same)
    assert [r.key for r in looked.raters].count("bo") == 1
    assert len(looked.raters) == 11 and len(Diagnosis(run).raters) == 12
    bo = next(r for r in looked.raters if r.key == "bo")
    assert bo.title == Text("阶段desk 1 号、阶段site 2 号", "Stage desk seat 1, Stage site seat 2")
    assert run.results["scores"]["subjects"]["K2"]["rank"] == 1
    found = looked.certainty(looked.cut())
    (pivotal,) = found.pivotal
    assert (pivotal[0].key, pivotal[1].into, pivotal[1].out) == ("bo", ("K1",), ("K2",))
    assert changed_list(looked.reading, pivotal[1]).zh == "进入：K1县；退出：K2县"
    # As two people neither of them is pivotal: leaving one out does not suffice.
    apart = Diagnosis(run)
    assert apart.certainty(apart.cut()).pivotal == []


def test_certainty_repeats_the_stored_intervals_and_itself() -> None:
    run = stored({"desk": CLEAR}, top=2)
    looked = Diagnosis(run)
    found = looked.certainty(looked.cut())
    bands = run.results["uncertainty"]["subjects"]
    assert {r.place.id: list(r.place.interval or ()) for r in found.rows} == {
        key: band["rank_interval"] for key, band in bands.items()
    }
    assert [r.place.id for r in found.standing("in")] == ["K1", "K2"]
    assert [r.place.id for r in found.standing("out")] == ["K3", "K4", "K5", "K6"]
    assert [r.shadow for r in found.rows] == [1, 2, 3, 4, 5, 6]
    again = Diagnosis(run).certainty(looked.cut())
    assert again.rows == found.rows and again.weights == found.weights
    # Another cut line: chances are drawn again from the stored seed and add up to the places.
    three = looked.certainty(looked.cut(3))
    assert sum(r.chance or 0 for r in three.rows) == pytest.approx(3)
    assert [r.place.interval for r in three.rows] == [r.place.interval for r in found.rows]


def test_counties_that_are_close_are_borderline() -> None:
    close = {
        "K1": ["80", "76", "83", "79", "82", "78", "80"],
        "K2": ["79", "82", "77", "80", "79", "81", "79"],
        "K3": ["60", "61", "59", "62", "58", "60", "61"],
    }
    looked = Diagnosis(stored({"desk": close}, top=1))
    found = looked.certainty(looked.cut())
    assert [r.place.id for r in found.standing("borderline")] == ["K1", "K2"]
    assert [r.place.id for r in found.standing("out")] == ["K3"]


def test_the_seed_of_the_weights_is_the_runs_own() -> None:
    run = stored({"desk": CLEAR}, top=2)
    looked = Diagnosis(run)
    assert looked.seed == int(run.results_digest[:8], 16)
    assert looked.certainty(looked.cut()).weights.seed == looked.seed
    run.results_digest = "0" * 64
    assert looked.seed == 0


def test_where_the_cut_line_comes_from() -> None:
    run = stored({"desk": CLEAR})
    rule, inputs = run.rule, run.inputs

    def cut(asked: int | None = None, top: int | None = None, places: Any = ()) -> Any:
        run.rule, run.inputs = {**rule, "top": top}, {**inputs, "places": places}
        made = Diagnosis(run).cut(asked)
        return made.top, made.origin, made.edges

    assert cut() == (1, "supposed", ())
    assert cut(top=2) == (2, "rule", (2,))
    assert cut(3, top=2) == (3, "asked", (2,))
    assert cut(6, top=2) == (2, "rule", (2,))  # everybody would be in
    assert cut(0) == (1, "supposed", ())
    pair = {"zh": "模范", "en": "model"}
    tiers = [{"id": n, "title": pair, "max": m, "group": None} for n, m in (("a", 1), ("b", 2))]
    assert cut(places=tiers) == (3, "rule", (1, 3))
    assert cut(1, places=tiers) == (1, "rule", (1, 3))


def test_nothing_is_diagnosed_where_the_stored_figures_do_not_come_out() -> None:
    run = stored({"desk": CLEAR})
    assert Diagnosis(run).stale is None
    run.results["scores"]["subjects"]["K1"]["total"] = "99.99"
    assert Diagnosis(run).stale is not None


def test_the_shadow_ranking_calls_for_a_look_at_the_cut_line() -> None:
    # The strict fourth expert recused himself for K2 alone, which lifts it over K1.
    lifted = CLEAR | {
        "K1": ["81", "80", "82", "74", "81", "80", "81"],
        "K2": ["80", "81", "80", None, "80", "81", "80"],
    }
    looked = Diagnosis(stored({"desk": lifted}, top=1, estimator="mean"))
    found = looked.certainty(looked.cut())
    assert [(r.place.id, r.place.rank, r.shadow, r.crosses) for r in found.rows][:2] == [
        ("K2", "1", 2, True), ("K1", "2", 1, True),
    ]  # fmt: skip
    shadow = looked.shadow(looked.cut())
    assert shadow.triggers_review and shadow.moved_in == ("K1",)
    plain = Diagnosis(stored({"desk": CLEAR}, top=2))
    assert not plain.shadow(plain.cut()).triggers_review


# ---------- agreement in words


def test_what_low_agreement_triggers() -> None:
    wild = {f"K{n}": [str(40 + (17 * n * (i + 3)) % 53) for i in range(7)] for n in range(1, 7)}
    run = stored({"desk": wild})
    (found,) = panel_agreements(Reading(run))
    stored_verdict = run.results["agreement"][0]["verdict"]
    assert found.level == stored_verdict["level"] == "red"
    assert [head.en for head, _ in found.actions] == [
        {"hold": "Hold the ranking", "calibrate": "Calibration meeting", "add_raters": "More experts"}[a]
        for a in stored_verdict["actions"]
    ]  # fmt: skip
    (good,) = panel_agreements(Reading(stored({"desk": CLEAR})))
    assert good.level == "green" and good.actions == ()
    reliability, error, order = good.headlines
    assert reliability.value == "0.99" and reliability.interval == ("0.98", "1.00")
    assert "excellent" in reliability.words.en and "SEM" in error.words.en
    assert order.words.en.startswith("The experts rank almost alike")


def test_more_experts_are_asked_for_with_their_number() -> None:
    noisy = {
        "K1": ["80", "60", "75", "66", "72"], "K2": ["70", "76", "58", "71", "62"],
        "K3": ["74", "55", "68", "50", "66"], "K4": ["60", "66", "52", "58", "49"],
        "K5": ["66", "50", "60", "47", "58"],
    }  # fmt: skip
    run = stored({"desk": noisy})
    needed = run.results["agreement"][0]["verdict"]["raters_needed"]
    (found,) = panel_agreements(Reading(run))
    assert needed is not None and needed > 5
    said = next(what.en for head, what in found.actions if head.en == "More experts")
    assert f"About {needed} experts (now 5)" in said


def test_what_is_not_defined_says_so_with_its_reason() -> None:
    flat = {name: ["70"] * 5 for name in ("K1", "K2", "K3")}
    (found,) = panel_agreements(Reading(stored({"desk": flat})))
    assert found.level == "undefined"
    assert [h.value for h in found.headlines] == [None, None, None]
    assert found.headlines[0].words == Text("无定义：分数没有差异。", "Not defined: no variation.")
    forms = [row for row in found.annex if row.name.en.startswith("ICC")]
    assert len(forms) == 6 and all(row.value is None and row.note for row in forms)
    assert next(r.value for r in found.annex if r.name.en == "share of pairs of equal marks") == "1.0000"  # fmt: skip


def test_every_coefficient_is_in_the_annex_with_both_conventions() -> None:
    (found,) = panel_agreements(Reading(stored({"desk": CLEAR})))
    names = [row.name.en for row in found.annex]
    assert names.count("ICC(A,k)") == 2
    for name in (
        "ICC(1,1)",
        "ICC(C,k)",
        "Krippendorff's alpha, ordinal",
        "Gwet's AC1",
        "mean tau-b",
    ):
        assert name in names
    assert sum(name.startswith("component: ") for name in names) == 3


def test_items_agree_or_do_not() -> None:
    run = stored({"desk": CLEAR})
    (item,) = item_agreements(Reading(run), "desk", "P1")
    assert (item.id, item.counties, item.maximum, item.reason) == ("A", 6, "100", None)
    assert 0.9 < float(item.alpha or 0) < 1 and 1 < float(item.spread or 0) < 3
    # Fine marks hardly ever coincide: alike as an order, not as categories.
    assert 0.8 < float(item.ordinal or 0) < 1 and float(item.nominal or 1) < 0.3
    flat = stored({"desk": {name: ["70"] * 5 for name in ("K1", "K2", "K3")}})
    (item,) = item_agreements(Reading(flat), "desk", "P1")
    assert item.alpha is item.ordinal is item.nominal is None and item.reason is not None
    # Within one county there is nothing to tell apart: no number, and never "-0.00".
    alone = stored({"desk": {"K1": ["70", "80", "75", "72", "90"]}})
    (item,) = item_agreements(Reading(alone), "desk", "P1")
    assert item.alpha is item.ordinal is item.nominal is None
    assert item.reason is not None and item.reason.en == "Two experts marked one county only."
    assert diagnostics_agreement._hundredths(-0.001) == "0.00"


def test_an_interval_by_simulation_where_marks_are_missing(monkeypatch: Any) -> None:
    monkeypatch.setattr(diagnostics_agreement, "REFITS", 6)
    gap = {"K1": ["91", None, "92", "85", "91"]} | {k: CLEAR[k][:5] for k in ("K2", "K3", "K5")}
    run = stored({"desk": gap})
    (found,) = panel_agreements(Reading(run))
    assert found.lacks_interval and found.headlines[0].interval is None
    made = simulated(Reading(run), "desk", "P1")
    assert isinstance(made, Simulated) and made.rounds == 6
    assert 0 <= float(made.low) < float(found.headlines[0].value or 0) <= float(made.high) <= 1
    assert not panel_agreements(Reading(stored({"desk": CLEAR})))[0].lacks_interval


# ---------- an expert's own page


def test_own_figures_are_ones_own_alone() -> None:
    looked = Diagnosis(stored({"desk": CLEAR}))
    (own,) = looked.own(["desk4"])
    assert own.report == by_label(looked, "desk")["4"]
    assert (own.colleagues, own.connected, own.reason) == (6, True, None)
    assert looked.own(["desk99"]) == []


def test_few_colleagues_keep_their_marks() -> None:
    small = {name: marks[:4] for name, marks in CLEAR.items()}
    (own,) = Diagnosis(stored({"desk": small}, quorum=3)).own(["desk1"])
    assert own.report is None and own.reason is not None and own.colleagues == 3
    enough = {name: marks[:5] for name, marks in CLEAR.items()}
    assert Diagnosis(stored({"desk": enough})).own(["desk1"])[0].report is not None


def words_of(table: dict[str, list[str | None]], seat: str) -> list[Text]:
    from app.aggregation.diagnostics_words import consistency_words, drift_words

    (own,) = Diagnosis(stored({"desk": table})).own([seat])
    assert own.report is not None
    report = own.report
    return [
        severity_words(report.severity),
        consistency_words(report.consistency),
        drift_words(report.drift),
    ]


def test_two_worlds_that_differ_in_who_gave_which_mark_read_alike() -> None:
    swapped = {name: [marks[0], marks[2], marks[1], *marks[3:]] for name, marks in CLEAR.items()}
    assert swapped != CLEAR
    assert words_of(CLEAR, "desk1") == words_of(swapped, "desk1")
    assert words_of(CLEAR, "desk2") != words_of(swapped, "desk2")  # to them it makes a difference

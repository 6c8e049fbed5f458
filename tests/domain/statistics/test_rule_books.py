"""Rule books of judged sport and grant panels as rules, and their official results exactly as published.

tests/vectors/rule_books.json names the sources. Competitors are numbers; judges are seats.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from app.domain.statistics import replay
from app.domain.statistics.exact import prepare, totals
from app.domain.statistics.marks import Sheet, StageMarks, SubjectMarks
from app.domain.statistics.marks_file import parse_marks, subjects_of
from app.domain.statistics.results import RoundScores
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.rule_file import load_rule
from app.domain.statistics.scores import score_round
from app.domain.statistics.uncertainty import rank_uncertainty
from app.report import recompute
from tests.domain.statistics.builders import VECTORS

BOOKS = json.loads((VECTORS / "rule_books.json").read_text(encoding="utf-8"))
SEGMENTS = BOOKS["skating"]["segments"]

SKATING = """\
# ISU 2016: each component without its highest and lowest mark, two decimals; times the factor, two
# decimals; the technical score is added, deductions are taken off.
estimator: trimmed_mean
trim: {unit: item, drop: {5: 1}}
rounding: {item: 2, product: 2, total: 2}
items: {SS: {weight: FACTOR}, TR: {weight: FACTOR}, PE: {weight: FACTOR}, CO: {weight: FACTOR}, IN: {weight: FACTOR}}
modules: {technical: 1, components: 1}
ties: ["module:TIE", shared]
"""


def panel(marks: dict[str, Sequence[str | None]]) -> StageMarks:
    """Items -> marks by judge; None is absent."""
    size = len(next(iter(marks.values())))
    return StageMarks(
        sheets={
            f"J{n + 1}": Sheet(
                items={
                    i: None if row[n] is None else Decimal(str(row[n])) for i, row in marks.items()
                }
            )
            for n in range(size)
        }
    )


def skated(segment: dict[str, Any], **changes: str) -> tuple[ScoreRule, RoundScores]:
    (factor,) = set(segment["factors"].values())
    text = SKATING.replace("FACTOR", factor).replace("TIE", segment["tie"])
    for old, new in changes.items():
        text = text.replace(old.replace("_", " "), new)
    rule = load_rule(text)
    subjects = [
        SubjectMarks(
            f"{row['rank']:02}",
            {
                "technical": StageMarks(kind="value", value=Decimal(row["technical"])),
                "components": panel(row["marks"]),
            },
            adjust=-Decimal(row["deductions"]),
        )
        for row in reversed(segment["competitors"])
    ]
    scores = score_round(rule, subjects)
    quick = totals(rule, prepare(subjects))
    assert {k: t.published for k, t in quick.items()} == {
        k: s.total for k, s in scores.subjects.items()
    }
    assert all(replay.differences(s.to_json()) == [] for s in scores.subjects.values())
    return rule, scores


@pytest.mark.parametrize("segment", SEGMENTS, ids=[s["title"].split(":")[0] for s in SEGMENTS])
def test_skating_segments_come_out_as_published(segment: dict[str, Any]) -> None:
    _, scores = skated(segment)
    for row in segment["competitors"]:
        score = scores.subjects[f"{row['rank']:02}"]
        assert score.total == Decimal(row["total"])
        assert score.rank == row["rank"]
        assert score.stages["components"].value == Decimal(row["components"])
        for item, published in row["panel"].items():
            assert score.items[item].value == Decimal(published)


def test_a_level_score_goes_by_the_component_that_the_book_names() -> None:
    free = SEGMENTS[2]
    pair = {row["rank"]: row for row in free["competitors"] if row["rank"] in (22, 23)}
    assert pair[22]["total"] == pair[23]["total"] == "80.62"
    _, scores = skated(free)
    tie = scores.subjects["22"].tie
    assert tie is not None and tie.rungs == ("module:components",)
    _, other = skated(
        {**free, "tie": "technical"}
    )  # the book of the short programme: the other way round
    assert (other.subjects["22"].rank, other.subjects["23"].rank) == (23, 22)
    _, shared = skated(free, **{'"module:components",_shared': "shared"})
    assert shared.subjects["22"].rank == shared.subjects["23"].rank == 22


def test_an_absent_judge_read_as_zero_gives_other_scores() -> None:
    segment = SEGMENTS[0]
    zero = [
        {**row, "marks": {i: [m or "0.0" for m in marks] for i, marks in row["marks"].items()}}
        for row in segment["competitors"]
    ]
    assert any(None in marks for row in segment["competitors"] for marks in row["marks"].values())
    _, scores = skated({**segment, "competitors": zero})
    published = {f"{r['rank']:02}": Decimal(r["total"]) for r in segment["competitors"]}
    assert not any(scores.subjects[name].total == total for name, total in published.items())


def test_one_rounding_at_the_end_gives_other_scores() -> None:
    wrong = 0
    for segment in SEGMENTS:
        _, scores = skated(segment, **{"item:_2,_product:_2,_total:_2": "total: 2"})
        wrong += sum(
            scores.subjects[f"{r['rank']:02}"].total != Decimal(r["total"])
            for r in segment["competitors"]
        )
    assert wrong > 10


# ---------- diving


def dived(drop: int) -> RoundScores:
    """Semi-final and final, each dive an item of its own: the mean of the marks that count x 3 x its
    degree of difficulty is their sum x difficulty x 0.6, were it three or five of them."""
    rows = BOOKS["diving"]["competitors"]
    weights = {
        f"{row['rank']:02}{dive}": {"weight": str(3 * Decimal(entry["dd"]))}
        for row in rows
        for dive, entry in row["dives"].items()
    }
    rule = ScoreRule.parse(
        {
            "trim": {"unit": "item", "drop": {"7": drop}}, "quorum": 7, "items": weights,
            "rounding": {"product": 2, "total": 2}, "modules": {"semi": 1, "final": 1},
            "ties": ["shared"],
        }
    )  # fmt: skip
    subjects = [
        SubjectMarks(
            f"{row['rank']:02}",
            {
                stage: panel({f"{row['rank']:02}{d}": e["marks"] for d, e in row["dives"].items() if d[0] == first})
                for stage, first in (("semi", "S"), ("final", "F"))
            },
        )
        for row in rows
    ]  # fmt: skip
    return score_round(rule, subjects)


def test_diving_of_2000_comes_out_as_published() -> None:
    scores = dived(1).subjects
    for row in BOOKS["diving"]["competitors"]:
        assert scores[f"{row['rank']:02}"].rank == row["rank"]
        if "total" in row:
            assert scores[f"{row['rank']:02}"].total == Decimal(row["total"])
    for rank, dive, points in BOOKS["diving"]["published_dives"]:
        entry = BOOKS["diving"]["competitors"][rank - 1]["dives"][dive]
        mean = scores[f"{rank:02}"].items[f"{rank:02}{dive}"].value
        assert mean is not None and mean * 3 * Decimal(entry["dd"]).as_integer_ratio()[0] / (
            Decimal(entry["dd"]).as_integer_ratio()[1]
        ) == Decimal(points)


def test_a_later_edition_of_the_diving_rules_turns_the_podium() -> None:
    later = dived(2).subjects  # today's book drops two at each end
    assert (later["01"].total, later["02"].total) == (Decimal("709.75"), Decimal("710.10"))
    assert (later["01"].rank, later["02"].rank) == (2, 1)


@pytest.mark.parametrize(
    ("marks", "difficulty", "published"),
    [
        # World Aquatics, seven judges, two dropped at each end: the worked example of the guide
        # wikiHow, "Calculate Diving Scores".
        ("6.5 7.0 7.0 7.5 7.5 8.0 8.0", "2.8", "61.60"),
        # and five judges, one at each end, of the same book.
        ("8.0 8.5 8.0 7.5 8.0", "3.0", "72.00"),
    ],
)
def test_three_marks_count_whatever_the_panel(marks: str, difficulty: str, published: str) -> None:
    rule = ScoreRule.parse(
        {
            "trim": {"unit": "item", "drop": {"5": 1, "7": 2}}, "quorum": 3,
            "items": {"dive": {"weight": str(3 * Decimal(difficulty))}},
        }
    )  # fmt: skip
    made = score_round(rule, [SubjectMarks("A", {"x": panel({"dive": marks.split()})})])
    assert made.subjects["A"].total == Decimal(published)


# ---------- gymnastics


@pytest.mark.parametrize(
    ("deductions", "first", "execution", "total"),
    [
        ("0.3 0.5 0.4", "3", "9.600", "14.900"),  # the worked example
        ("0.3 1.8 0.4", "3", "9.600", "14.900"),  # one judge far off changes nothing
        ("0.3 1.8 0.4", "9", "9.167", "14.467"),  # but where nothing is dropped from three marks
    ],
)
def test_gymnastics_adds_difficulty_to_the_middle_of_the_execution_panel(
    deductions: str, first: str, execution: str, total: str
) -> None:
    """FIG: 10 less the deductions, without the highest and lowest judge; difficulty and bonus are added, neutral
    deductions taken off. The worked example of https://docs.gymart.org/judges-companion/index/score-entry-mode-examples
    (deductions 0.3, 0.5, 0.4; difficulty 4.9, bonus 0.5, neutral 0.1: 14.9)."""
    rule = ScoreRule.parse(
        {
            "trim": {"unit": "item", "drop": {first: 1}}, "quorum": 3,
            "rounding": {"item": 3, "total": 3}, "modules": {"difficulty": 1, "execution": 1},
            "adjust": {"A": "-0.1"},
        }
    )  # fmt: skip
    marks = [str(10 - Decimal(d)) for d in deductions.split()]
    stages = {
        "difficulty": StageMarks(kind="value", value=Decimal("4.9") + Decimal("0.5")),
        "execution": panel({"E": marks}),
    }
    made = score_round(rule, [SubjectMarks("A", stages)]).subjects["A"]
    assert made.total == Decimal(total) and made.items["E"].value == Decimal(execution)


# ---------- grants

# NIH (nexus.od.nih.gov, 1 June 2009; https://deais.nci.nih.gov/glossary/public/term?termId=1819): the mean of
# the marks of all eligible members to one decimal, times ten; 10 to 90 in whole numbers, and 10 is best. A
# member in conflict gives no mark.
GRANTS = """\
estimator: mean
trim: {unit: item}
quorum: 3
rounding: {item: 1, product: 0, total: 0}
items: {impact: {weight: 10}}
best: low
ties: [shared]
top: 2
"""


def test_grants_are_a_mean_times_ten_and_the_lowest_wins() -> None:
    votes = {
        "best": "1 2 1 2 2 1 2",  # 11/7 = 1.57 -> 1.6 -> 16
        "half": "2 2 2 3 2 3 3 3 2 3",  # 2.5 -> 25
        "same": "3 2 3 2 3 2 N/A N/A",  # two members in conflict; 2.5 -> 25
        "poor": "5 6 5 6 5 6 5 7",  # 45/8 = 5.625 -> 5.6 -> 56
        "worst": "9 9 9",
    }
    lines = ["subject,expert,item,mark"]
    lines += [f"{s},M{n},impact,{m}" for s, row in votes.items() for n, m in enumerate(row.split())]
    rule = load_rule(GRANTS)
    subjects = subjects_of(parse_marks("\n".join(lines)), rule)
    scores = score_round(rule, subjects)
    assert {name: (str(s.total), s.rank) for name, s in scores.subjects.items()} == {
        "best": ("16", 1), "half": ("25", 2), "same": ("25", 2), "poor": ("56", 4), "worst": ("90", 5),
    }  # fmt: skip
    assert scores.subjects["same"].stages["panel"].items["impact"].present == 6
    bands = rank_uncertainty(rule, subjects, scores, draws=200).bands
    assert (bands["best"].p_top or 0) > 0.9 > 0.1 > (bands["worst"].p_top or 0)
    assert "best" not in ScoreRule.parse({"best": "high"}).to_json()
    high = score_round(load_rule(GRANTS.replace("low", "high")), subjects)
    assert high.subjects["worst"].rank == 1
    assert load_rule(GRANTS).digest() != load_rule(GRANTS.replace("low", "high")).digest()


def test_the_reader_s_own_arithmetic_knows_that_low_wins() -> None:
    counties = {name: {"group": None} for name in "abc"}
    scores = {
        name: {"status": "scored", "total": Fraction(n), "unrounded": Fraction(n), "stages": {}}
        for name, n in (("a", 56), ("b", 16), ("c", 25))
    }
    rule = {"rank_within": None, "rank_on": "published", "ties": ["shared"], "best": "low"}
    recompute.rank(rule, counties, scores, [])
    assert {name: score["rank"] for name, score in scores.items()} == {"b": 1, "c": 2, "a": 3}


def test_not_applicable_is_neither_a_mark_nor_a_gap() -> None:
    rule = load_rule("quorum: 2\nestimator: mean\n")
    text = "subject,expert,item,mark\nA,E1,X,8\nA,E1,Y,n/a\nA,E2,X,6\nA,E2,Y,不适用\nB,E1,X,5\nB,E1,Y,4\nB,E2,X,5\nB,E2,Y,\n"
    scores = score_round(rule, subjects_of(parse_marks(text), rule)).subjects
    assert scores["A"].total == Decimal("7.00")
    assert scores["B"].total is None  # a gap is a gap: E2's sheet is incomplete

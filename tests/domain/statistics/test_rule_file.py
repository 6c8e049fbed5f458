"""Rule files: every defect on its line, differences in words, the example of seven marks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.rule_file import load_rule, read_rule
from app.domain.statistics.rule_words import EXAMPLE, differences, example, parts
from app.domain.types import DomainError

WRONG = """\
estimator: avarage
trim:
  unit: item
  drop:
    5: 3
quorum: many
items:
  SS: {weight: 1.6, section: A}
  TR: {weight: heavy}
rounding: {sheet: 2}
ties: [unrounded, "item:XX"]
adjust: {A.1: "x"}
"""


def test_every_defect_stands_on_its_line() -> None:
    read = read_rule(WRONG)
    assert read.rule is None
    assert [(note.line, note.key, note.level) for note in read.notes] == [
        (1, "estimator", "error"),
        (5, "trim.drop.5", "error"),
        (6, "quorum", "error"),
        (9, "items.TR.weight", "error"),
        (10, "rounding.sheet", "error"),
        (11, "ties", "error"),
        (12, "adjust.A.1", "error"),
    ]
    with pytest.raises(DomainError) as caught:
        load_rule(WRONG)
    assert caught.value.text.en.startswith("Rule, line 1: ") and "7 in all" in caught.value.text.en


def test_what_leans_on_an_error_is_not_an_error_of_its_own() -> None:
    text = "modules: {desk: '0.7', site: '0.2'}\nties: ['module:site', shared]\n"
    assert [note.key for note in read_rule(text).notes] == ["modules"]


@pytest.mark.parametrize(
    ("text", "line"),
    [("quorum: 5\nquorum: 6\n", 2), ("a: [\n", 2), ("- a\n", 1), ("x: &a 1\ny: *a\n", 1), ("\n\nquorom: 5", 3)],
)  # fmt: skip
def test_what_is_no_rule_at_all(text: str, line: int) -> None:
    (first, *_) = read_rule(text).errors
    assert first.line == line


def test_a_file_without_content_is_the_default_rule() -> None:
    for text in ("", "# nothing yet\n\n"):
        assert load_rule(text).digest() == ScoreRule().digest() == ScoreRule.parse(None).digest()


def test_odd_settings_are_pointed_out_and_allowed() -> None:
    read = read_rule("quorum: 3\ntrim: {drop: {5: 1}}\nrounding: {total: null}\n")
    assert read.rule is not None and not read.errors
    assert [(note.line, note.key) for note in read.notes] == [(1, "quorum"), (3, "rounding.total")]
    assert "3 至 4 个" in read.notes[0].text.zh and "starts at 5" in read.notes[0].text.en
    assert read_rule("quorum: 5\n").notes == ()


def test_numbers_are_the_digits_that_were_typed() -> None:
    rule = load_rule("items: {SS: {weight: 1.60}, TR: {weight: 0.10}}\nadjust: {007: -1.00}\n")
    assert rule.items["TR"].weight == Decimal("0.1") and rule.adjust == {"007": Decimal(-1)}
    assert rule.digest() == load_rule("items: {SS: {weight: '1.6'}, TR: {weight: '0.1'}}\nadjust: {007: '-1'}\n").digest()  # fmt: skip


CHANGES: list[tuple[Any, Any, list[str]]] = [
    ({}, {}, []),
    ({}, {"quorum": 7}, ["quorum: was 5 marks, becomes 7 marks"]),
    (
        {},
        {"trim": {"drop": {"7": 2}}},
        ["dropped: was from 5 marks 1 at each end, from 11 marks 2 at each end, becomes from 7 marks 2 at each end"],
    ),
    ({"top": 3}, {}, ["cut line: was the first 3, becomes none"]),
    ({"items": {"A": {"weight": 2}}}, {"items": {"B": {}}}, ["weight of item B: new, 1", "weight of item A: gone, was 2"]),
    ({}, {"rounding": {"total": 1}}, ["rounding of the total: was half up, 2 decimals, becomes half up, 1 decimals"]),
    ({"estimator": "mean"}, {"estimator": "mean", "trim": {"drop": {"5": 1}}}, [
        "dropped: was nothing (from 5 marks 1 at each end, from 11 marks 2 at each end: not used), "
        "becomes nothing (from 5 marks 1 at each end: not used)"
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "words"), CHANGES)
def test_the_difference_in_words(before: Any, after: Any, words: list[str]) -> None:
    one, two = ScoreRule.parse(before), ScoreRule.parse(after)
    assert [text.en for text in differences(one, two)] == words
    assert all(any("\u4e00" <= char <= "\u9fff" for char in x.zh) for x in differences(one, two))


OTHER: dict[str, Any] = {
    "estimator": "mean", "trim": {"unit": "item", "drop": {"5": 2}}, "quorum": 4,
    "items": {"A": {"weight": 2, "section": "S"}}, "rounding": {"item": 1, "total": 2},
    "adjust": {"X": "1"}, "ties": ["unrounded", "draw"], "top": 2, "modules": {"desk": 1},
    "bonus_cap": 5, "rank_on": "unrounded", "rank_within": "group", "pass_line": 60,
    "flags": {"amber": 2}, "sections": {"S": {"cap": 3}}, "places": [{"id": "one", "max": 1}], "best": "low",
}  # fmt: skip


@pytest.mark.parametrize("key", OTHER)
def test_no_change_of_a_rule_goes_without_words(key: str) -> None:
    needs = {"sections": {"items": OTHER["items"], "trim": {"unit": "item"}}}.get(key, {})
    value = {"product": 2} if key == "rounding" else OTHER[key]
    one, two = ScoreRule.parse(needs), ScoreRule.parse({**needs, key: value})
    assert one.digest() != two.digest() and differences(one, two)
    assert parts(one) != parts(two)


def test_the_example_of_seven_marks() -> None:
    trimmed, plain_mean = ScoreRule.parse({}), ScoreRule.parse({"estimator": "mean"})
    assert len(EXAMPLE) == 7
    assert example(trimmed, EXAMPLE).total == Decimal("81.40")  # (78+80+81+83+85) / 5
    assert example(plain_mean, EXAMPLE).total == Decimal("80.71")
    by_item = {"trim": {"unit": "item", "drop": {"7": 2}}, "items": {"Q": {"weight": 9}}, "adjust": {"Z": 1}}  # fmt: skip
    made = example(ScoreRule.parse(by_item), EXAMPLE)
    assert made.total == Decimal("81.33") and "drop lowest 62[1] 78[2]" in made.steps[1].text.en
    few = example(ScoreRule.parse({"quorum": 8}), EXAMPLE)
    assert few.total is None and few.reason is not None and "quorum of 8" in few.reason.en

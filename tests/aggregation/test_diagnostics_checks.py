"""Agreement of pass and fail verdicts: AC1 by hand, per cent agreement, and what is not defined."""

from __future__ import annotations

from typing import Any

from app.aggregation.diagnostics_checks import check_agreements


def check(*votes: str | None, panel: str = "P1") -> dict[str, Any]:
    """A county's check: for each seat the items failed ("" passed), None silent."""
    title = {"zh": "实地查验", "en": "Check on site"}
    return {
        "check": {
            "stage": "check",
            "title": title,
            "panel": panel,
            "votes": [
                {"seat": n, "failed": [{"id": i, "title": {"zh": f"项目{i}", "en": f"Item {i}"}} for i in v]}
                for n, v in enumerate(votes, start=1)
                if v is not None
            ],
        }
    }  # fmt: skip


def test_ac1_of_verdicts_by_hand() -> None:
    # Three counties, three experts: pass pass fail(A), pass pass pass, pass silent pass.
    rows = {"a": check("", "", "A"), "b": check("", "", ""), "c": check("", None, ""), "d": {}}
    (made,) = check_agreements(rows)
    assert (made.n, made.k, made.votes, made.failed) == (3, 3, 8, 1)
    # pairs that agree: 1/3, 1, 1; mean 7/9. pi(pass) = (2/3 + 1 + 1) / 3 = 8/9, chance = 2 pi (1 - pi)
    share, pi = 7 / 9, 8 / 9
    ac1 = (share - 2 * pi * (1 - pi)) / (1 - 2 * pi * (1 - pi))
    assert made.share == "77.8" and made.rows[0].value == "77.8"
    assert made.rows[1].value == f"{ac1:.4f}" == "0.7231"
    assert [r.name.en for r in made.rows] == [
        "verdict: agreeing pairs (%)", "verdict: Gwet AC1", "verdict: Fleiss κ",
        "A Item A: agreeing pairs (%)", "A Item A: Gwet AC1", "A Item A: Fleiss κ",
    ]  # fmt: skip
    assert made.rows[4].value == "0.7231" and made.words.en == "the experts mostly agree"


def test_items_differ_where_the_verdict_does_not() -> None:
    (made,) = check_agreements({"a": check("A", "B"), "b": check("", "")})
    by = {row.name.en: row.value for row in made.rows}
    assert by["verdict: agreeing pairs (%)"] == "100.0"
    assert by["A Item A: agreeing pairs (%)"] == by["B Item B: agreeing pairs (%)"] == "50.0"


def test_all_alike_is_said_not_computed() -> None:
    (made,) = check_agreements({"a": check("", ""), "b": check("", "")})
    assert made.share == "100.0" and [row.value for row in made.rows] == ["100.0", None, None]
    assert made.rows[1].note is not None and "not defined" in made.rows[1].note.en
    (alone,) = check_agreements({"a": check("")})
    assert alone.share is None and "two experts" in alone.words.en
    assert check_agreements({"a": {}}) == []


def test_two_panels_are_other_people() -> None:
    (made,) = check_agreements({"a": check("", ""), "b": check("", "A", panel="P2")})
    assert made.k == 4

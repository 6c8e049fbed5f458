"""Lines with remarks, their neighbours and the gaps between."""

from __future__ import annotations

from dataclasses import dataclass

from app.programme.marked_lines import marked_lines


@dataclass(frozen=True)
class Said:
    line: int
    words: str = ""


def test_neighbours_gaps_and_remarks_outside_the_text() -> None:
    text = "\n".join(f"line {n}" for n in range(1, 21))
    found = marked_lines(text, [Said(2, "a"), Said(12, "b"), Said(99, "c"), Said(0, "d")])
    assert [line.number for line in found] == [1, 2, 3, 4, 10, 11, 12, 13, 14, 18, 19, 20]
    assert [line.number for line in found if line.gap] == [10, 18]
    assert {line.number: [r.words for r in line.remarks] for line in found if line.remarks} == {
        1: ["d"], 2: ["a"], 12: ["b"], 20: ["c"],
    }  # fmt: skip
    assert all(line.text == f"line {line.number}" for line in found)


def test_the_first_line_shown_says_when_it_is_not_the_first() -> None:
    text = "\n".join("x" * 9)
    assert [line.gap for line in marked_lines(text, [Said(6)])] == [
        True,
        False,
        False,
        False,
        False,
    ]
    assert marked_lines(text, []) == []
    assert [line.text for line in marked_lines("", [Said(1)])] == [""]

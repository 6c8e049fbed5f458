"""The trial's stop-watch adds what it says, and its figures go to one place only."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trial.__main__ import BEGIN, END, write
from tests.trial.stopwatch import Lap, Stopwatch, keys_of


def test_a_chinese_character_takes_three_keys() -> None:
    assert keys_of("ab 1") == 4
    assert keys_of("试a") == 4


def test_a_lap_adds_keys_pointings_and_new_pages() -> None:
    watch = Stopwatch()
    watch.begin("first")
    watch.types("abc")
    watch.points()
    watch.reads(True)
    watch.reads(False)
    first = watch.lap
    assert first.person == pytest.approx(3 * 0.28 + 1.35 + 1.1 + 10 + 1.35)
    assert (first.keys, first.points, first.pages) == (3, 1, 1)
    watch.begin("second")
    watch.confirms()
    assert watch.lap.person == pytest.approx(5 + 1.35 + 1.1)
    assert first.person == pytest.approx(14.64)
    with pytest.raises(ValueError), watch.waits():
        raise ValueError
    assert 0 < watch.lap.machine < 5
    assert [lap.name for lap in watch.laps] == ["first", "second"]


def test_of_those_who_work_at_the_same_time_the_slowest_counts() -> None:
    watch = Stopwatch()
    turns: list[Lap] = []
    watch.begin("together")
    watch.points()
    for text in ("a", "abc", "ab"):
        with watch.beside(turns):
            watch.types(text)
    watch.longest(turns)
    assert watch.lap.person == pytest.approx(1.35 + 1.1 + 3 * 0.28)
    assert (watch.lap.keys, watch.lap.points) == (3, 1)
    with pytest.raises(ValueError), watch.beside(turns):
        raise ValueError
    assert watch.lap.name == "together" and watch.lap is watch.laps[0]


def test_figures_replace_those_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"a\n{BEGIN}\nold\n{END}\nb\n", "utf-8")
    write(page, "new")
    assert page.read_text("utf-8") == f"a\n{BEGIN}\nnew\n{END}\nb\n"
    page.write_text("no place\n", "utf-8")
    with pytest.raises(AssertionError):
        write(page, "new")

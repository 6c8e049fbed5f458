"""Heads in an office's own workbook: titles above, two rows, merged cells, and what is said of them."""

from __future__ import annotations

import io
from collections.abc import Sequence

import openpyxl
import pytest

from app.documents import table_heads
from app.documents.table_heads import Merged, arrange, look_of
from app.documents.tables import read_table
from app.domain.types import DomainError


def known(cells: Sequence[str]) -> int:
    return len({*cells} & {"姓名", "单位", "起", "止"})


def book(*rows: list[object], merged: Sequence[str] = ()) -> bytes:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for cells in merged:
        made.active.merge_cells(cells)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_equal_heads_take_the_head_above_them() -> None:
    data = book(
        ["姓名", "任职", None, "兼职", None], [None, "起", "止", "起", "止"], ["甲", 1, 2, 3, 4],
        merged=("A1:A2", "B1:C1", "D1:E1"),
    )  # fmt: skip
    table = read_table(data, "x.xlsx", score=known)
    assert table.headers == ("姓名", "任职·起", "任职·止", "兼职·起", "兼职·止")
    assert [(row.number, row.cells) for row in table.rows] == [(3, ("甲", "1", "2", "3", "4"))]
    with pytest.raises(DomainError, match="表头"):
        read_table(data, "x.xlsx")  # who does not ask gets no interpretation


def test_a_head_over_two_columns_names_both() -> None:
    data = book(["姓名", "联系方式", None], ["甲", "1", "2"], merged=("B1:C1",))
    assert read_table(data, "x.xlsx", score=known).headers == ("姓名", "联系方式", "联系方式 (2)")
    twice = book(["姓名", "备注", "备注"], ["甲", "1", "2"])
    with pytest.raises(DomainError, match="表头重复"):
        read_table(twice, "x.xlsx", score=known)


def test_titles_of_a_csv_are_passed_over_aloud_and_unknown_heads_are_found() -> None:
    table = read_table("名册\n\n姓名,单位\n甲,乙\n".encode("gb18030"), "x.csv", score=known)
    assert (table.headers, table.rows[0].number) == (("姓名", "单位"), 4)
    assert [text.zh for text in table.notices] == ["第 1 行在表头之上，作为标题，不读入。"]
    own = read_table("名册,,\n称呼,机构,电\n甲,乙,丙\n".encode(), "x.csv", score=known)
    assert own.headers == ("称呼", "机构", "电")
    assert read_table("姓名\n甲\n".encode(), "x.csv", score=known).notices == ()


def test_hostile_merges_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = b'<mergeCell ref="A1:C3"/>' * 3
    assert look_of(cells).merged == (Merged(1, 1, 3, 3),) * 3
    monkeypatch.setattr(table_heads, "_MERGES", 2)
    with pytest.raises(DomainError, match="合并的单元格超过 2 处"):
        look_of(cells)
    monkeypatch.setattr(table_heads, "_FILLED", 5)
    with pytest.raises(DomainError, match="合并的单元格过多"):
        arrange([(1, ["姓名"]), (2, ["甲"])], look_of(b'<mergeCell ref="A1:XFD2"/>'), known)


def test_hidden_columns_by_ranges() -> None:
    look = look_of(
        b'<cols><col min="2" max="3" hidden="1"/><col min="5" max="5" hidden="0"/></cols>'
    )
    assert look.hidden_columns == frozenset({2, 3}) and look.hidden_rows == frozenset()

"""Small CSV files of the headless commands, read with the place of every cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from app.cli.draw_files import fail, read_text
from app.domain.types import Text

MOST_ROWS = 100_000
Row = tuple[int, dict[str, str]]  # line in the file, column -> cell


def wrong(path: Path, row: int, column: str, zh: str, en: str) -> NoReturn:
    """Exit 2 with the place of what is wrong."""
    fail(
        Text(
            f"{path.name} 第 {row} 行“{column}”列：{zh}",
            f"{path.name}, row {row}, column '{column}': {en}",
        )
    )


def read_table(path: Path, columns: Sequence[str]) -> list[Row]:
    """Every row that is not empty; the first line names exactly `columns`, in any order, and no cell
    is empty."""
    reader = csv.reader(io.StringIO(read_text(path).removeprefix("\ufeff")), strict=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        for line in reader:
            cells = [cell.strip() for cell in line]
            if any(cells):
                lines.append((reader.line_num, cells))
            if len(lines) > MOST_ROWS:
                wrong(
                    path, reader.line_num, "-", f"超过 {MOST_ROWS} 行", f"more than {MOST_ROWS} rows"
                )  # fmt: skip
    except csv.Error as error:
        wrong(path, reader.line_num, "-", f"无法读取（{error}）", f"cannot be read ({error})")
    wanted = ", ".join(columns)
    if not lines:
        wrong(path, 1, columns[0], "文件为空", "the file is empty")
    at, header = lines[0]
    for column in header:
        if column not in columns or header.count(column) > 1:
            wrong(
                path, at, column, f"列名应恰为 {wanted}", f"the columns must be exactly {wanted}"
            )  # fmt: skip
    for column in columns:
        if column not in header:
            wrong(path, at, column, "缺少这一列", "this column is missing")
    rows = []
    for number, cells in lines[1:]:
        if len(cells) > len(header):
            extra = len(cells) - len(header)
            wrong(path, number, "-", f"多出 {extra} 格", f"{extra} cells too many")
        row = dict(zip(header, cells + [""] * (len(header) - len(cells)), strict=True))
        for column in header:
            if not row[column]:
                wrong(path, number, column, "缺少值", "the value is missing")
        rows.append((number, row))
    if not rows:
        wrong(path, at + 1, columns[0], "没有内容", "there are no rows")
    return rows

"""What the linter says: one finding is file, line, level, code, what is wrong and how to fix it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from app.domain.scoring.schema import Fact, Figure
from app.domain.types import Text

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`line` is 1-based; `where` is the path inside the file, such as `indicators[A3]`."""

    file: str
    line: int
    level: Level
    code: str
    where: str
    what: Text
    fix: Text


@dataclass(slots=True)
class Findings:
    """Collects the findings of one file."""

    file: str
    entries: list[Finding] = field(default_factory=list)

    def error(self, line: int, code: str, where: str, what: Text, fix: Text) -> None:
        self.entries.append(Finding(self.file, line, "error", code, where, what, fix))

    def warning(self, line: int, code: str, where: str, what: Text, fix: Text) -> None:
        self.entries.append(Finding(self.file, line, "warning", code, where, what, fix))

    def duplicates(self, ids: list[tuple[str, int]], where: str) -> None:
        """Report every id that occurs twice."""
        seen: set[str] = set()
        for entry, line in ids:
            if entry in seen:
                what = Text("编号重复：{i}", "duplicate id: {i}").format(i=entry)
                fix = Text("改用不同的编号", "give it another id")
                self.error(line, "duplicate-id", f"{where}[{entry}]", what, fix)
            seen.add(entry)


def unused_names(
    findings: Findings, declared: tuple[Figure | Fact, ...], used: Collection[str]
) -> None:
    """Warn about figures and facts that no expression reads."""
    for entry in declared:
        if entry.name not in used:
            what = Text("声明了却没有用到：{n}", "declared but never used: {n}").format(
                n=entry.name
            )
            fix = Text("删去或用上", "remove it or use it")
            findings.warning(entry.line, "unused-name", f"figures.{entry.name}", what, fix)

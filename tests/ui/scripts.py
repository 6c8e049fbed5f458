"""Every text literal of a script with its place: enough of JavaScript's grammar to see which stand
side by side. Comments and regular expressions are skipped; inside `${…}` of a template the code is
read like any other."""

from __future__ import annotations

import re
from dataclasses import dataclass

# After these a slash begins a regular expression; after anything else it divides.
BEFORE_REGEX = re.compile(r"(?:^|[=(,:;!&|?{}\[+>\n]|=>|\breturn|\btypeof|\bcase)\s*$")


@dataclass(frozen=True)
class Literal:
    """`text` without what a template puts in; `start` and `end` are places in the source."""

    text: str
    start: int
    end: int
    line: int


def literals(source: str) -> list[Literal]:
    """In the order of their ends."""
    found: list[Literal] = []
    _code(source, 0, found, inside=False)
    return found


def _code(source: str, at: int, found: list[Literal], *, inside: bool) -> int:
    """Read code; `inside` a template it ends with the brace that closes it."""
    depth = 0
    while at < len(source):
        mark = source[at]
        if source.startswith("//", at):
            at = source.find("\n", at) % (len(source) + 1)
        elif source.startswith("/*", at):
            at = source.index("*/", at) + 2
        elif mark == "/" and BEFORE_REGEX.search(source[max(0, at - 40) : at]):
            at = _regex(source, at)
        elif mark in "\"'":
            at = _quoted(source, at, found)
        elif mark == "`":
            at = _template(source, at, found)
        else:
            depth += (mark == "{") - (mark == "}")
            at += 1
            if inside and depth < 0:
                return at
    return at


def _regex(source: str, at: int) -> int:
    at, charset = at + 1, False
    while source[at] != "/" or charset:
        if source[at] == "\\":
            at += 1
        charset = source[at] == "[" or (charset and source[at] != "]")
        at += 1
    return at + 1


def _quoted(source: str, at: int, found: list[Literal]) -> int:
    end = at + 1
    while source[end] != source[at]:
        end += 2 if source[end] == "\\" else 1
    line = source.count("\n", 0, at) + 1
    found.append(Literal(source[at + 1 : end], at, end + 1, line))
    return end + 1


def _template(source: str, at: int, found: list[Literal]) -> int:
    end, text = at + 1, ""
    while source[end] != "`":
        if source.startswith("${", end):
            end = _code(source, end + 2, found, inside=True)
            text += "…"
        else:
            step = 2 if source[end] == "\\" else 1
            text += source[end : end + step]
            end += step
    line = source.count("\n", 0, at) + 1
    found.append(Literal(text, at, end + 1, line))
    return end + 1


HAN = re.compile(r"[\u4e00-\u9fff]")
# What may stand between a Chinese literal and its English one: `say(zh, en)`, `{ zh: …, en: … }`, a
# choice of two English ones, and the small print below a line on paper.
SIDE = re.compile(
    r"""\s*,\s*(?:en:\s*)?(?:[\w.\s=!]+\?\s*|element\("br"\),\s*element\("small",\s*\{ lang: "en" \},\s*)?"""
)
BOTH = re.compile(
    r"(?:[^/]*[\u4e00-\u9fff][^/]* / [^/\u4e00-\u9fff]*[A-Za-z]{2}[^/\u4e00-\u9fff]*)+"
)


def unpaired(source: str, names: tuple[str, ...]) -> list[str]:
    """Chinese literals without a complete English one beside them, by line. A literal that says both,
    `中文 / English`, is a pair in itself; `names` need no other side; what is put into a Chinese
    template is part of it."""
    rows = sorted(literals(source), key=lambda row: row.start)
    starts = {row.start: row for row in rows}
    english: set[int] = set()
    covered, bad = 0, []
    for row in rows:
        if not HAN.search(row.text) or row.text in names or row.start in english:
            continue
        if row.end <= covered or BOTH.fullmatch(row.text):
            continue
        covered = row.end
        gap = SIDE.match(source, row.end)
        other = starts.get(gap.end()) if gap else None
        # Chinese names may be quoted in English running text.
        plain = re.sub(r"[（(\"“'‘].*?[）)\"”'’]", "", other.text) if other else ""
        if other is None or not other.text.strip() or HAN.search(plain):
            bad.append(f"{row.line}: {row.text[:80]}")
        else:
            english.add(other.start)
    return bad

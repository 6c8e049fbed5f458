"""The pieces that pages and paper share: one list of blocks makes both (documents/templates/base.typ)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app.aggregation.reading import ItemRow, OwnRow, Row
from app.aggregation.wording import OWN_MARKS, padded, places_of
from app.documents.characters import clean_text, undrawable
from app.documents.originals import as_typed
from app.domain.types import Text

Block = dict[str, Any]
Words = Text | str
NOTHING = Text("—", "—")


def paragraph(text: Words) -> Block:
    return {"kind": "paragraph", "text": text}


def heading(text: Words, level: int = 2) -> Block:
    return {"kind": "heading", "level": level, "text": text}


def listing(items: Sequence[Words]) -> Block:
    return {"kind": "list", "items": list(items)}


def note(text: Words) -> Block:
    return {"kind": "note", "text": text}


def facts(rows: Sequence[tuple[Words, Words]]) -> Block:
    return {"kind": "facts", "rows": [{"label": label, "value": value} for label, value in rows]}


def table(
    caption: Words,
    columns: Sequence[tuple[Words, str, int | str]],
    rows: Sequence[Sequence[Any]],
    foot: Words = "",
) -> Block:
    """`columns`: (title, "left" | "right" | "center", share of the width or "auto")."""
    return {
        "kind": "table",
        "caption": caption,
        "columns": [{"title": t, "align": a, "width": w} for t, a, w in columns],
        "rows": [list(row) for row in rows],
        **({"note": foot} if foot else {}),
    }


def charts(drawn: Sequence[str], caption: Text, alt: Text | None = None) -> list[Block]:
    """Drawings under one caption, numbered where there are several."""
    last = len(drawn)
    made: list[Block] = []
    for n, svg in enumerate(drawn, 1):
        part = Text(f"（{n}/{last}）", f" ({n}/{last})") if last > 1 else Text("", "")
        words = Text(caption.zh + part.zh, caption.en + part.en)
        made.append({"kind": "chart", "svg": svg, "alt": alt or words, "caption": words})
    return made


def written(text: str | None) -> list[Block]:
    """What the leader wrote, one paragraph a line; the last says which language it is in."""
    lines = [line.strip() for line in (text or "").split("\n") if line.strip()]
    if not lines:
        return []
    whole = as_typed("\n".join(lines))
    last = Text(whole.zh.split("\n")[-1], whole.en.split("\n")[-1])
    return [*map(paragraph, lines[:-1]), paragraph(last)]


def typed(words: Words | None) -> Text:
    """A reason as somebody typed it (one string serves both languages), a Text of two as it is,
    a dash for nothing; what the fonts lack by its number."""
    if not words:
        return NOTHING
    if isinstance(words, Text) and words.zh != words.en:
        return Text(printable(words.zh), printable(words.en))
    return as_typed(printable(str(words)))


def within(words: str | None) -> Text:
    """What somebody typed, as a part of a longer sentence: without the full stop at its end."""
    return typed((words or "").rstrip().rstrip("。."))


def printable(text: str) -> str:
    """Text with 〔U+1F600〕 for each character that the paper's fonts lack: what is on record does not
    change, so nobody's words can keep a report from being made."""
    text = clean_text(text)
    for character in undrawable(text):
        text = text.replace(character, f"〔U+{ord(character):04X}〕")
    return text


def listed(texts: Sequence[Text], zh: str = "、", en: str = ", ") -> Text:
    """Several texts in a row."""
    return Text(zh.join(t.zh for t in texts), en.join(t.en for t in texts))


def expert_head(label: str) -> Text:
    """A column head: the expert's seat number."""
    return Text(f"专家{label}", f"E{label}")


def marks(caption: Text, raters: Sequence[str], rows: Sequence[Row]) -> Block:
    """The panel's sheet totals: one row a county, dropped marks struck and followed by ×."""
    places = places_of(m.value for row in rows for m in row.marks)
    return {
        "kind": "marks",
        "by": "items",
        "tags": False,
        "head": Text("县（市、区）", "County"),
        "caption": caption,
        "raters": [expert_head(label) for label in raters],
        "items": [
            {
                "title": row.name,
                "marks": [
                    {"absent": m.state or NOTHING}
                    if m.value is None
                    else {"value": padded(format(m.value, "f"), places), "dropped": m.dropped}
                    for m in row.marks
                ],
                "present": str(row.present),
                "counted": NOTHING if row.counted is None else str(row.counted),
                "mean": row.value or NOTHING,
            }
            for row in rows
        ],
        "note": Text(
            "划线并加 × 的分数按规则去掉，不计入均值；缺席、回避不按零分计。",
            "Marks struck out and followed by × were dropped by the rule; absences and recusals are "
            "not zeros.",
        ),
    }


def own_marks(caption: Text, raters: Sequence[str], rows: Sequence[OwnRow]) -> Block:
    """What the agreement is computed on: one row a county, its full marks, one column an expert."""
    places = places_of(m.value for row in rows for m in row.marks)
    return {
        "kind": "marks",
        "by": "items",
        "tags": False,
        "head": Text("县（市、区）", "County"),
        "caption": caption,
        "raters": [expert_head(label) for label in raters],
        "items": [
            {
                "title": row.name,
                "max": row.maximum,
                "marks": [
                    {"absent": m.state or NOTHING}
                    if m.value is None
                    else {"value": padded(format(m.value, "f"), places)}
                    for m in row.marks
                ],
            }
            for row in rows
        ],
        "note": OWN_MARKS,
    }


def item_marks(
    caption: Text,
    raters: Sequence[str],
    items: Sequence[ItemRow],
    dropped: Mapping[str, Collection[str]],
) -> Block:
    """Every item of one county: one row an item, one column an expert; `dropped`: item -> experts
    whose points do not count."""
    places = places_of(Decimal(p) for i in items for p in i.points if p not in (None, "N/A"))
    return {
        "kind": "marks",
        "by": "items",
        "tags": False,
        "caption": caption,
        "raters": [expert_head(label) for label in raters],
        "items": [
            {
                "code": item.id,
                "title": item.title,
                "max": item.maximum or NOTHING,
                "marks": [
                    {"absent": NOTHING}
                    if p is None
                    else {"absent": Text("不适用", "N/A")}
                    if p == "N/A"
                    else {
                        "value": padded(p, places),
                        **({"dropped": True} if rater in dropped.get(item.id, ()) else {}),
                    }
                    for rater, p in zip(raters, item.points, strict=True)
                ],
                "mean": item.value or NOTHING,
            }
            for item in items
        ],
    }


def local(moment: datetime | None, zone: str) -> Text:
    """An instant in the office's zone, to the minute."""
    if moment is None:
        return NOTHING
    at = moment.astimezone(ZoneInfo(zone))
    return Text(
        f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}", f"{at.day} {at:%B} {at.year} {at:%H:%M}"
    )


def day(moment: datetime | date, zone: str) -> Text:
    """A calendar date in the office's zone."""
    at = moment.astimezone(ZoneInfo(zone)).date() if isinstance(moment, datetime) else moment
    return Text(f"{at.year}年{at.month}月{at.day}日", f"{at.day} {at:%B} {at.year}")

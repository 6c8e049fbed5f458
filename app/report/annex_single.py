"""The annex of single sheets (评分表): of each its total in digits and words, whether it counts, when it
was sealed and the receipt; then what the expert wrote beside his marks, and his photos by their SHA-256.

Everything is read from the sealed revision that the run names, so a later correction changes nothing in a
paper. Remarks are printed as they were typed; a character that the fonts lack is given by its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.documents.amounts import points_in_words
from app.domain.types import Text
from app.field.attached import attached_to_sheets
from app.field.models_media import MediaFile
from app.report.blocks import NOTHING, Block, facts, heading, listed, note, printable, table
from app.report.source import Source
from app.scoring.models import Sheet

TITLE = Text("各专家评分表", "Single sheets")
_COUNTS = Text("计入", "counted")
_DROPPED = Text("去掉", "dropped")
_PART = 500
_COLUMNS: tuple[tuple[Text, str, int | str], ...] = (
    (Text("席位", "Seat"), "center", "auto"),
    (Text("总分", "Total"), "right", "auto"),
    (Text("大写", "In words"), "left", 4),
    (Text("计入", "Counted"), "center", "auto"),
    (Text("封存时间", "Sealed at"), "left", 4),
    (Text("回执", "Receipt"), "left", "auto"),
)
_HOW = Text(
    "回执是评分表封存时账本给出的编号，专家本人可据以核对。理由和依据按专家所写原文列出；照片只列 SHA-256，原件由创建办公室保存。",
    "The receipt is the ledger's code of the seal; the expert can check his own by it. Remarks and evidence "
    "stand as they were typed. Of photos the SHA-256 is given; the office keeps the files.",
)
_SHEETS = Text("{c} {s}评分表", "{c}, {s}: sheets")
_SEAT = Text("席位 {n}：{w}", "Seat {n}: {w}")
_EVIDENCE = Text("依据：{w}", "evidence: {w}")
_EXCUSED = Text("不适用", "not applicable")
_CORRECTED = Text("第 {r} 版，更正理由：{w}", "revision {r}, corrected because: {w}")
_PHOTO = Text("席位 {n} {i} 照片", "Seat {n}, {i}, photo")
_KEPT = Text("席位 {n} {i} 照片，存档件", "Seat {n}, {i}, photo as kept")


@dataclass(frozen=True, slots=True)
class Written:
    """What stands on one sheet beside its marks: by item the words, by item the photos' hashes."""

    sealed_at: datetime | None
    words: tuple[tuple[str, Text], ...]
    correction: Text | None
    photos: tuple[tuple[str, str], ...]


def single_sheets(s: Source) -> list[Block]:
    """County by county, panel by panel."""
    found = _written(s)
    kept = _kept(s, found)
    parts: dict[str, list[Block]] = {}
    for stage, panel, title in s.reading.panels():
        for row in s.reading.rows(stage["id"], panel):
            part = s.reading.counties[row.id]["stages"][stage["id"]]
            sheets = part["sheets"]
            order = {item["id"]: n for n, item in enumerate(part["items"])}
            rows: list[list[Any]] = []
            lines: list[dict[str, Any]] = []
            photos: list[tuple[Any, Any]] = []
            for mark in row.marks:
                sheet = sheets.get(mark.rater)
                own = found.get(sheet["sheet"]) if sheet else None
                rows.append(_row(s, mark, sheet, own, row.counted is not None))
                if own is None:
                    continue
                if own.correction is not None:
                    lines.append({"text": _SEAT.format(n=mark.rater, w=own.correction)})
                said = [
                    Text(f"{i} {w.zh}", f"{i} {w.en}")
                    for i, w in sorted(own.words, key=lambda pair: order.get(pair[0], 0))
                ]
                if said:
                    whole = listed(said, "。", ". ")
                    lines.append({"text": _SEAT.format(n=mark.rater, w=whole)})
                for item, sha in own.photos:
                    photos.append((_PHOTO.format(n=mark.rater, i=item), {"hash": sha}))
                    if kept.get(sha, sha) != sha:
                        photos.append((_KEPT.format(n=mark.rater, i=item), {"hash": kept[sha]}))
            made = parts.setdefault(row.id, [heading(row.name)])
            made.append(table(_SHEETS.format(c=row.name, s=title), _COLUMNS, rows))
            if lines:
                made.append({"kind": "arithmetic", "lines": lines})
            if photos:
                made.append(facts(photos))
    blocks = [block for key in s.reading.names for block in parts.get(key, ())]
    return [note(_HOW), *blocks]


def _row(
    s: Source, mark: Any, sheet: Mapping[str, Any] | None, own: Written | None, counted: bool
) -> list[Any]:
    receipt = (sheet or {}).get("receipt") or NOTHING
    sealed = _moment(own.sealed_at, s.zone) if own else NOTHING
    if mark.value is None:
        return [mark.rater, NOTHING, mark.state, NOTHING, sealed, receipt]
    total = format(mark.value, "f")
    return [
        mark.rater,
        {"text": total, "struck": True} if mark.dropped else total,
        points_in_words(mark.value),
        _DROPPED if mark.dropped else _COUNTS if counted else NOTHING,
        sealed,
        receipt,
    ]


def _moment(at: datetime | None, zone: str) -> Text | str:
    """An instant on one line of a narrow column, the same in both languages."""
    return NOTHING if at is None else f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def _written(s: Source) -> dict[str, Written]:
    """Sheet id -> what stands on it, for every sheet of the run; a few queries whatever their number."""
    ids = [
        sheet["sheet"]
        for county in s.reading.counties.values()
        for part in county["stages"].values()
        for sheet in part.get("sheets", {}).values()
    ]
    photos = attached_to_sheets(s.session, ids)
    found: dict[str, Written] = {}
    for at in range(0, len(ids), _PART):
        rows = s.session.execute(
            select(Sheet.id, Sheet.sealed_at, Sheet.entries, Sheet.revision, Sheet.reason).where(
                Sheet.id.in_(ids[at : at + _PART])
            )
        )
        for row in rows:
            corrected = row.revision > 1 and row.reason
            found[row.id] = Written(
                row.sealed_at,
                tuple((i, w) for i, e in sorted(row.entries.items()) if (w := _words(e))),
                _CORRECTED.format(r=row.revision, w=_line(row.reason)) if corrected else None,
                photos.get(row.id, ()),
            )
    return found


def _words(entry: Mapping[str, Any]) -> Text | None:
    """Reason and evidence of one item, as typed; None where nothing was written."""
    reason, evidence = (_line(str(entry.get(key) or "")) for key in ("reason", "evidence"))
    parts = [_EXCUSED] if entry.get("type") == "not_applicable" else []
    if reason:
        parts.append(Text(reason, reason))
    if evidence:
        parts.append(_EVIDENCE.format(w=evidence))
    if not parts:
        return None
    return Text("；".join(p.zh for p in parts), "; ".join(p.en for p in parts))


def _line(text: str) -> str:
    """Words on one line; a sealed sheet does not change, so what the fonts lack is given by its number."""
    return printable(" ".join(text.split()))


def _kept(s: Source, found: Mapping[str, Written]) -> dict[str, str]:
    """A photo's SHA-256 as it was sent -> as it is kept (without place and camera)."""
    wanted = sorted({sha for one in found.values() for _, sha in one.photos})
    kept: dict[str, str] = {}
    for at in range(0, len(wanted), _PART):
        rows = s.session.execute(
            select(MediaFile.sha256, MediaFile.kept_sha256)
            .where(MediaFile.sha256.in_(wanted[at : at + _PART]))
            .order_by(MediaFile.arrived_at.desc(), MediaFile.id)
        )
        kept |= {row.sha256: row.kept_sha256 for row in rows}
    return kept

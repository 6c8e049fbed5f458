"""The blank sheet on paper: one county and one expert (or one case file), from the same instrument as the
screen. A4, black and white; the QR code names the sheet and the form, so that a scan says what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.documents.pdf import render_pdf
from app.documents.qr import qr_svg
from app.domain.scoring.sheets import sheet_items
from app.domain.types import Text
from app.draw.models import Seat
from app.panel.models import Sitting
from app.programme.instruments import awaiting, instrument_for, stage_text
from app.scoring import cases
from app.scoring.entries import fields_of

_BOX = "□"
_NA = Text("□ 不适用（须写理由）", "□ not applicable (state the reason)")
_NONE = Text("□ 以上都没有", "□ none of these")
_POINTS = Text(
    "＿＿＿＿ 分（{low}–{high}，每档 {step}）", "______ points ({low}–{high}, steps of {step})"
)
_CASES = Text("发现的问题 ＿＿＿＿ 个（每个扣 {n} 分）", "cases found: ______ ({n} off each)")
_YES, _NO = Text("□ 符合", "□ yes"), Text("□ 不符合", "□ no")
_PRIOR = Text("□ 上一年度成绩（折算）", "□ last year's result (reduced)")
_CLEAR, _VETO = Text("□ 未发现否决情形", "□ no veto found"), Text("□ 一票否决：", "□ veto:")
_EVIDENCE = Text("依据：＿＿＿＿＿＿＿＿＿＿", "evidence: ____________________")
_TO_CONFIRM = Text("待确认", "to confirm")
_FORM_TO_CONFIRM = Text(
    "本表有 {n} 项为默认值或重拟，待系统管理员确认；表中标“待确认”。",
    "An administrator has yet to confirm {n} of this form's items, which are a default or reconstructed; "
    "they are marked “to confirm”.",
)
_SPECIMEN = Text("样张　{t}", "Specimen: {t}")
_BONUS = Text("{t} +{n}：文件 ＿＿＿＿＿＿＿＿", "{t} +{n}: document ________________")


def sheet_key(key: str, seat: Seat, instrument: Mapping[str, Any]) -> str:
    """What the QR code says: the protocol's key of the sheet, the seat, the form's digest."""
    return f"MJPAPER/1 {key} {seat.id} {instrument['digest']}"


def blank_data(
    session: Session, sitting: Sitting, seats: Sequence[tuple[Seat, str]], language: str
) -> dict[str, Any]:
    """The blank sheets of these seats (with the name to print): the county's, then its sampled case
    files'. DomainError without a form."""
    round_, subject = sitting.panel.round, sitting.subject
    version, instrument = instrument_for(session, round_, subject, sitting.panel.stage)
    files = cases.sampled_files(session, [subject])[subject.id]
    waiting = set() if version.signed_at else set(awaiting(instrument))
    case_form, case_waiting = None, set[str]()
    if files:
        version, case_form = instrument_for(session, round_, subject, cases.CASEFILE)
        case_waiting = set() if version.signed_at else set(awaiting(case_form))
    sheets = []
    for seat, name in seats:
        sheets.append(_sheet(sitting, seat, name, instrument, sitting.id, None, waiting))
        for case in files:
            assert case_form is not None
            about, key = f"{case.number}　{case.title}", f"{sitting.id}/{case.id}"
            sheets.append(_sheet(sitting, seat, name, case_form, key, about, case_waiting))
    return {
        "title": Text("纸质评分表", "Score sheet on paper"),
        "language": language,
        "drill": round_.drill,
        "sheets": sheets,
    }


def blank_pdf(data: dict[str, Any], made_at: datetime) -> bytes:
    """The PDF of `blank_data`."""
    return render_pdf("paper_sheet", data, published_at=made_at)


def _sheet(
    sitting: Sitting,
    seat: Seat,
    name: str,
    instrument: Mapping[str, Any],
    key: str,
    case: str | None,
    waiting: set[str],
) -> dict[str, Any]:
    code = sheet_key(key, seat, instrument)
    facts = [
        {"label": Text("区县", "County"), "value": sitting.subject.name},
        {"label": Text("阶段", "Stage"), "value": stage_text(sitting.panel.stage)},
        {
            "label": Text("专家", "Expert"),
            "value": Text(f"{seat.number} 号席　{name}", f"seat {seat.number}, {name}"),
        },
        {"label": Text("日期和地点", "Date and place"), "value": f"{sitting.on} {sitting.place}"},
    ]
    if case is not None:
        facts.insert(1, {"label": Text("案卷", "Case file"), "value": case})
    return {
        "title": Text.of(instrument["title"]),
        "facts": facts,
        "groups": _groups(instrument, waiting),
        "waits": _FORM_TO_CONFIRM.format(n=len(waiting)) if waiting else "",
        "qr": qr_svg(code),
        "scanned": code,
        "digest": instrument["digest"],
        "code": [f"{seat.number}-{key[:8]}", instrument["digest"][:16]],
    }


def preview_data(instrument: Mapping[str, Any], stage: str, language: str) -> dict[str, Any]:
    """A form of no sitting on paper, to be looked at before it is used: marked as a specimen, and its
    code opens no sheet."""
    waiting = set(awaiting(instrument))
    code = f"SPECIMEN {instrument['digest']}"
    blank = "＿＿＿＿＿＿＿＿"
    return {
        "title": Text("纸质评分表（样张）", "Score sheet on paper (specimen)"),
        "language": language,
        "drill": False,
        "sheets": [
            {
                "title": _SPECIMEN.format(t=Text.of(instrument["title"])),
                "facts": [
                    {"label": Text("区县", "County"), "value": blank},
                    {"label": Text("阶段", "Stage"), "value": stage_text(stage)},
                    {"label": Text("专家", "Expert"), "value": blank},
                    {"label": Text("日期和地点", "Date and place"), "value": blank},
                ],
                "groups": _groups(instrument, waiting),
                "waits": _FORM_TO_CONFIRM.format(n=len(waiting)) if waiting else "",
                "qr": qr_svg(code),
                "code": ["SPECIMEN", instrument["digest"][:16]],
            }
        ],
    }


def _groups(instrument: Mapping[str, Any], waiting: set[str]) -> list[dict[str, Any]]:
    """The sections with the items that are filled in by hand."""
    titles = {section["id"]: Text.of(section["title"]) for section in instrument["sections"]}
    groups: list[dict[str, Any]] = []
    place = None
    for item in sheet_items(instrument):
        if not item["applies"]:
            continue
        section = item["section"] or ""
        if place != section or not groups:
            place = section
            groups.append({"title": titles.get(section, Text("评分", "Marks")), "items": []})
        groups[-1]["items"].append(
            {
                "code": item["id"],
                "title": Text.of(item["title"]),
                "standard": Text.of(item["guidance"]) if item.get("guidance") else "",
                "max": "" if item["scale"]["type"] in ("veto", "passfail") else str(item["max"]),
                "answer": answer_lines(item),
                "waits": _TO_CONFIRM if item["id"] in waiting else "",
            }
        )
    return groups


def answer_lines(item: Mapping[str, Any]) -> list[Text]:
    """What is to be filled in by hand for one item, line by line."""
    s = item["scale"]
    lines: list[Text] = []
    match s["type"]:
        case "points":
            lines.append(_POINTS.format(low=item["min"], high=item["max"], step=s["step"]))
        case "grade":
            lines.append(_POINTS.format(low="0", high=item["max"], step=s["step"]))
            lines.append(_levels(s["levels"]))
        case "checklist" | "checklist_deduct":
            lines += [_tick(tick, tick["points"]) for tick in s["items"]]
            if s["type"] == "checklist":
                lines.append(_NONE)
            else:
                lines.append(_CASES.format(n=s["per_case"]))
        case "deduct":
            lines.append(_CASES.format(n=s["per_case"]))
        case "passfail" | "passfail_points":
            lines += [_YES, _NO]
        case "grade_table":
            lines += [_tick(row, row["points"]) for row in s["table"]]
            lines.append(_PRIOR)
        case "veto":
            lines += [_CLEAR, _VETO]
            lines += [_tick(row, row["id"]) for row in s["vetoes"]]
            lines.append(_EVIDENCE)
        case "bonus":
            lines += [
                _BONUS.format(t=Text.of(step["title"]), n=step["points"]) for step in s["ladder"]
            ]
            lines.append(_NONE)
        case _:
            for figure in s.get("figures", ()):
                unit = figure.get("unit") or ""
                words = Text.of(figure["title"])
                of = Text(unit, unit) if isinstance(unit, str) else Text.of(unit)
                lines.append(Text(f"{words.zh} ＿＿＿＿ {of.zh}", f"{words.en} ______ {of.en}"))
    if item.get("not_applicable") == "allowed":
        lines.append(_NA)
    return lines


def _levels(levels: Sequence[Mapping[str, Any]]) -> Text:
    """The levels with their ranges on one line; `<` where the upper end is out."""
    reach = [f"{row['low']}–{'' if row['high_inclusive'] else '<'}{row['high']}" for row in levels]
    titles = [Text.of(row["title"]) for row in levels]
    return Text(
        "；".join(f"{t.zh} {r}" for t, r in zip(titles, reach, strict=True)),
        "; ".join(f"{t.en} {r}" for t, r in zip(titles, reach, strict=True)),
    )


def _tick(row: Mapping[str, Any], note: Any) -> Text:
    words = Text.of(row["title"])
    return Text(f"{_BOX} {words.zh}（{note}）", f"{_BOX} {words.en} ({note})")


_WORDS = {
    "mark": Text("评分", "mark"), "cases": Text("问题数", "cases"), "ticks": Text("打勾", "ticked"),
    "none": Text("都没有", "none of these"), "pass": Text("判定", "judgement"),
    "grade": Text("等次", "grade"), "prior": Text("上一年度", "last year's"),
    "vetoed": Text("否决", "veto"), "vetoes": Text("否决项", "vetoes"),
    "na": Text("不适用", "not applicable"), "reason": Text("理由", "reason"),
    "evidence": Text("依据", "evidence"),
}  # fmt: skip
_EMPTY = Text("（未填）", "(empty)")
_VALUES = {"on": Text("是", "yes"), "yes": Text("是", "yes"), "no": Text("否", "no")}


def entry_words(item: Mapping[str, Any], entry: Mapping[str, Any] | None) -> Text:
    """A reading in words, for two to be compared."""
    parts: list[Text] = []
    titles = {f"figure.{f['name']}": Text.of(f["title"]) for f in item["scale"].get("figures", ())}
    for part, value in fields_of(item, entry).items():
        if not value:
            continue
        name = titles.get(part) or _WORDS.get(part) or Text(part, part)
        if isinstance(value, list):
            value = ", ".join(str(one) for one in value)
        shown = _VALUES.get(str(value)) or Text(str(value), str(value))
        parts.append(Text(f"{name.zh} {shown.zh}", f"{name.en} {shown.en}"))
    if not parts:
        return _EMPTY
    return Text("；".join(p.zh for p in parts), "; ".join(p.en for p in parts))

"""Between the fields of a page and the entries of a sheet, one item at a time. Pure.

Field names are `ITEM.part`: mark, cases, ticks (a list), none (on), pass, grade, prior, figure.NAME,
vetoed, vetoes (a list), level.STEP (a list of documents), na (on), reason, evidence. Whatever was typed is kept, right or wrong: `check_sheet` says what is wrong with it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

Item = Mapping[str, Any]
Fields = dict[str, Any]
Entry = dict[str, Any]
DRAFT_LIMIT = 2000  # characters of one field


def fields_of(item: Item, entry: Mapping[str, Any] | None) -> Fields:
    """The page's fields for an entry; every part of the item's scale is present."""
    entry = entry or {}
    value = entry.get("value") if entry.get("type") == "mark" else None
    given: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    scale = item["scale"]
    fields: Fields = {
        "na": "on" if entry.get("type") == "not_applicable" else "",
        "reason": entry.get("reason", ""),
    }
    match scale["type"]:
        case "points":
            fields["mark"] = value if isinstance(value, str) else ""
        case "grade":
            fields["mark"] = given.get("mark", "")
        case "checklist":
            fields["ticks"] = list(given.get("ticks", []))
            fields["none"] = "on" if given and not fields["ticks"] else ""
        case "deduct":
            fields["cases"] = str(given.get("cases", ""))
        case "checklist_deduct":
            fields["ticks"] = list(given.get("ticks", []))
            fields["cases"] = str(given.get("cases", ""))
        case "passfail" | "passfail_points":
            chosen = given.get("pass")
            fields["pass"] = "" if chosen is None else "yes" if chosen else "no"
        case "grade_table":
            fields["grade"] = given.get("grade", "")
            fields["prior"] = "on" if given.get("prior_year") else ""
        case "veto":
            struck = given.get("vetoed")
            fields["vetoed"] = "" if struck is None else "yes" if struck else "no"
            fields["vetoes"] = list(given.get("vetoes", []))
            fields["evidence"] = entry.get("evidence", "")
        case "bonus":
            awards = given.get("awards", [])
            for step in scale["ladder"]:
                name = f"level.{step['id']}"
                fields[name] = [a["document"] for a in awards if a["level"] == step["id"]]
            fields["none"] = "on" if given and not awards else ""
        case _:
            figures = given.get("figures", {})
            for figure in scale.get("figures", ()):
                fields[f"figure.{figure['name']}"] = figures.get(figure["name"], "")
    return fields


def entry_of(item: Item, fields: Mapping[str, Any]) -> Entry | None:
    """The entry that the fields say; None when nothing was filled in."""
    reason = _text(fields.get("reason"))
    if fields.get("na") == "on":
        return {"type": "not_applicable", "reason": reason}
    value = _value(item, fields)
    said = {"reason": reason, "evidence": _text(fields.get("evidence"))}
    words = {key: text for key, text in said.items() if text}
    if value is None:
        return {"type": "missing", **words} if words else None
    return {"type": "mark", "value": value, **words}


def _value(item: Item, fields: Mapping[str, Any]) -> Any:
    scale = item["scale"]
    mark, cases = _text(fields.get("mark")), _text(fields.get("cases"))
    ticks = _list(fields.get("ticks"))
    match scale["type"]:
        case "points":
            return mark or None
        case "grade":
            return {"level": _level(scale, mark), "mark": mark} if mark else None
        case "checklist":
            return {"ticks": ticks} if ticks or fields.get("none") == "on" else None
        case "deduct":
            return {"cases": _count(cases)} if cases else None
        case "checklist_deduct":
            return {"ticks": ticks, "cases": _count(cases or "0")} if ticks or cases else None
        case "passfail" | "passfail_points":
            chosen = {"yes": True, "no": False}.get(_text(fields.get("pass")))
            return None if chosen is None else {"pass": chosen}
        case "grade_table":
            grade = _text(fields.get("grade"))
            return {"grade": grade, "prior_year": fields.get("prior") == "on"} if grade else None
        case "veto":
            struck = {"yes": True, "no": False}.get(_text(fields.get("vetoed")))
            named = _list(fields.get("vetoes"))
            return None if struck is None else {"vetoed": struck, "vetoes": named}
        case "bonus":
            awards = [
                {"level": step["id"], "document": document}
                for step in scale["ladder"]
                for document in _list(fields.get(f"level.{step['id']}"))
            ]
            return {"awards": awards} if awards or fields.get("none") == "on" else None
        case _:
            figures = {
                figure["name"]: text
                for figure in scale.get("figures", ())
                if (text := _text(fields.get(f"figure.{figure['name']}")))
            }
            return {"figures": figures} if figures else None


def typed_number(part: str, text: str) -> str:
    """A mark, a count or a figure in plain digits, as Chinese input methods type them: full-width
    digits, "。" for the point; any other part as it is."""
    if part not in ("mark", "cases") and not part.startswith("figure."):
        return text
    return unicodedata.normalize("NFKC", text).replace("。", ".").replace("−", "-").strip()


def _text(value: Any) -> str:
    """As typed, without blanks around it; half a character (a lone surrogate) becomes "?"."""
    return str(value or "").encode(errors="replace").decode().strip()[:DRAFT_LIMIT]


def _list(value: Any) -> list[str]:
    """What was ticked, blanks left out; a single tick arrives as a string."""
    ticked = [value] if isinstance(value, str) else value or []
    return [text for entry in ticked if (text := _text(entry))]


def _count(text: str) -> Any:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else text


def _level(scale: Mapping[str, Any], mark: str) -> str:
    """The level in whose range the mark lies; the lowest when it is none (and so out of range)."""
    try:
        number = Decimal(mark)
    except InvalidOperation:
        return ""
    if number.is_nan():
        return ""
    for level in scale["levels"]:
        low, high = Decimal(level["low"]), Decimal(level["high"])
        if low <= number < high or (number == high and level["high_inclusive"]):
            return str(level["id"])
    return str(scale["levels"][-1]["id"])


def merged(
    items: Sequence[Item], entries: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """The sheet's entries after `changes` (`ITEM.part` -> value); KeyError for an unknown item."""
    by_id = {item["id"]: item for item in items}
    touched: dict[str, Fields] = {}
    for name, value in changes.items():
        item_id, _, part = name.partition(".")
        item = by_id[item_id]
        fields = touched.setdefault(item_id, fields_of(item, entries.get(item_id)))
        fields[part] = value
    result = dict(entries)
    for item_id, fields in touched.items():
        entry = entry_of(by_id[item_id], fields)
        if entry is None:
            result.pop(item_id, None)
        else:
            result[item_id] = entry
    return result

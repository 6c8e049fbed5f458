"""Makes `vectors.json`: what Python says about fields, entries, sheets and expressions, for the tablet to agree with.

From every form of the shipped library (each compiled with its facts all true and all false) and a few variants of their
items that no form uses yet. Nothing is drawn at random: the same code makes the same bytes, whose SHA-256 the tests know.

    .venv/bin/python -m tests.vectors.field.make        writes tests/vectors/field/vectors.json
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.domain.scoring.expressions import (
    MissingValue,
    ZeroDenominator,
    compile_expression,
    evaluate_number,
    evaluate_truth,
)
from app.domain.scoring.measures import EntryError, half_up, plain
from app.domain.scoring.scales import Points, evaluate_entry
from app.domain.scoring.sheets import check_sheet, repeated_points, sheet_items, sheet_points
from app.domain.types import DomainError
from app.scoring.entries import entry_of, fields_of, merged
from tests.vectors.field.forms import instruments
from tests.vectors.field.taps import REASON, TYPED, raw_entries, tapped

HERE = Path(__file__).parent
FILE = HERE / "vectors.json"
Json = dict[str, Any]

WIDE = ["１７．５", "8。5", "　７ ", "－1", "−0.5", "1，234", "０．２５", "6"]
PLAIN = str.maketrans("０１２３４５６７８９．。－−，", "0123456789..--,")
WORDS = ("evidence", "guidance", "note", "trace", "provenance")

# ---- what Python says


def said(points: Points) -> Json:
    """Points as strings."""
    return {
        "points": None if points.points is None else plain(points.points),
        "min": plain(points.minimum),
        "max": None if points.maximum is None else plain(points.maximum),
        "outcome": points.outcome,
    }


def judged(item: Json, entry: Any) -> Json:
    try:
        return said(evaluate_entry(item, entry))
    except EntryError as error:
        return {"code": error.code}


def of_fields(item: Json, fields: Json) -> Json:
    entry = entry_of(item, fields)
    return {"entry": entry, "fields": fields_of(item, entry), **judged(item, entry)}


def of_sheet(instrument: Json, entries: Mapping[str, Any], given: Mapping[str, str | None]) -> Json:
    """Everything about a sheet; `given`: points of others' items, null for not applicable."""
    others = {
        name: Points(
            None if text is None else Decimal(text), Decimal(0), None,
            "not_applicable" if text is None else "points", REASON_TEXT,
        )
        for name, text in given.items()
    }  # fmt: skip
    sheet = sheet_points(instrument, entries, others)
    return {
        "problems": [[p.item_id, p.code] for p in check_sheet(instrument, entries)],
        "items": {name: said(points) for name, points in sheet.items.items() if name not in given},
        "sections": [
            [s.id, plain(s.raw), plain(s.applicable), plain(s.maximum), _text(s.points), list(s.moved_in), s.meets_floor]
            for s in sheet.sections
        ],
        "total": _text(sheet.total), "maximum": plain(sheet.maximum), "marked": plain(sheet.marked),
        "marked_maximum": plain(sheet.marked_maximum), "awaiting": list(sheet.awaiting), "verdict": sheet.verdict,
    }  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


REASON_TEXT: Any = None


def of_expression(source: str, want: str, values: Mapping[str, Any]) -> Json:
    """The tree of an expression and its value, or which value is missing, or a zero denominator."""
    kinds: Any = {
        name: "bool" if isinstance(value, bool) else "num" for name, value in values.items()
    }
    tree = compile_expression(source, {**kinds, "gone": "num", "never": "bool"}, want).tree  # type: ignore[arg-type]
    known = {k: v if isinstance(v, bool) else Decimal(v) for k, v in values.items()}
    try:
        if want == "num":
            number = evaluate_number(tree, known)
            rounded = plain(half_up(number, 2)) if abs(number) < 10**20 else None
            return {"tree": tree, "value": plain(number), "half_up": rounded}
        return {"tree": tree, "value": evaluate_truth(tree, known)}
    except MissingValue as error:
        return {"tree": tree, "missing": error.name}
    except ZeroDenominator:
        return {"tree": tree, "zero": True}


EXPRESSIONS = [
    ("a / b", "num"), ("-a / b", "num"), ("a * a * a", "num"), ("(a - b) / (a + b)", "num"), ("a / b * b", "num"),
    ("min(a, b, 3)", "num"), ("max(a, -b)", "num"), ("a / (b - b)", "num"), ("a + gone", "num"), ("a + b - 0.1", "num"),
    ("a / b >= 0.1 or a * 3 > b", "bool"), ("yes and a < b", "bool"), ("not yes or a == b", "bool"),
    ("yes and never", "bool"), ("a != b and not (a <= b)", "bool"), ("100 * (a + 0.005) / 7", "num"),
]  # fmt: skip
PAIRS = [("1", "3"), ("2", "3"), ("10", "10"), ("0.1", "0.2"), ("-7", "9"), ("123456789012345.123456789", "0.000000007"),
         ("999999999999999.999999999", "999999999999999.999999998"), ("0", "5"), ("1.005", "1"), ("-1.005", "1")]  # fmt: skip


def cases(forms: list[Json]) -> Iterator[Json]:
    """All cases in their order, each with what is given and what Python says."""
    seen: set[str] = set()
    odd: dict[str, int] = {}
    for index, instrument in enumerate(forms):
        for item in instrument["items"]:
            alike = json.dumps(
                [item["scale"], item["min"], item["max"], item["applies"], item["not_applicable"]],
                sort_keys=True,
            )
            thorough = alike not in seen
            seen.add(alike)
            every = list(tapped(item))
            for fields in every if thorough else every[5:7]:
                yield {
                    "kind": "fields",
                    "i": index,
                    "item": item["id"],
                    "fields": fields,
                    "says": of_fields(item, fields),
                }
            strange = item["applies"] and not odd.get(item["scale"]["type"], 0) > 1
            odd[item["scale"]["type"]] = odd.get(item["scale"]["type"], 0) + 1
            for entry in raw_entries(item) if strange else ():
                yield {
                    "kind": "entry",
                    "i": index,
                    "item": item["id"],
                    "entry": entry,
                    "says": judged(item, entry),
                }
        yield from _sheets(index, instrument)
    for source, want in EXPRESSIONS:
        for a, b in PAIRS:
            values = {"a": a, "b": b, "yes": Decimal(a) > 0}
            yield {
                "kind": "expression",
                "source": source,
                "want": want,
                "values": values,
                "says": of_expression(source, want, values),
            }
    for typed in [*WIDE, *(text for text in TYPED if text[:1] not in ("\u001f", "\ufeff"))]:
        yield {"kind": "typed", "typed": typed, "says": typed.translate(PLAIN).strip()}


def _sheets(index: int, instrument: Json) -> Iterator[Json]:
    """Whole sheets put together from the fields above: empty, full, mixed, with strangers, all not applicable."""
    items = sheet_items(instrument)
    own = {item["id"] for item in items}
    good = {item["id"]: _standing(item) for item in items}
    for turn in range(12):
        entries: dict[str, Any] = {}
        for place, item in enumerate(items):
            pool = good[item["id"]] or [None]
            pick = int(hashlib.sha256(f"{index}/{turn}/{place}".encode()).hexdigest(), 16)
            loose = list(tapped(item))
            entry = (
                pool[pick % len(pool)]
                if turn > 3 or pick % 3
                else entry_of(item, loose[pick % len(loose)])
            )
            if turn == 11:
                entry = {"type": "not_applicable", "reason": REASON}
            if entry is not None and turn:
                entries[item["id"]] = entry
        if turn in (2, 9):
            entries["stranger"] = {"type": "mark", "value": "1"}
        others = [i["id"] for i in instrument["items"] if i["id"] not in own and i["applies"]]
        given = {
            name: None if (turn + n) % 5 == 0 else plain(Decimal(turn * 7 + n) / 4)
            for n, name in enumerate(others)
            if turn % 3 or n
        }
        yield {
            "kind": "sheet",
            "i": index,
            "entries": entries,
            "given": given,
            "says": of_sheet(instrument, entries, given),
        }
        if turn >= 4 and turn % 4 == 0:
            yield _mean(index, instrument, entries)
    changes = {
        f"{item['id']}.{part}": value
        for item in items[:6]
        for part, value in list(tapped(item))[-1].items()
    }
    start = {item["id"]: good[item["id"]][0] for item in items[:3] if good[item["id"]]}
    yield {
        "kind": "merged",
        "i": index,
        "entries": start,
        "changes": changes,
        "says": merged(items, start, changes),
    }


def _standing(item: Json) -> list[Any]:
    """Entries of the item that can stand, in order."""
    found = []
    for fields in tapped(item):
        entry = entry_of(item, fields)
        if entry is not None and "code" not in judged(item, entry):
            found.append(entry)
    return found


def _mean(index: int, instrument: Json, entries: Mapping[str, Any]) -> Json:
    less = dict(list(entries.items())[:-1])
    full = [entries, {**entries, **{k: v for k, v in less.items() if v["type"] == "mark"}}, entries]
    try:
        mean: str | None = plain(repeated_points(instrument, full).mean)
    except DomainError:
        mean = None
    return {"kind": "mean", "i": index, "sheets": full, "says": mean}


def document() -> Json:
    """The whole file; words that no evaluator reads are left out of the instruments."""
    forms = [
        {
            **form,
            "items": [{k: v for k, v in item.items() if k not in WORDS} for item in form["items"]],
        }
        for form in instruments()
    ]
    return {"format": "mingjian-field-vectors/1", "instruments": forms, "cases": list(cases(forms))}


def text() -> str:
    """The file's text; the same code gives the same bytes."""
    made = document()
    rows, forms = (",\n".join(map(_line, made[key])) for key in ("cases", "instruments"))
    return (
        f'{{"format": "{made["format"]}",\n"instruments": [\n{forms}\n],\n"cases": [\n{rows}\n]}}\n'
    )


def _line(value: Json) -> str:
    """One line of JSON; half characters, which UTF-8 cannot hold, as escapes."""
    line = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", line)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    print(
        len(json.loads(FILE.read_text("utf-8"))["cases"]),
        hashlib.sha256(FILE.read_bytes()).hexdigest(),
    )

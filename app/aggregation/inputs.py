"""What a run is computed from: every counting sheet, survey value and gate of a round, as JSON.

A run keeps this whole, so that it can be computed again for ever. Experts stand in it by their seat
numbers. A sheet counts iff its seat is active (S0 art. 16: the panel scores, the office adds up);
whatever is missing stops the run by name and is never a zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.aggregation.checks import site_checks
from app.aggregation.flags import excluded, without_mark
from app.aggregation.frames import frames_of
from app.aggregation.given import Given, Reviewed, veto_reason
from app.aggregation.models_flags import FlagDecision
from app.aggregation.people import Seated, people_of
from app.aggregation.places import places_of
from app.aggregation.results import RESAMPLES
from app.aggregation.sheet_rows import sheet_row
from app.aggregation.ties import tie_draws
from app.aggregation.wording import AGGREGATE
from app.domain.ledger.canonical import digest
from app.domain.scoring.formulas import repeated_items
from app.domain.scoring.measures import plain
from app.domain.scoring.sheets import sheet_items
from app.domain.statistics.rule import ScoreRule
from app.domain.types import NotNow, Text
from app.draw.models import Seat
from app.draw.supplements import roots
from app.panel.models import Panel, Sitting
from app.programme.computed import computed_points, survey_score
from app.programme.instruments import pin_for, stage_text
from app.programme.models import Round, Subject
from app.programme.scheme import scheme_of, score_rule_of
from app.programme.zones import ranking_group
from app.scoring.models import Sheet
from app.scoring.paper import noted_in_runs
from app.scoring.queries import FINAL

VERSION = 1
_LATER = frozenset({"agreement", "frames", "people", "places"})
# Read by advice alone: an employer corrected afterwards makes no new result.
_ADVICE = frozenset({"homes"})
_NO_PANEL = Text(
    "{s}还没有专家组。没有汇总；请先抽取并组建专家组。",
    "There is no panel for {s} yet. Nothing was computed; draw and form one first.",
)
_NO_STAGES = Text(
    "计分规则没有写明各阶段，而本届不是恰好一个评分阶段。没有汇总。",
    "The score rule names no stages, and this round does not have exactly one. Nothing was computed.",
)
_NO_SITTING = Text(
    "{c}在{s}没有会议。没有汇总；请检查抽取的对象范围。",
    "{c} has no sitting at {s}. Nothing was computed; check whom the draw covered.",
)
_OPEN = Text(
    "还不能汇总，以下会议未结束：{list}。没有任何改动。",
    "It cannot be computed yet; these sittings are not over: {list}. Nothing was changed.",
)
_UNSEALED = Text(
    "还不能汇总，以下评分表未完成：{list}。没有任何改动。",
    "It cannot be computed yet; these sheets are unfinished: {list}. Nothing was changed.",
)
_UNDECIDED = Text(
    "还不能汇总，以下区县的资格审查没有结论：{list}。没有任何改动。",
    "It cannot be computed yet; the qualification of these is not concluded: {list}. Nothing was "
    "changed.",
)
_NO_SURVEY = Text(
    "{c}没有{s}的结果。没有汇总；请先录入并确认。",
    "{c} has no result for {s}. Nothing was computed; enter and confirm it first.",
)


@dataclass(frozen=True, slots=True)
class _Stage:
    """One module of the total: its id in the rule, the stage of the round that feeds it."""

    id: str
    stage: str
    title: Text
    weight: Decimal
    panels: tuple[Panel, ...]

    @property
    def kind(self) -> str:
        return "panel" if self.panels else "value"


def collect(session: Session, round_: Round) -> dict[str, Any]:
    """The inputs of a run as JSON, decimals as strings; Conflict or DomainError naming what lacks."""
    rule = score_rule_of(round_)
    stages = _stages(session, round_, rule)
    running = [s for s in round_.subjects if s.status in ("declared", "qualified")]
    _qualified(round_, running)
    given = Given(session, round_, stages=[stage.stage for stage in stages], running=running)
    given.must_stand()
    running = [s for s in running if s.id not in given.vetoes]
    checks = site_checks(session, round_, running, counted=[stage.stage for stage in stages])
    found = _counting(session, stages, running)
    reviewed = Reviewed(session, [sat.sitting.id for sat in found.values()], running)
    papers = noted_in_runs(session, (r.id for s in found.values() for _, r in s.sheets.values()))
    struck = excluded(session, round_)
    computed = {
        stage.id: computed_points(session, round_, stage.stage, without=given.vetoes)
        for stage in stages
        if stage.panels
    }
    subjects = []
    for subject in round_.subjects:
        if subject.status == "withdrawn":
            continue
        vetoed = subject.status == "vetoed" or subject.id in given.vetoes
        parts: dict[str, Any] = {}
        for stage in stages:
            if vetoed:
                parts[stage.id] = {"kind": "value", "value": None}
            elif stage.kind == "value":
                parts[stage.id] = _value(session, round_, subject, stage)
            else:
                points = computed[stage.id].get(subject.id, {}) | given.rows(subject, stage.stage)
                sat = found[stage.id, subject.id]
                parts[stage.id] = _panel_part(sat, stage, subject, points, reviewed, papers, struck)
        bonus = None if vetoed else given.bonus(subject)
        check = checks.get(subject.id)
        out = check is not None and check["outcome"] == "failed"
        subjects.append(
            {
                "id": subject.region_code,
                "subject": subject.id,
                "name": _pair(subject.name),
                "group": ranking_group(round_, subject),
                "status": "vetoed" if vetoed else "disqualified" if out else subject.status,
                "vetoed": vetoed,
                "veto_reason": _pair(given.vetoes.get(subject.id) or veto_reason(subject))
                if vetoed
                else None,
                "adjust": "0" if bonus is None else bonus["points"],
                "stages": parts,
                **({"bonus": bonus} if bonus is not None else {}),
                **({"check": check} if check is not None else {}),
            }
        )
    rule_of_scheme = scheme_of(round_).aggregation
    form = rule_of_scheme.bonus_form if rule_of_scheme is not None else None
    recorded = any("bonus" in row for row in subjects)
    return {
        "v": VERSION,
        "round": round_.slug,
        "rule_digest": rule.digest(),
        "stages": [
            {
                "id": stage.id,
                "kind": stage.kind,
                "title": _pair(stage.title),
                "weight": plain(stage.weight),
                "panels": [{"id": panel.id, "code": panel.code} for panel in stage.panels],
            }
            for stage in stages
        ],
        "subjects": subjects,
        "withdrawn": [
            {"name": _pair(s.name), "reason": s.withdrawn_reason}
            for s in round_.subjects
            if s.status == "withdrawn"
        ],
        # A bonus form on which nothing was recorded: the paper says that no total holds a bonus.
        "uncounted": [form] if form and not recorded else [],
        **({"places": places} if (places := places_of(round_)) else {}),
        **frames_of(subjects, round_, computed),
        **tie_draws(session, round_, rule),
        **people_of(session, _seated(found, running)),
        "agreement": {"resamples": RESAMPLES},
    }


def same_inputs(stored: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a run's inputs are those of now. A part that the stored run did not keep yet is left
    aside: what it says is in the points as well."""
    kept = {k: v for k, v in now.items() if (k in stored or k not in _LATER) and k not in _ADVICE}
    return digest({k: v for k, v in stored.items() if k not in _ADVICE}) == digest(kept)


def _pair(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _stages(session: Session, round_: Round, rule: ScoreRule) -> list[_Stage]:
    panels: dict[str, list[Panel]] = defaultdict(list)
    for panel in session.scalars(
        select(Panel).where(Panel.round_id == round_.id).order_by(Panel.code, Panel.created_at)
    ):
        panels[panel.stage].append(panel)
    if not rule.modules:
        if len(panels) != 1:
            raise NotNow(_NO_STAGES, what=AGGREGATE)
        ((stage, rows),) = panels.items()
        return [_Stage(stage, stage, stage_text(stage), Decimal(1), tuple(rows))]
    scheme = scheme_of(round_)
    parts = {c.id: c for c in scheme.aggregation.components} if scheme.aggregation else {}
    by_form = {pin.form_version.form_id: pin.stage for pin in round_.pins}
    made = []
    for name, weight in rule.modules.items():
        part = parts.get(name)
        forms = part.forms if part else ()
        stage = next((by_form[form] for form in forms if form in by_form), name)
        title = part.title if part else stage_text(name)
        given = stage == "survey" or (part is not None and part.method == "given")
        if not panels[stage] and not given:
            raise NotNow(_NO_PANEL.format(s=title), what=AGGREGATE)
        made.append(_Stage(name, stage, title, weight, tuple(panels[stage])))
    return made


def _qualified(round_: Round, running: list[Subject]) -> None:
    """S0 art. 16(1): the gate is judged before any mark counts."""
    open_ = [
        s.name
        for s in running
        if s.status == "declared" and pin_for(round_, "qualification", s.region_class) is not None
    ]
    if open_:
        raise NotNow(_UNDECIDED.format(list=_listed(open_)), what=AGGREGATE)


def _listed(names: list[Text]) -> Text:
    return Text("、".join(n.zh for n in names), ", ".join(n.en for n in names))


@dataclass(frozen=True, slots=True)
class _Sat:
    """One sitting with its active seats and the sheet of each, by the seat's label."""

    sitting: Sitting
    sheets: dict[str, tuple[Seat, Sheet]]


def _counting(
    session: Session, stages: list[_Stage], running: list[Subject]
) -> dict[tuple[str, str], _Sat]:
    """(stage, subject) -> its sitting; refuses open sittings and unfinished sheets, all by name."""
    ids = [panel.id for stage in stages for panel in stage.panels]
    sittings = session.scalars(
        select(Sitting).where(Sitting.panel_id.in_(ids)).options(selectinload(Sitting.panel))
    ).all()
    sheets: dict[tuple[str, str], Sheet] = {}
    for sheet in session.scalars(
        select(Sheet)
        .where(Sheet.sitting_id.in_([s.id for s in sittings]), Sheet.state != "superseded")
        .order_by(Sheet.revision)
    ):
        sheets[sheet.sitting_id, sheet.seat_id] = sheet
    seats: dict[tuple[str, str], list[Seat]] = defaultdict(list)
    home = roots(session, {panel.draw_id for stage in stages for panel in stage.panels})
    for seat in session.scalars(
        select(Seat).where(Seat.draw_id.in_(home), Seat.state != "removed").order_by(Seat.number)
    ):
        seats[home[seat.draw_id], seat.panel].append(seat)
    found: dict[tuple[str, str], _Sat] = {}
    open_, unsealed = [], []
    for stage in stages:
        own = {s.subject_id: s for s in sittings if s.panel_id in {p.id for p in stage.panels}}
        for subject in running if stage.panels else ():
            sitting = own.get(subject.id)
            if sitting is None:
                raise NotNow(_NO_SITTING.format(c=subject.name, s=stage.title), what=AGGREGATE)
            where = Text("{c}（{s}）", "{c} ({s})").format(c=subject.name, s=stage.title)
            if sitting.phase != "closed":
                open_.append(where)
            panel = sitting.panel
            members = seats[panel.draw_id, panel.code]
            width = len(str(max((seat.number for seat in members), default=0)))
            many = len(stage.panels) > 1
            rows: dict[str, tuple[Seat, Sheet]] = {}
            for seat in members:
                own_sheet = sheets.get((sitting.id, seat.id))
                if own_sheet is None or own_sheet.state not in FINAL:
                    unsealed.append(
                        Text("{w} 席位 {n}", "{w} seat {n}").format(w=where, n=seat.number)
                    )
                    continue
                label = f"{seat.number:0{width}d}"
                rows[f"{panel.code}-{label}" if many else label] = (seat, own_sheet)
            found[stage.id, subject.id] = _Sat(sitting, rows)
    if open_:
        raise NotNow(_OPEN.format(list=_listed(open_)), what=AGGREGATE)
    if unsealed:
        raise NotNow(_UNSEALED.format(list=_listed(unsealed)), what=AGGREGATE)
    return found


def _seated(found: Mapping[tuple[str, str], _Sat], running: list[Subject]) -> list[Seated]:
    """Who sat where, sheet by sheet."""
    known = {subject.id: subject for subject in running}
    return [
        Seated(
            stage,
            known[subject].region_code,
            known[subject].place_code,
            label,
            seat.expert_id,
            sat.sitting.on,
        )
        for (stage, subject), sat in found.items()
        for label, (seat, _) in sat.sheets.items()
    ]


def _value(session: Session, round_: Round, subject: Subject, stage: _Stage) -> dict[str, Any]:
    value = survey_score(session, round_, subject)
    if value is None:
        raise NotNow(_NO_SURVEY.format(c=subject.name, s=stage.title), what=AGGREGATE)
    return {"kind": "value", "value": plain(value)}


def _panel_part(
    sat: _Sat,
    stage: _Stage,
    subject: Subject,
    computed: Mapping[str, Mapping[str, Any]],
    reviewed: Reviewed,
    papers: Mapping[str, Mapping[str, Any]],
    struck: Mapping[str, FlagDecision],
) -> dict[str, Any]:
    sheets, items, maximum, seen, form = {}, [], Decimal(0), False, ""
    for label, (seat, sheet) in sat.sheets.items():
        instrument = sheet.instrument
        if not seen:
            # What comes from the expert's own case files is his judgement, not computed alike.
            seen, own = True, {item["id"] for item in sheet_items(instrument)}
            own |= {item["id"] for item in repeated_items(instrument)}
            form = instrument["form"]
            items = [
                {
                    "id": item["id"],
                    "title": item["title"],
                    "max": item["max"],
                    "computed": item["id"] not in own,
                }
                for item in instrument["items"]
                if item["applies"]
            ]
            maximum = sum((Decimal(s["effective_max"]) for s in instrument["sections"]), Decimal(0))
        cases = reviewed.of(sheet, subject, stage.title)
        row = sheet_row(sheet, seat, stage.title, subject, {**computed, **cases.rows})
        if cases.record:
            row["cases"] = cases.record
        sheets[label] = without_mark({**row, **papers.get(sheet.id, {})}, struck.get(sheet.id))
    return {
        "kind": "panel",
        "panel": sat.sitting.panel.code,
        "sitting": sat.sitting.id,
        "form": form,
        "maximum": plain(maximum),
        "items": items,
        "computed": {
            name: {
                "points": None if row["points"] is None else plain(row["points"]),
                "how": _pair(row["explanation"]),
                **({"by": row["scorer"]} if "scorer" in row else {}),
            }
            for name, row in computed.items()
        },
        "sheets": sheets,
    }

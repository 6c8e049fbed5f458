"""Flags for whoever looks: the supervisor all of them with names, the office by seat, an expert his own.

The sentence is built when the page is. An expert reads what is observed of his own marks and never a
figure of anybody else's: not the range, the mean or a distance from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.accounts.viewer import Viewer
from app.aggregation import flags, queries
from app.aggregation.models import Run
from app.aggregation.models_flags import FlagAnswer, FlagDecision, RunFlag
from app.aggregation.reading import Reading
from app.aggregation.wording import rate_of, written
from app.domain.types import Text
from app.draw import disclosure
from app.draw.models import Seat
from app.programme.models import Round

GRAVE = {"red": 0, "amber": 1, "info": 2}
RULES = {
    "pooled_residual": Text("偏离本组（全场尺度）", "Far from the panel (scale of the round)"),
    "grubbs": Text("偏离本组（格拉布斯检验）", "Far from the panel (Grubbs' test)"),
    "deviation": Text("超过惯用偏离限度", "Beyond the customary limit"),
    "same_for_all": Text("所有对象给分相同", "The same mark for everybody"),
    "straight_line": Text("一份表内各项给分相同", "Every item of a sheet alike"),
    "duplicate": Text("两份评分表相同", "Two sheets alike"),
    "alike_pair": Text("两位专家过于一致", "Two experts agree too well"),
    "systematic_extreme": Text("总在最高或最低", "Always at the end of the panel"),
    "home_lift": Text("对本地区给分偏高", "Kind to the own region"),
    "small_panel": Text("有效评分表过少", "Few valid sheets"),
}
OUTCOME = {
    "keep": Text("保留评分", "Keep the mark"),
    "calibrate": Text("要求召开校准会", "Ask for a calibration meeting"),
    "exclude": Text("剔除该评分表", "Leave the sheet out"),
}
_HIGHER = Text("高于", "higher than")
_LOWER = Text("低于", "lower than")
_MARK = Text(
    "您给 {c} 的评分 {m} 分，明显{d}本组其他专家的评分。",
    "You gave {c} {m} points, clearly {d} the other experts of the panel did.",
)
_OWN: Mapping[str, Text] = {
    "same_for_all": Text("您给全部对象的评分相同。", "You gave every county the same mark."),
    "straight_line": Text(
        "您给 {c} 的评分表中，各项得分全部相同。",
        "On your sheet for {c} every item has the same mark.",
    ),
    "duplicate": Text(
        "您给 {c} 的评分表与另一位专家的逐项相同。",
        "Your sheet for {c} is the same, item by item, as another expert's.",
    ),
    "alike_pair": Text(
        "您的评分与另一位专家的评分异常接近。",
        "Your marks go together with another expert's to an unusual degree.",
    ),
    "systematic_extreme": Text(
        "您的评分经常是本组的{w}分。", "Your marks are very often the {w} of the panel."
    ),
    "home_lift": Text(
        "您对本地区的评分偏高。", "Your marks for your own region are on the high side."
    ),
}
_ENDS = {"high": Text("最高", "highest"), "low": Text("最低", "lowest")}


@dataclass(frozen=True, slots=True)
class Answered:
    """An explanation with the seat that gave it, and the name where the viewer may read it."""

    seat: str
    name: str | None
    answer: FlagAnswer


@dataclass(frozen=True, slots=True)
class FlagRow:
    """One flag on the page. `who`: names, or seats where names are not for the viewer."""

    flag: RunFlag
    title: Text
    sentence: Text
    rate: Text | None
    who: tuple[str, ...]
    answers: tuple[Answered, ...]
    decisions: tuple[FlagDecision, ...]  # the latest first

    @property
    def decision(self) -> FlagDecision | None:
        """The decision that stands."""
        return self.decisions[0] if self.decisions else None

    @property
    def awaited(self) -> int:
        """Explanations that are still to come."""
        return len(self.flag.seats) - len(self.answers)


@dataclass(frozen=True, slots=True)
class Silent:
    """A rule that had not enough to go on, and why."""

    title: Text
    stage: Text
    reason: Text


@dataclass(frozen=True, slots=True)
class Board:
    """The flags of a run, the graver first; rules that could not look; exclusions of earlier runs."""

    run: Run
    reading: Reading
    rows: tuple[FlagRow, ...]
    silent: tuple[Silent, ...]
    clear: tuple[Text, ...]
    earlier: tuple[FlagRow, ...]


def rows_of(session: Session, run: Run) -> list[RunFlag]:
    """The flags of a run, in the order of its results."""
    return list(
        session.scalars(select(RunFlag).where(RunFlag.run_id == run.id).order_by(RunFlag.number))
    )


def board(session: Session, viewer: Viewer, run: Run) -> Board:
    """The page of a run's flags, for the supervisor with names and for the office by seat.

    A constant number of queries, whatever the number of flags."""
    viewer.require("supervisor", "office")
    reading, flagged = Reading(run), rows_of(session, run)
    held = [
        row.flag
        for row in flags.excluded(session, run.round).values()
        if row.key not in {flag.key for flag in flagged} and row.flag.run.number < run.number
    ]
    who = _Who(session, viewer, [*flagged, *held])
    made = [who.row(flag, reading) for flag in flagged]
    made.sort(
        key=lambda r: (r.decision is not None, GRAVE[r.flag.level], r.flag.number)
    )  # what nobody has decided on comes first
    silent, clear = checked(reading)
    return Board(
        run,
        reading,
        tuple(made),
        silent,
        clear,
        tuple(who.row(flag, Reading(flag.run)) for flag in held),
    )


def spoken(session: Session, run: Run) -> list[FlagRow]:
    """The flags of a run to which somebody said something, by seat, in the order of the results; for
    the paper, which decides whom it names."""
    flagged, reading = rows_of(session, run), Reading(run)
    who = _Who(session, None, flagged)
    rows = (who.row(flag, reading) for flag in flagged)
    return [row for row in rows if row.answers or row.decisions]


class _Who:
    """Names, explanations and decisions of some flags, read once. `viewer` None: nobody is named."""

    def __init__(self, session: Session, viewer: Viewer | None, found: Sequence[RunFlag]) -> None:
        keys = {flag.key for flag in found}
        wanted = {seat for flag in found for seat in flag.seats}
        seats = list(session.scalars(select(Seat).where(Seat.id.in_(wanted)))) if wanted else []
        self.seats = {seat.id: f"{seat.number}" for seat in seats}
        self.names: dict[str, str] = {}
        if viewer is not None and viewer.role == "supervisor":
            shown = disclosure.shown_names(session, seats)
            self.names = {seat.id: name for seat, name in zip(seats, shown, strict=True)}
        self.answers: dict[str, list[FlagAnswer]] = {}
        for answer in session.scalars(
            select(FlagAnswer).where(FlagAnswer.key.in_(keys)).order_by(FlagAnswer.at)
        ):
            self.answers.setdefault(answer.key, []).append(answer)
        self.decisions: dict[str, list[FlagDecision]] = {}
        for decision in session.scalars(
            select(FlagDecision)
            .where(FlagDecision.key.in_(keys))
            .order_by(FlagDecision.number.desc())
        ):
            self.decisions.setdefault(decision.key, []).append(decision)

    def row(self, flag: RunFlag, reading: Reading) -> FlagRow:
        stored = reading.results["flags"][flag.number - 1]
        return FlagRow(
            flag,
            RULES.get(flag.rule, Text(flag.rule, flag.rule)),
            reading.flag_text(stored),
            rate_of(stored),
            tuple(self.names.get(seat, "") for seat in flag.seats),
            tuple(
                Answered(self.seats.get(a.seat_id, ""), self.names.get(a.seat_id), a)
                for a in self.answers.get(flag.key, ())
            ),
            tuple(self.decisions.get(flag.key, ())),
        )


def checked(reading: Reading) -> tuple[tuple[Silent, ...], tuple[Text, ...]]:
    """Rules without enough data, stage by stage; rules that looked everywhere and found nothing."""
    silent: list[Silent] = []
    outcomes: dict[str, set[str]] = {}
    for check in reading.results.get("checks", ()):
        outcomes.setdefault(check["rule"], set()).add(check["outcome"])
        reason = reading.say(check["reason"])
        if check["outcome"] == "not_enough_data" and reason is not None:
            title = RULES.get(check["rule"], Text(check["rule"], check["rule"]))
            stage = reading.titles.get(check["stage"], Text(check["stage"], check["stage"]))
            silent.append(Silent(title, stage, reason))
    clear = [rule for rule, found in outcomes.items() if found == {"clear"}]
    return tuple(silent), tuple(RULES.get(rule, Text(rule, rule)) for rule in clear)


# ---------- an expert


@dataclass(frozen=True, slots=True)
class OwnFlag:
    """What is observed of one sheet of an expert, or of all his marks, in words that say nothing of
    anybody else's. One explanation answers all flags on the sheet; `flag` is the one to answer."""

    flag: RunFlag
    ids: frozenset[str]  # of all the flags
    titles: tuple[Text, ...]
    stage: Text
    sentences: tuple[Text, ...]
    answer: FlagAnswer | None


def own(session: Session, viewer: Viewer, round_: Round) -> list[OwnFlag]:
    """The flags of the latest run that are about the viewer's own marks, those to explain first."""
    seats = flags.own_seats(session, viewer)
    run = queries.last_run(session, round_) if seats else None
    if run is None:
        return []
    reading = Reading(run)
    mine = _of_seats(session, [run.id], seats)
    answers = {
        row.key: row
        for row in session.scalars(
            select(FlagAnswer).where(
                FlagAnswer.key.in_({flag.key for flag in mine}), FlagAnswer.seat_id.in_(seats)
            )
        )
    }
    groups: dict[tuple[str, str | None], list[RunFlag]] = {}
    for flag in sorted(mine, key=lambda row: (row.rule, row.key)):
        alone = flag.sheet_id is None or flag.other_seat_id is not None
        answer = answers.get(flag.key)
        about = flag.key if alone else str(flag.sheet_id)
        groups.setdefault((about, answer.text if answer else None), []).append(flag)
    found = []
    for together in groups.values():
        said = (_own_sentence(flag, reading, seats) for flag in together)
        found.append(
            OwnFlag(
                together[0],
                frozenset(flag.id for flag in together),
                tuple(RULES.get(flag.rule, Text(flag.rule, flag.rule)) for flag in together),
                reading.titles.get(together[0].stage or "", Text("", "")),
                tuple(dict.fromkeys(said)),
                answers.get(together[0].key),
            )
        )
    return sorted(
        found, key=lambda row: (row.answer is not None, row.sentences[0].zh, row.flag.key)
    )


def _of_seats(session: Session, runs: Iterable[str], seats: Iterable[str]) -> list[RunFlag]:
    wanted = set(seats)
    return list(
        session.scalars(
            select(RunFlag).where(
                RunFlag.run_id.in_(list(runs)),
                RunFlag.seat_id.in_(wanted) | RunFlag.other_seat_id.in_(wanted),
            )
        )
    )


def _own_sentence(flag: RunFlag, reading: Reading, seats: frozenset[str]) -> Text:
    stored = reading.results["flags"][flag.number - 1]
    county = reading.names.get(stored["subject"], Text("", ""))
    if flag.rule in ("pooled_residual", "grubbs", "deviation"):
        part = reading.counties[stored["subject"]]["stages"][flag.stage]
        total = next(s["total"] for s in part["sheets"].values() if s["seat_id"] in seats)
        away = flag.numbers.get("away") or flag.numbers.get("percent") or "0"
        way = _LOWER if away.startswith("-") else _HIGHER
        return _MARK.format(c=county, m=written(total) or "—", d=way)
    words = _OWN.get(flag.rule, Text("请说明您的评分。", "Please explain your marks."))
    return words.format(c=county, w=_ENDS.get(flag.numbers.get("end", ""), Text("", "")))


def to_explain(session: Session, viewer: Viewer) -> list[tuple[Round, int]]:
    """Open rounds with flags of the viewer's own marks that he has not explained yet, and how many.

    Reads no run whole: this is asked on every visit of the first page."""
    seats = flags.own_seats(session, viewer)
    if not seats:
        return []
    answered = select(FlagAnswer.key).where(FlagAnswer.seat_id.in_(seats))
    sheet = case((RunFlag.other_seat_id.is_(None), RunFlag.sheet_id), else_=None)
    about = func.coalesce(sheet, RunFlag.id)  # one explanation a sheet
    rows = session.execute(
        select(RunFlag.round_id, func.count(about.distinct()))
        .where(
            RunFlag.run_id.in_(_last_runs()),
            RunFlag.seat_id.in_(seats) | RunFlag.other_seat_id.in_(seats),
            RunFlag.key.not_in(answered),
        )
        .group_by(RunFlag.round_id)
    )
    found = [(session.get_one(Round, round_id), n) for round_id, n in rows]
    return sorted((row for row in found if row[0].phase == "open"), key=lambda row: row[0].slug)


def to_decide(session: Session) -> list[tuple[Round, int, int]]:
    """Open rounds whose latest run has amber or red flags that nobody has decided on: the round, the
    number of the run, how many."""
    decided = select(FlagDecision.key)
    rows = session.execute(
        select(RunFlag.round_id, Run.number, func.count(RunFlag.id))
        .join(Run, RunFlag.run_id == Run.id)
        .where(
            RunFlag.run_id.in_(_last_runs()),
            RunFlag.level != "info",
            RunFlag.key.not_in(decided),
        )
        .group_by(RunFlag.round_id, Run.number)
    )
    found = [(session.get_one(Round, round_id), number, n) for round_id, number, n in rows]
    return sorted((row for row in found if row[0].phase == "open"), key=lambda row: row[0].slug)


def _last_runs() -> Any:
    """Ids of the latest run of every round."""
    newest = (
        select(Run.round_id, func.max(Run.number).label("number")).group_by(Run.round_id).subquery()
    )
    return select(Run.id).join(
        newest, (Run.round_id == newest.c.round_id) & (Run.number == newest.c.number)
    )

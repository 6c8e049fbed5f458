"""A check on site that takes a county out (S2 六(三)).

The notice says that a county which fails the check is out and that its place is not filled again. It
does not say how the verdicts of several experts make one: the scheme's setting `site_verdict` does.
Only sealed sheets vote; an absence, a recusal or an item that does not apply is no vote against.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.aggregation.wording import AGGREGATE
from app.domain.types import DomainError, NotNow, Text
from app.panel import queries as panels
from app.panel.models import Panel, Sitting
from app.programme.instruments import pin_for, stage_text
from app.programme.models import Round, Subject
from app.programme.scheme import scheme_of
from app.programme.versions import form_of
from app.scoring.models import Sheet
from app.scoring.queries import FINAL

OUT = "disqualify_no_backfill"
VERDICTS = {
    "majority": Text(
        "封存的查验表过半数为未通过的，为未通过；票数相同的不算未通过",
        "a county fails when more than half of the sealed sheets say so; a tie is not a fail",
    ),
    "any": Text("有一张封存的查验表为未通过的，为未通过", "one sealed sheet is enough to fail"),
    "all": Text(
        "封存的查验表全部为未通过的，为未通过", "a county fails when every sealed sheet says so"
    ),
}
OUTCOMES = {
    "failed": Text("未通过，取消资格，不再增补", "failed: disqualified, its place is not filled"),
    "passed": Text("通过", "passed"),
    "tied": Text("票数相同，不算未通过", "tied, which is not a fail"),
    "none": Text("没有封存的查验表，没有结论", "no sealed sheet, so no verdict"),
}
_UNKNOWN = Text(
    "方案设置 site_verdict 的值“{v}”不可用（可用：{known}）。没有汇总。",
    "The scheme's setting site_verdict has the unknown value “{v}” (known: {known}). Nothing was "
    "computed.",
)
_OPEN = Text(
    "还不能汇总，以下查验未结束：{list}。没有任何改动。",
    "It cannot be computed yet; these checks are not over: {list}. Nothing was changed.",
)
_WHERE = Text("{c}（{s}）", "{c} ({s})")
_SEAT = Text("{c}（{s}）席位 {n}", "{c} ({s}), seat {n}")


def site_checks(
    session: Session, round_: Round, running: Sequence[Subject], *, counted: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Subject id -> verdict as JSON, of the counties that a panel checked at a stage that is not
    `counted` in the total: `{stage, title, rule, outcome, votes, silent}`.

    Conflict naming every check that is not over: a verdict under way must not be left out.
    """
    found: dict[str, dict[str, Any]] = {}
    open_: list[Text] = []
    for panel in session.scalars(
        select(Panel).where(Panel.round_id == round_.id, Panel.stage.not_in(list(counted)))
    ):
        checked = {s.id: s for s in running if _is_check(round_, s, panel.stage)}
        sittings = [s for s in panel.sittings if s.subject_id in checked]
        if not sittings:
            continue
        seats = panels.seats(session, panel)
        sheets = _sheets(session, sittings)
        for sitting in sittings:
            subject, title = checked[sitting.subject_id], stage_text(panel.stage)
            own = sheets[sitting.id]
            if sitting.phase != "closed":
                open_.append(_WHERE.format(c=subject.name, s=title))
                continue
            open_ += [
                _SEAT.format(c=subject.name, s=title, n=seat.number)
                for seat in seats
                if seat.id not in own or own[seat.id].state not in FINAL
            ]
            rows = [(seat.number, own[seat.id]) for seat in seats if seat.id in own]
            found[subject.id] = {
                "stage": panel.stage,
                "title": {"zh": title.zh, "en": title.en},
                "panel": panel.code,
                **_verdict(verdict_rule(round_), rows),
            }
    if open_:
        names = Text("、".join(t.zh for t in open_), ", ".join(t.en for t in open_))
        raise NotNow(_OPEN.format(list=names), what=AGGREGATE)
    return found


def verdict_rule(round_: Round) -> str:
    """How several verdicts make one, a key of VERDICTS; the majority where the scheme is silent."""
    rule = next((s.value for s in scheme_of(round_).settings if s.id == "site_verdict"), "majority")
    if rule not in VERDICTS:
        raise DomainError(_UNKNOWN.format(v=rule, known=", ".join(VERDICTS)))
    return rule


def _is_check(round_: Round, subject: Subject, stage: str) -> bool:
    pin = pin_for(round_, stage, subject.region_class)
    return pin is not None and form_of(pin.form_version).on_fail == OUT


def _sheets(session: Session, sittings: Sequence[Sitting]) -> dict[str, dict[str, Sheet]]:
    found: dict[str, dict[str, Sheet]] = defaultdict(dict)
    for sheet in session.scalars(
        select(Sheet)
        .where(Sheet.sitting_id.in_([s.id for s in sittings]), Sheet.state != "superseded")
        .order_by(Sheet.revision)
    ):
        found[sheet.sitting_id][sheet.seat_id] = sheet
    return found


def _verdict(rule: str, rows: Sequence[tuple[int, Sheet]]) -> dict[str, Any]:
    votes, silent = [], []
    for seat, sheet in rows:
        if sheet.state != "sealed":
            silent.append({"seat": seat, "state": sheet.state})
            continue
        failed = [
            {"id": item["id"], "title": item["title"], "reason": entry.get("reason", "")}
            for item in sheet.instrument["items"]
            if item["applies"] and _fails(entry := sheet.entries.get(item["id"]) or {})
        ]
        votes.append(
            {
                "seat": seat,
                "sheet": sheet.id,
                "revision": sheet.revision,
                "receipt": sheet.receipt,
                "failed": failed,
            }
        )
    against = sum(1 for vote in votes if vote["failed"])
    return {
        "rule": rule,
        "outcome": outcome(rule, against, len(votes)),
        "votes": votes,
        "silent": silent,
    }


def _fails(entry: Mapping[str, Any]) -> bool:
    value = entry.get("value") if entry.get("type") == "mark" else None
    return isinstance(value, Mapping) and value.get("pass") is False


def outcome(rule: str, against: int, votes: int) -> str:
    """A key of OUTCOMES for `against` verdicts of "fail" among `votes`."""
    if not votes:
        return "none"
    if rule == "majority":
        return "failed" if 2 * against > votes else "tied" if 2 * against == votes else "passed"
    return "failed" if against and (rule == "any" or against == votes) else "passed"


@dataclass(frozen=True, slots=True)
class Vote:
    """One expert's verdict; `failed` the items not passed, `state` instead for a silent seat."""

    seat: int
    failed: tuple[tuple[str, Text, str], ...]
    state: str | None = None
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class CheckRow:
    """The check of one county as a run keeps it."""

    id: str
    name: Text
    title: Text
    outcome: str
    words: Text
    rule: Text
    votes: tuple[Vote, ...]
    silent: tuple[Vote, ...]

    @property
    def against(self) -> int:
        return sum(1 for vote in self.votes if vote.failed)

    @property
    def counted(self) -> Text:
        """The votes in words."""
        text = Text("{a} 张未通过，{b} 张通过", "{a} failed, {b} passed")
        return text.format(a=self.against, b=len(self.votes) - self.against)


def check_rows(counties: Mapping[str, Mapping[str, Any]]) -> list[CheckRow]:
    """Every check of a run, in the order of the counties. `counties`: a run's stored rows by id."""
    return [
        CheckRow(
            key,
            Text.of(row["name"]),
            Text.of(row["check"]["title"]),
            row["check"]["outcome"],
            OUTCOMES[row["check"]["outcome"]],
            VERDICTS[row["check"]["rule"]],
            tuple(
                Vote(
                    vote["seat"],
                    tuple((i["id"], Text.of(i["title"]), i["reason"]) for i in vote["failed"]),
                    receipt=vote["receipt"] or "",
                )
                for vote in row["check"]["votes"]
            ),
            tuple(Vote(gone["seat"], (), gone["state"]) for gone in row["check"]["silent"]),
        )
        for key, row in counties.items()
        if "check" in row
    ]

"""Marks after totals change for the listed causes only, each with a reason and a second person.

The causes are those of article 64 of the Ministry of Finance's order 87 (2017) on public tenders: once
the results are added up, nobody changes them but for an adding error, a mark out of its range, an
objective item marked unequally, or an abnormally high or low mark. A run that counts other marks or
values than the one before takes a confirmed correction of each county concerned.

No correction is needed for what is no mark: a veto, a withdrawal, the draw of a tie, a seat that left or
joined a panel, and points of a class that is put on a new scale because its counties changed. A sheet
that the supervisor leaves out, or lets in again, was decided by him with a reason (`flags.decide`): it is
an abnormal mark, and the run says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.viewer import Viewer
from app.aggregation import queries
from app.aggregation.models import Run
from app.aggregation.models_corrections import CAUSES, MarkCorrection
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, NotNow, Text
from app.ledger.append import append
from app.programme.models import Round, Subject

SHORTEST = 5  # characters of a reason
CAUSE_TEXT = {
    "adding": Text("登记、汇总差错", "an error of entering or adding up"),
    "out_of_range": Text("分数超出评分标准范围", "a mark outside its range"),
    "objective_unequal": Text("客观指标评分不一致", "an objective item marked unequally"),
    "abnormal": Text("经认定分数畸高或畸低", "a mark found abnormally high or low"),
}
SOURCE = Text(
    "财政部令第87号（2017）第六十四条",
    "Order 87 of the Ministry of Finance (2017), article 64",
)
_ABSENT = Text("没有这项更正。没有任何改动。", "There is no such correction. Nothing was changed.")
_NO_RUN = Text(
    "还没有汇总，不需要登记更正。没有任何改动。",
    "There is no run yet, so no correction is needed. Nothing was changed.",
)
_CAUSE = Text(
    "更正原因须为以下之一：{known}。没有任何改动。",
    "A correction has one of these causes: {known}. Nothing was changed.",
)
_REASON = Text(
    "请写明更正理由（至少 {n} 个字）。没有任何改动。",
    "State the reason ({n} characters or more). Nothing was changed.",
)
_OPEN = Text(
    "{c} 已有一项未用的更正。没有任何改动。",
    "{c} has a correction that was not used yet. Nothing was changed.",
)
_SAME_PERSON = Text(
    "更正须由另一人确认，登记人不能自己确认。没有任何改动。",
    "Somebody else has to confirm a correction, not who asked for it. Nothing was changed.",
)
_DONE = Text(
    "这项更正已经确认。没有任何改动。", "This correction is confirmed already. Nothing was changed."
)
_LACKING = Text(
    "汇总之后以下区县的分数或数据有变化，须先逐县登记更正原因并由另一人确认：{list}。没有汇总。",
    "Marks or values of these changed after they were added up; a correction of each, with its cause, has "
    "to be entered and confirmed by a second person first: {list}. Nothing was computed.",
)
_ONE_OF = Text("{list}（同类评分，登记其中一个）", "{list} (one scale: one of them)")


def of_round(session: Session, round_: Round) -> list[MarkCorrection]:
    """Every correction of a round, the latest first."""
    return list(
        session.scalars(
            select(MarkCorrection)
            .where(MarkCorrection.round_id == round_.id)
            .order_by(MarkCorrection.asked_at.desc(), MarkCorrection.id)
        )
    )


def of_run(session: Session, run: Run) -> list[MarkCorrection]:
    """The corrections that a run took, by county."""
    rows = session.scalars(select(MarkCorrection).where(MarkCorrection.used_run_id == run.id)).all()
    return sorted(rows, key=lambda row: row.subject.position)


def one(session: Session, round_: Round, correction_id: str) -> MarkCorrection:
    """A correction of a round by its id; NotFound."""
    row = session.get(MarkCorrection, correction_id)
    if row is None or row.round_id != round_.id:
        raise NotFound(_ABSENT)
    return row


def to_confirm(session: Session, viewer: Viewer) -> list[Round]:
    """Live rounds with a correction that waits for the viewer's yes."""
    return list(
        session.scalars(
            select(Round)
            .where(
                Round.phase == "open",
                Round.id.in_(
                    select(MarkCorrection.round_id).where(
                        MarkCorrection.confirmed_at.is_(None),
                        MarkCorrection.asked_by.is_distinct_from(viewer.id),
                    )
                ),
            )
            .order_by(Round.slug)
        )
    )


def ask(
    session: Session,
    actor: Viewer | None,
    *,
    round: Round,
    subject_id: str,
    cause: str,
    reason: str,
) -> MarkCorrection:
    """The office says why a county's marks differ from those that were added up."""
    if actor:
        actor.require("office")
    last = queries.last_run(session, round)
    if last is None:
        raise NotNow(_NO_RUN)
    subject = session.get(Subject, subject_id)
    if subject is None or subject.round_id != round.id:
        raise NotFound(_ABSENT)
    if cause not in CAUSES:
        raise DomainError(_CAUSE.format(known=_listed(CAUSE_TEXT.values())), field="cause")
    text = reason.strip()[:2000]
    if len(text) < SHORTEST:
        raise DomainError(_REASON.format(n=SHORTEST), field="reason")
    if any(row.subject_id == subject_id for row in _unused(session, round)):
        raise Conflict(_OPEN.format(c=subject.name))
    row = MarkCorrection(
        round_id=round.id, run_id=last.id, run=last, subject_id=subject.id, subject=subject,
        cause=cause, reason=text, asked_by=actor.id if actor else None, asked_at=clock.now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    append(
        session, actor, "mark.correction_asked",
        round=round.id, run=last.id, correction=row.id, subject=subject.id, cause=cause,
    )  # fmt: skip
    return row


def confirm(session: Session, actor: Viewer | None, *, row: MarkCorrection) -> None:
    """A second person, of the office or the supervisor, confirms; the next run may take it."""
    if actor:
        actor.require("office", "supervisor")
    if row.confirmed_at is not None:
        raise Conflict(_DONE)
    if actor is not None and actor.id == row.asked_by:
        raise Forbidden(_SAME_PERSON)
    row.confirmed_by, row.confirmed_at = actor.id if actor else None, clock.now()
    append(session, actor, "mark.correction_confirmed", round=row.round_id, correction=row.id)


def taken(
    session: Session, round_: Round, before: Mapping[str, Any], now: Mapping[str, Any]
) -> tuple[list[MarkCorrection], list[dict[str, Any]]]:
    """The corrections that a run with these inputs takes, and every cause as the run keeps it:
    `{county, cause}` with `correction` or the supervisor's `decision`. DomainError naming the counties
    whose change nobody accounted for."""
    single, scales = touched(before, now)
    found = {
        row.subject.region_code: row
        for row in _unused(session, round_)
        if row.confirmed_at is not None
    }
    names = {row["id"]: Text.of(row["name"]) for row in now["subjects"]}
    lacking = [names[key] for key in names if key in single - found.keys()]
    for scale in scales:
        if not scale & found.keys() and not scale & single:
            lacking.append(_ONE_OF.format(list=_listed(names[k] for k in names if k in scale)))
    if lacking:
        raise DomainError(_LACKING.format(list=_listed(lacking)), field="note")
    wanted = single.union(*scales)
    used = [row for key, row in sorted(found.items()) if key in wanted]
    said: list[dict[str, Any]] = [
        {"county": row.subject.region_code, "cause": row.cause, "correction": row.id}
        for row in used
    ]
    return used, said + _decided(before, now)


def touched(
    before: Mapping[str, Any], now: Mapping[str, Any]
) -> tuple[set[str], list[frozenset[str]]]:
    """(counties whose own marks or values differ, groups whose points moved together on the scale of
    their class), of two runs' inputs. Derived totals are left aside: what made them differ is counted."""
    old = {row["id"]: row for row in before["subjects"]}
    scale_of = _scales(now)
    unmoved = _scales(before)
    single: set[str] = set()
    moved: dict[tuple[str, str], set[str]] = {}
    for row in now["subjects"]:
        was = old.get(row["id"])
        if was is None or was["vetoed"] or row["vetoed"]:
            continue
        if was["adjust"] != row["adjust"]:
            single.add(row["id"])
        for stage, part in row["stages"].items():
            past = was["stages"].get(stage, {})
            if part.get("value") != past.get("value"):
                single.add(row["id"])
            scale = scale_of.get((stage, row["id"]))
            items = frozenset() if scale is None else scale[2]
            own, on_scale = _differ(past.get("sheets", {}), part.get("sheets", {}), items)
            if own:
                single.add(row["id"])
            # A class whose counties changed is put on a new scale: nobody corrected anything there.
            if on_scale and scale is not None and unmoved.get((stage, row["id"])) == scale:
                moved.setdefault((stage, scale[0]), set()).add(row["id"])
    return single, [frozenset(found) for found in moved.values()]


def _differ(
    old: Mapping[str, Any], new: Mapping[str, Any], scaled: frozenset[str]
) -> tuple[bool, bool]:
    """(own marks differ, points on a class's scale differ) over the seats that both runs counted."""
    own = on_scale = False
    for label in old.keys() & new.keys():
        a, b = old[label], new[label]
        if (a.get("decision"), b.get("decision")) != (None, None):
            continue  # the supervisor left it out, or lets it count again
        own = own or (a["state"], a["revision"]) != (b["state"], b["revision"])
        for item in a["items"].keys() | b["items"].keys():
            if a["items"].get(item) != b["items"].get(item):
                own, on_scale = own or item not in scaled, on_scale or item in scaled
    return own, on_scale


def _scales(inputs: Mapping[str, Any]) -> dict[tuple[str, str], tuple[str, frozenset[str], frozenset[str]]]:  # fmt: skip
    """(stage, county) -> (class, its counties, the items on its scale)."""
    return {
        (row["stage"], county): (row["class"], frozenset(row["members"]), frozenset(row["items"]))
        for row in inputs.get("frames", ())
        for county in row["members"]
    }


def _decided(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The supervisor's decisions that make the runs differ."""
    one, two = _decisions(before), _decisions(now)
    return [
        {"county": county, "cause": "abnormal", "decision": decision}
        for county, decision in sorted(one ^ two)
    ]


def _decisions(inputs: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {
        (row["id"], sheet["decision"])
        for row in inputs["subjects"]
        for part in row["stages"].values()
        for sheet in part.get("sheets", {}).values()
        if "decision" in sheet
    }


def _unused(session: Session, round_: Round) -> list[MarkCorrection]:
    return [row for row in of_round(session, round_) if row.used_run_id is None]


def _listed(texts: Iterable[Text]) -> Text:
    rows = list(texts)
    return Text("、".join(t.zh for t in rows), ", ".join(t.en for t in rows))

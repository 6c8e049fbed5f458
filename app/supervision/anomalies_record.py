"""Anomalies of the record around the draws: clock, roles, unmasked phones, envelopes, late conflicts."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import RoleGrant
from app.accounts.queries import renewed_staff
from app.accounts.viewer import ROLE_TEXT
from app.directory.models import Person
from app.domain.types import Text
from app.draw.models import TRAINEE_ACT, Draw, Seat
from app.ledger.models import Event, Secret, SignedHead
from app.ledger.restored import RESTORED
from app.panel.models import Challenge, Declaration, Panel
from app.programme.models import Subject
from app.registry.models import Interest
from app.supervision.definitions import HELD, PHONES, ROLE_DAYS, SKEW, STAFF_DAYS, Anomaly
from app.supervision.queries_draws import account_names

STAFF = ("supervisor", "admin")
UNMASKED = ("person.revealed", "draw.phones_unmasked")  # one person; a call sheet's seats


def find(session: Session, notes: dict[str, Text], present: dict[str, Text]) -> Iterator[Anomaly]:
    """All of them; thirteen queries, whatever the rows. `notes` hears what cannot be answered,
    `present` how far an answer reaches."""
    names = account_names(session)
    present["restore"] = Text(
        "复制数据库文件不留记录：请用“核对纸面”页核对纸面账本头",
        "database files copied by hand leave no entry: compare a printed head",
    )
    yield from _restores(session)
    yield from _clock(session)
    yield from _recoveries(session, names)
    yield from _renewed(session)
    yield from _phones(session, names)
    yield from _roles(session)
    yield from _late_conflicts(session)


def _clock(session: Session) -> Iterator[Anomaly]:
    """Runs of entries at one instant, and heads that were signed before what they cover."""
    at: dict[int, str] = {}
    run, before = 1, ""
    runs: list[tuple[int, int, str]] = []
    for seq, payload in session.execute(select(Event.seq, Event.payload).order_by(Event.seq)):
        now = str(json.loads(payload).get("at", ""))
        if not now:  # sealed: its time is not shown
            continue
        at[seq] = now
        if now == before:
            run += 1
            continue
        if run >= HELD:
            runs.append((seq, run, before))
        run, before = 1, now
    if run >= HELD:
        runs.append((max(at, default=0) + 1, run, before))
    if runs:
        longest = max(runs, key=lambda x: x[1])
        yield Anomaly(
            "clock",
            Text(
                f"{len(runs)} 处时钟停滞；最长一处在第 {longest[0]} 条之前，{longest[1]} 条记录同为 "
                f"{longest[2][:19].replace('T', ' ')} UTC",
                f"the clock stood still {len(runs)} time(s); the longest before entry {longest[0]}: "
                f"{longest[1]} entries at {longest[2][:19].replace('T', ' ')} UTC",
            ),
            "supervision.ledger",
            weight=longest[1],
        )
    early = 0
    for size, made_at in session.execute(select(SignedHead.size, SignedHead.made_at)):
        last = at.get(size - 1)
        early += bool(last) and clock.stamp(made_at + timedelta(seconds=SKEW)) < (last or "")
    if early:
        yield Anomaly(
            "clock",
            Text(
                f"{early} 个检查点的时间早于其最后一条记录",
                f"{early} signed head(s) bear a time before their last entry",
            ),
            "supervision.ledger",
            weight=early,
        )


def _recoveries(session: Session, names: dict[str, str]) -> Iterator[Anomaly]:
    rows = session.scalars(
        select(Event.payload).where(Event.payload.contains('"kind":"envelope.used"'))
    )
    for payload in rows:
        body = json.loads(payload)
        if body["kind"] == "envelope.used":
            who = names.get(body["data"]["account"], "?")
            when = body["at"][:16].replace("T", " ")
            yield Anomaly(
                "recovery",
                Text(
                    f"{who} 的密封信封于 {when} UTC 启用",
                    f"the sealed envelope of {who} was used on {when} UTC",
                ),
                "accounts.index",
            )


def _renewed(session: Session) -> Iterator[Anomaly]:
    """Renewals by an administrator alone: he may have kept the link for himself."""
    for row, account, by, used in renewed_staff(session):
        when = clock.stamp(used or row.proposed_at)[:16].replace("T", " ")
        done = ("链接于 {t} UTC 使用", "the link was used on {t} UTC")
        made = ("链接于 {t} UTC 生成，未使用", "its link was made on {t} UTC and not used")
        said = Text(*(done if used else made)).format(t=when)
        seen = (
            Text("", "")
            if row.seen_at
            else Text("；监督人员尚未核实", "; no supervisor has checked it")
        )
        yield Anomaly(
            "renewed",
            Text(
                f"{account.person.name} 的账号由 {by.person.name} 恢复，{said.zh}{seen.zh}",
                f"the account of {account.person.name} was recovered by {by.person.name}, {said.en}{seen.en}",
            ),
            "accounts.index",
            weight=0 if row.seen_at else 1,
        )


def _restores(session: Session) -> Iterator[Anomaly]:
    """Every `installation.restored`: what came after the backup's head is gone."""
    rows = session.execute(
        select(Event.seq, Event.payload).where(Event.payload.contains(f'"kind":"{RESTORED}"'))
    )
    for seq, payload in rows:
        body = json.loads(payload)
        if body["kind"] != RESTORED:
            continue
        data = body["data"]
        when, size = data["restored_at"][:16].replace("T", " "), data["head"].split(":")[1]
        yield Anomaly(
            "restore",
            Text(
                f"{when} UTC 由备份恢复到 {size} 条（备份文件 {data['file_sha256'][:16]}…，第 {seq} 条）："
                "备份以后的记录已不在",
                f"restored on {when} UTC to {size} entries (backup {data['file_sha256'][:16]}…, entry "
                f"{seq}): whatever was recorded after the backup is gone",
            ),
            "supervision.inclusion",
            {"seq": seq},
            seq,
        )


def _phones(session: Session, names: dict[str, str]) -> Iterator[Anomaly]:
    """Looks at unmasked data by account: only how many, never whose."""
    rows = session.scalars(
        select(Secret.body).where(
            or_(*(Secret.body.contains(f'"kind":"{kind}"') for kind in UNMASKED))
        )
    )
    whole: Counter[str] = Counter()
    days: dict[str, Counter[str]] = defaultdict(Counter)
    for text in rows:
        body = json.loads(text)
        if body.get("kind") not in UNMASKED:
            continue
        who, seen = names.get(body["actor"] or "", "?"), body["data"].get("seats", 1)
        whole[who] += seen
        days[who][body["at"][:10]] += seen
    for who, n in whole.items():
        day, most = days[who].most_common(1)[0]
        many = most >= PHONES
        yield Anomaly(
            "phones",
            Text(
                f"{who} 查看完整信息 {n} 次，最多一日 {most} 次（{day}）"
                + ("，偏多" if many else ""),
                f"{who} unmasked {n} record(s), {most} on {day}, the most on one day"
                + (": many" if many else ""),
            ),
            "registry.index",
            weight=n + (1000 if many else 0),
        )


def _roles(session: Session) -> Iterator[Anomaly]:
    rows = session.execute(
        select(RoleGrant.person_id, RoleGrant.role, RoleGrant.since, RoleGrant.until, Person.name)
        .join(Person, Person.id == RoleGrant.person_id)
        .order_by(RoleGrant.person_id, RoleGrant.since, RoleGrant.id)
    ).all()
    recent = clock.now() - timedelta(days=STAFF_DAYS)
    before: Any = None
    for row in rows:
        role = ROLE_TEXT[row.role]
        if before is not None and before.person_id == row.person_id and before.role != row.role:
            ended = before.until or row.since
            if row.since - ended <= timedelta(days=ROLE_DAYS):
                old, day = ROLE_TEXT[before.role], row.since.strftime("%Y-%m-%d")
                yield Anomaly(
                    "roles",
                    Text(
                        f"{row.name} 于 {day} 由“{old.zh}”改任“{role.zh}”",
                        f"{row.name} went from {old.en} to {role.en} on {day}",
                    ),
                    "accounts.index",
                    weight=row.role in STAFF,
                )
        if row.role in STAFF and row.since >= recent:
            day = row.since.strftime("%Y-%m-%d")
            yield Anomaly(
                "staff",
                Text(f"{row.name} 于 {day} 任“{role.zh}”", f"{row.name}: {role.en} since {day}"),
                "accounts.index",
            )
        before = row


def _late_conflicts(session: Session) -> Iterator[Anomaly]:
    """Per draw: how many of its drawn experts turned out to have a conflict afterwards."""
    draws = {
        row.id: row
        for row in session.execute(
            select(Draw.id, Draw.stage, Draw.attempt, Draw.drawn_at, Draw.request).where(
                Draw.state == "completed"
            )
        )
    }
    seats = {
        row.id: row
        for row in session.execute(
            select(Seat.id, Seat.draw_id, Seat.expert_id).where(Seat.act > TRAINEE_ACT)
        )
        if row.draw_id in draws
    }
    codes = dict(session.execute(select(Subject.id, Subject.region_code)).all())
    late: dict[str, Counter[str]] = defaultdict(Counter)
    signed = session.execute(
        select(Declaration.seat_id, Declaration.answers)
        .join(Panel, Panel.id == Declaration.panel_id)
        .where(Declaration.kind == "conflict")
    )
    for seat_id, answers in signed:
        if seat_id in seats and any(value is True for value in answers.values()):
            late[seats[seat_id].draw_id]["ticked"] += 1
    for (seat_id,) in session.execute(
        select(Challenge.seat_id).where(Challenge.decision == "upheld")
    ):
        if seat_id in seats:
            late[seats[seat_id].draw_id]["challenged"] += 1
    sits: dict[str, set[str]] = defaultdict(set)
    for seat in seats.values():
        sits[seat.expert_id].add(seat.draw_id)
    declared = session.execute(
        select(Interest.expert_id, Interest.region_code, Interest.declared_at).where(
            Interest.status.in_(("declared", "upheld"))
        )
    )
    for expert, region, moment in declared:
        for draw_id in sits.get(expert, ()):
            draw = draws[draw_id]
            counties = {codes.get(s) for p in draw.request["panels"] for s in p["subjects"]}
            about = region is None or region in counties
            late[draw_id]["declared"] += (
                about and draw.drawn_at is not None and moment > draw.drawn_at
            )
    for draw_id, by in late.items():
        if by.total():
            draw = draws[draw_id]
            yield Anomaly(
                "late_conflict",
                Text(
                    f"{draw.stage} 抽取（第 {draw.attempt} 次）之后：签署时勾选 {by['ticked']}，"
                    f"事后申报 {by['declared']}，回避成立 {by['challenged']}",
                    f"after the {draw.stage} draw (attempt {draw.attempt}): {by['ticked']} ticked on "
                    f"signing, {by['declared']} declared later, {by['challenged']} challenge(s) upheld",
                ),
                "supervision.draw",
                {"draw_id": draw_id},
                by.total(),
            )

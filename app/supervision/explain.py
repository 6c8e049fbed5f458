"""Why may somebody open a page, or why not: read from the declarations that the access check itself uses.

There is no second list: who may call an endpoint is `app.ui.access.policy`, asked here as the guard of
every request asks it; roles and duties are the rows that the rooms' own queries look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import Account, RoleGrant
from app.accounts.viewer import ROLE_TEXT, Viewer
from app.directory.models import Person
from app.domain.types import NotFound, Text
from app.draw.messages import PARTY, word
from app.draw.models import Draw, Party, Seat
from app.draw.models_calls import DrawDisclosure
from app.panel.models import Panel
from app.panel.models_trainees import Trainee
from app.programme.instruments import stage_text
from app.programme.models import Round, Subject
from app.registry.models import Expert
from app.ui import access

READERS = ("supervisor", "admin")
ORDER = ("office", "keeper", "supervisor", "expert", "presenter", "admin")
SORTS = ("page", "endpoint", "roles", "methods")
ROOM: dict[str, Text] = {
    "accounts": Text("账号", "Accounts"),
    "aggregation": Text("汇总", "Aggregation"),
    "ceremony": Text("抽取仪式", "Ceremony"),
    "directory": Text("名录", "Directory"),
    "eligibility": Text("专家资格", "Eligibility"),
    "field": Text("现场评分", "Field scoring"),
    "field_desk": Text("签到处与平板", "Check-in desk and tablets"),
    "form_paper": Text("空白表格", "Blank forms"),
    "trust": Text("安装证书", "Certificate"),
    "draw": Text("抽取", "Draw"),
    "device": Text("本人设备", "Own device"),
    "home": Text("首页", "Home"),
    "panel": Text("专家组", "Panels"),
    "pool": Text("专家库", "Pool"),
    "programme": Text("届次", "Rounds"),
    "registry": Text("专家库", "Pool"),
    "report": Text("报告", "Report"),
    "scoring": Text("评分", "Scoring"),
    "static": Text("静态文件", "Static files"),
    "supervision": Text("监督", "Supervision"),
    "ui": Text("界面", "Interface"),
    "verifiers": Text("核验程序", "Verifiers"),
}
ABSENT = Text("没有这个账号或页面。", "There is no such account or page.")


@dataclass(frozen=True, slots=True)
class Page:
    """One endpoint as it is declared."""

    endpoint: str
    rule: str
    methods: tuple[str, ...]
    allowed: frozenset[str]
    objects: tuple[str, ...]  # ids in the address beside the round: their owner is asked for too
    says: str  # first sentence of the view's docstring

    @property
    def public(self) -> bool:
        return self.allowed == access.PUBLIC

    @property
    def room(self) -> Text:
        name = self.endpoint.partition(".")[0]
        return ROOM.get(name, Text.of(name))

    def may(self, role: str) -> bool:
        return self.public or role in self.allowed


def pages(app: Flask, *, search: str = "", sort: str = "endpoint") -> list[Page]:
    """Every endpoint that the application answers, from its own map of addresses."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        found.append(
            Page(
                rule.endpoint,
                rule.rule,
                tuple(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})),
                access.policy(app, rule.endpoint),
                tuple(sorted(set(rule.arguments) - {"slug", "token", "filename"})),
                (view.__doc__ or "").strip().partition("\n")[0],
            )
        )
    wanted = search.strip().lower()
    if wanted:
        found = [
            page for page in found
            if wanted in " ".join(
                (page.endpoint, page.rule, page.says, page.room.zh, page.room.en)
            ).lower()
        ]  # fmt: skip
    name = sort.lstrip("-")
    key: dict[str, Any] = {
        "page": lambda p: (p.rule, p.endpoint),
        "endpoint": lambda p: p.endpoint,
        "roles": lambda p: (7 if p.public else len(p.allowed), p.endpoint),
        "methods": lambda p: (p.methods, p.endpoint),
    }
    return sorted(found, key=key.get(name, key["endpoint"]), reverse=sort.startswith("-"))


@dataclass(frozen=True, slots=True)
class Standing:
    """What one account is at present: role, past roles, duties and what is his."""

    account_id: str
    name: str
    login: str
    active: bool
    role: str | None
    since: datetime | None
    past: list[tuple[str, datetime, datetime]]
    duties: list[Text]


@dataclass(frozen=True, slots=True)
class Verdict:
    """May he, and why: each reason on its own line."""

    page: Page
    allowed: bool
    reasons: list[Text]


def accounts(session: Session, viewer: Viewer) -> list[tuple[str, str, str | None]]:
    """(account id, "name (login)", live role) of everybody, by name."""
    viewer.require(*READERS)
    rows = session.execute(
        select(Account.id, Person.name, Account.login, RoleGrant.role)
        .join(Person, Person.id == Account.person_id)
        .outerjoin(
            RoleGrant, (RoleGrant.person_id == Account.person_id) & RoleGrant.until.is_(None)
        )
        .order_by(Person.name, Account.login)
    )
    return [(row[0], f"{row[1]} ({row[2]})", row[3]) for row in rows]


def standing(session: Session, viewer: Viewer, account_id: str) -> Standing:
    """Roles and duties of one account; NotFound. Duties are told to a supervisor alone, since a seat
    may be sealed for everybody else."""
    viewer.require("supervisor")
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound(ABSENT)
    grants = list(
        session.scalars(
            select(RoleGrant)
            .where(RoleGrant.person_id == account.person_id)
            .order_by(RoleGrant.since)
        )
    )
    live = next((g for g in grants if g.until is None), None)
    return Standing(
        account.id,
        account.person.name,
        account.login,
        account.active,
        live.role if live else None,
        live.since if live else None,
        [(g.role, g.since, g.until) for g in grants if g.until is not None],
        _duties(session, account),
    )


def _duties(session: Session, account: Account) -> list[Text]:
    found: list[Text] = []
    seats = session.execute(
        select(Round.title_zh, Round.title_en, Panel.stage, Panel.code, Seat.number, Panel.leader_seat_id,
               Seat.id, DrawDisclosure.sealed, DrawDisclosure.opened_at)
        .join(Draw, Draw.id == Seat.draw_id)
        .join(Panel, (Panel.draw_id == Draw.id) & (Panel.code == Seat.panel))
        .join(Round, Round.id == Panel.round_id)
        .join(Expert, Expert.id == Seat.expert_id)
        .outerjoin(DrawDisclosure, DrawDisclosure.draw_id == Draw.id)
        .where(Expert.person_id == account.person_id, Seat.state != "removed")
        .order_by(Round.slug, Panel.code)
    )  # fmt: skip
    for zh, en, stage, code, number, leader, seat_id, sealed, opened in seats:
        if sealed and opened is None:
            continue
        leads = leader == seat_id
        found.append(
            Text(
                f"{zh} {stage_text(stage).zh} {code} 组第 {number} 席"
                + ("，组长" if leads else ""),
                f"{en}, {stage_text(stage).en}, seat {number} of {code}"
                + (", leader" if leads else ""),
            )
        )
    along = session.scalars(
        select(Trainee)
        .join(Seat, Seat.id == Trainee.seat_id)
        .join(Expert, Expert.id == Seat.expert_id)
        .where(Expert.person_id == account.person_id, Trainee.ended_at.is_(None))
        .order_by(Trainee.appointed_at, Trainee.id)
    )
    found += [
        Text(
            f"{row.panel.round.title_zh} {row.panel.code} 组见习，不计入",
            f"{row.panel.round.title_en}, trainee of {row.panel.code}, does not count",
        )
        for row in along
    ]
    recorded = session.execute(
        select(Round.title_zh, Round.title_en, Panel.code)
        .join(Round, Round.id == Panel.round_id)
        .where(Panel.recorder_id == account.id)
    )
    found += [
        Text(f"{zh} {code} 组记录员", f"{en}, recorder of {code}") for zh, en, code in recorded
    ]
    presents = session.execute(
        select(Round.title_zh, Round.title_en, Subject)
        .join(Round, Round.id == Subject.round_id)
        .where(Subject.presenter_id == account.person_id)
    )
    for zh, en, subject in presents:
        found.append(
            Text(f"{zh}：{subject.name.zh} 的陈述人", f"{en}: presenter of {subject.name.en}")
        )
    held = session.execute(
        select(Round.title_zh, Round.title_en, Draw.stage, Party.name)
        .join(Draw, Draw.id == Party.draw_id)
        .join(Round, Round.id == Draw.round_id)
        .where(Party.account_id == account.id, Draw.state.in_(("draft", "committed", "cosigned")))
    )
    found += [
        Text(
            f"{zh} {stage_text(stage).zh}抽取：{word(PARTY, name).zh}的口令链",
            f"{en}, {stage_text(stage).en}, draw: the chain of {word(PARTY, name).en}",
        )
        for zh, en, stage, name in held
    ]
    return found


def verdict(app: Flask, person: Standing, endpoint: str) -> Verdict:
    """The decision of the access check for this person and endpoint, with its reasons. NotFound."""
    page = next((p for p in pages(app) if p.endpoint == endpoint), None)
    if page is None:
        raise NotFound(ABSENT)
    zh = "、".join(ROLE_TEXT[r].zh for r in ORDER if r in page.allowed)
    en = ", ".join(ROLE_TEXT[r].en for r in ORDER if r in page.allowed)
    reasons = [
        Text("页面对任何人开放，不需登录。", "The page is open to anybody, signed in or not.")
        if page.public
        else Text(f"页面声明的角色：{zh}。", f"The page names these roles: {en}.")
    ]
    usable = person.active and person.role is not None
    if page.public:
        return Verdict(page, True, reasons)
    if not person.active:
        reasons.append(Text("账号已停用，不能登录。", "The account is switched off: no sign-in."))
    if person.role is None:
        reasons.append(Text("目前没有任何角色。", "There is no role at present."))
    else:
        role = ROLE_TEXT[person.role]
        inside = person.role in page.allowed
        reasons.append(
            Text(
                f"目前角色是“{role.zh}”，{'在' if inside else '不在'}其中。",
                f"The present role is {role.en}, which is {'one' if inside else 'none'} of them.",
            )
        )
    allowed = usable and person.role in page.allowed
    if allowed and page.objects:
        names = ", ".join(page.objects)
        reasons.append(
            Text(
                f"地址中还有对象（{names}）：页面另查该对象是否归其所有或所在，不属于的与不存在的一样（404）。",
                f"The address also names an object ({names}): the page asks whether it is his to see; "
                "what is not his looks like what does not exist (404).",
            )
        )
    if allowed and "<slug>" in page.rule:
        reasons.append(
            Text(
                "页面属于某一届次：只有其可见的届次才能打开。",
                "The page belongs to a round: only rounds that he may see can be opened.",
            )
        )
    return Verdict(page, allowed, reasons)

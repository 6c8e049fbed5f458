"""Every refused attempt at a draw, in the ledger: who, at which draw, what, and why it was refused.

A refusal rolls its request back, so the record is a transaction of its own afterwards
(`refusals_watch`). It holds codes alone, nothing of what was typed. A hundred within fifteen minutes
close the draw room to that account until they are over: what it sends then is not looked at, is
counted, and the count enters the ledger at most once a minute. So no attempt is lost, and nobody
fills the disk with attempts. docs/draw-protocol.md section 14.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import Throttle
from app.accounts.throttling import count_failure, locked
from app.accounts.viewer import Viewer
from app.domain.types import Conflict, DomainError, Forbidden, NotFound, Text
from app.draw.models import Draw
from app.draw.models_ceremony import ObserverLink
from app.draw.models_refusals import DrawRefusal
from app.ledger import prove
from app.ledger.append import append
from app.programme.models import Round

EVENT = "draw.attempt_refused"
LIMIT = 100  # refused attempts of one account within `throttling.LOCK`
PAUSE = timedelta(minutes=1)  # between two entries that count what was turned away
STAFF = frozenset({"office", "keeper", "supervisor", "admin"})

REASONS: Mapping[str, Text] = {
    "purpose": Text("该事项已有抽取", "this purpose has its draw"),
    "state": Text("当前状态不允许", "the state does not allow it"),
    "role": Text("角色无权办理", "not for this role"),
    "unknown": Text("对象不存在或不对其开放", "no such thing, or not open to them"),
    "code": Text("口令不符", "the code does not fit"),
    "password": Text("密码不对", "wrong password"),
    "signature": Text("签名不符", "the signature does not fit"),
    "input": Text("输入不符合要求", "the input does not fit"),
    "limit": Text("次数过多，未予受理", "too many: turned away unseen"),
    "failed": Text("系统未能执行", "the system did not carry it out"),
}
# A slip of the pen; every other reason says that somebody tried what he may not do.
SLIPS = ("input", "password", "failed")
ACTS: Mapping[str, Text] = {
    "new": Text("申请抽取", "request a draw"),
    "new_order": Text("申请抽定顺序", "request an order draw"),
    "settle_tie": Text("申请抽定并列名次", "request the draw of a tie"),
    "edit": Text("修改申请", "change the request"),
    "save_template": Text("存为模板", "save as a template"),
    "call_sheet_with_phones": Text(
        "打印带完整电话的登记表", "print the call sheet with whole numbers"
    ),
    "what_if": Text("试算", "compute the what-if"),
    "relax": Text("采用放宽方案", "apply a relaxation"),
    "commit": Text("提交承诺", "commit"),
    "party": Text("登记口令链", "register a chain"),
    "observer_link": Text("发出见证人链接", "make the observer's link"),
    "observe_chain": Text("见证人登记口令链", "register the observer's chain"),
    "observe_code": Text("见证人出示口令", "reveal the observer's code"),
    "choose_disclosure": Text("选定公开方式", "choose the disclosure"),
    "cosign": Text("会签", "cosign"),
    "full_opening": Text("取得完整开启材料", "take the full opening"),
    "dice": Text("录入随机数值", "type the values"),
    "dice_save": Text("录入随机数值", "type the values"),
    "source_failed": Text("登记来源未产生", "say that a source did not come about"),
    "dice_photo": Text("附上照片", "attach a photograph"),
    "code": Text("出示口令", "reveal a code"),
    "complete": Text("完成抽取", "complete the draw"),
    "abort": Text("中止", "abort"),
    "plan": Text("拟定通知计划", "make the call plan"),
    "contact": Text("记录联系", "record a call"),
    "confirm": Text("确认席位", "confirm a seat"),
    "name": Text("查看姓名", "look at a name"),
    "letter": Text("打印通知书", "print a letter"),
    "publish_names": Text("公布名单", "publish the names"),
    "removals": Text("登记更换", "record removals"),
    "act_cosign": Text("更换会签", "cosign removals"),
    "act_code": Text("出示补抽口令", "reveal a code of an act"),
    "act_complete": Text("完成补抽", "complete an act"),
    "supplement": Text("申请补充抽取", "request a supplementary draw"),
    "second_ask": Text("申请再次抽取", "ask for a second draw"),
    "second_decide": Text("决定再次抽取", "decide on a second draw"),
    "rule": Text("修改规则", "change a rule"),
    "exemption": Text("记录豁免", "record an exemption"),
    "end_exemption": Text("取消豁免", "end an exemption"),
}


def reason_of(error: DomainError | None, status: int) -> str:
    """The code of a refusal; `status` decides where nothing of the draw was raised."""
    match error:
        case None:
            return {403: "role", 404: "unknown", 409: "state"}.get(
                status, "input" if status < 500 else "failed"
            )
        case Forbidden():
            return "role"
        case NotFound():
            return "unknown"
        case DomainError(field="purpose" | "code" | "password" | "signature"):
            return str(error.field)
        case Conflict():
            return "state"
        case _:
            return "input"


def turned_away(session: Session, who: str) -> bool:
    """Whether the account (or observer's link) `who` has had its hundred."""
    return locked(session, f"refused:{who}")


def record(
    session: Session,
    actor: Viewer | None,
    *,
    act: str,
    reason: str,
    draw_id: str | None = None,
    slug: str | None = None,
    link_id: str | None = None,
) -> DrawRefusal | None:
    """One refused attempt, with how many of the same account were turned away since the last entry;
    None for one turned away that a later entry will count.

    `draw_id` and `slug` are as they stood in the address: what does not exist is left out.
    """
    who, now = (actor.id if actor else None) or str(link_id), clock.now()
    waiting = session.get(Throttle, f"turned:{who}")
    if reason != "limit":
        count_failure(session, f"refused:{who}", LIMIT)
    elif waiting is not None and now - waiting.since < PAUSE:
        waiting.failures += 1
        return None
    away = (waiting.failures if waiting else 0) + (reason == "limit")
    if reason == "limit":
        if waiting is None:
            waiting = Throttle(key=f"turned:{who}", failures=0, since=now)
            session.add(waiting)
        waiting.failures, waiting.since = 0, now
    elif waiting is not None:
        session.delete(waiting)
    draw = session.get(Draw, draw_id) if draw_id else None
    round_id = draw.round_id if draw else None
    if round_id is None and slug is not None:
        round_id = session.scalar(select(Round.id).where(Round.slug == slug))
    row = DrawRefusal(
        round_id=round_id,
        draw_id=draw.id if draw else None,
        actor_id=actor.id if actor else None,
        link_id=link_id if link_id and session.get(ObserverLink, link_id) else None,
        act=act,
        reason=reason,
        turned_away=away,
        seq=prove.head(session).size,
        at=now,
    )
    session.add(row)
    told = {
        "draw": row.draw_id,
        "round": row.round_id,
        "link": row.link_id,
        "act": act,
        "reason": reason,
        "turned_away": away,
    }
    append(
        session,
        actor,
        EVENT,
        sealed=actor is not None and actor.role not in STAFF,  # an expert's activity is his own
        **{key: value for key, value in told.items() if value is not None},
    )
    return row


def of_draw(session: Session, draw: Draw) -> list[DrawRefusal]:
    """Those at one draw, and those in its round that name none (a second one asked for), newest
    first; one query."""
    return list(
        session.scalars(
            select(DrawRefusal)
            .where(
                (DrawRefusal.draw_id == draw.id)
                | ((DrawRefusal.draw_id.is_(None)) & (DrawRefusal.round_id == draw.round_id))
            )
            .order_by(DrawRefusal.seq.desc())
        )
    )

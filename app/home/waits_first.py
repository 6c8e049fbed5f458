"""The first steps of a new installation and of a new round: what has to begin before anything waits.

Everything here is empty again as soon as it has been done once, so a running office never sees it.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import RoleGrant
from app.accounts.queries import supervisor_exists
from app.accounts.viewer import Viewer
from app.domain.types import Text
from app.draw.models import ORDER_STAGES, Draw, Party
from app.draw.models_ceremony import DeviceKey
from app.home.wait import Wait, count_of
from app.panel.models import Panel, Sitting
from app.programme.models import FormPin, FormVersion, Round
from app.registry.models import Expert


def admin_waits(session: Session, viewer: Viewer) -> list[Wait]:
    """Forms to sign, and the roles that nobody holds yet."""
    found = []
    pinned = select(FormPin.form_version_id)
    n = count_of(
        session,
        select(FormVersion.id).where(FormVersion.signed_by.is_(None), FormVersion.id.in_(pinned)),
    )
    if n:
        found.append(
            Wait(
                Text("个在用表格版本待确认签署", "form versions in use await your signature"),
                "programme.forms",
                n=n,
            )
        )
    held = set(session.scalars(select(RoleGrant.role).distinct()))
    if not supervisor_exists(session):
        text = Text("还没有监督人员：请邀请", "There is no supervisor yet: invite one")
        found.append(Wait(text, "accounts.index"))
    if "office" not in held:
        text = Text(
            "还没有创建办公室人员：请邀请", "Nobody of the programme office yet: invite one"
        )
        found.append(Wait(text, "accounts.index"))
    if "keeper" not in held:
        text = Text("还没有专家库管理员：请邀请", "There is no pool keeper yet: invite one")
        found.append(Wait(text, "accounts.index"))
    return found


def empty_pool(session: Session) -> list[Wait]:
    """The keeper of a pool without anybody."""
    if session.scalar(select(Expert.id).limit(1)) is not None:
        return []
    text = Text("专家库还是空的：从表格导入专家", "The pool is empty: import the experts")
    return [Wait(text, "registry.import_file")]


def no_round(session: Session) -> list[Wait]:
    """The office of an installation without a round."""
    if session.scalar(select(Round.id).limit(1)) is not None:
        return []
    text = Text("还没有届次：新建第一届", "There is no round yet: make the first one")
    return [Wait(text, "programme.new_round")]


def next_of_round(session: Session, round_: Round) -> list[Wait]:
    """An open round without a draw, or with panels none of whose sittings has begun."""
    at = {"slug": round_.slug}
    if round_.phase != "open":
        return []
    drawn = select(Draw.id).where(
        Draw.round_id == round_.id, Draw.state != "aborted", Draw.stage.not_in(ORDER_STAGES)
    )
    if session.scalar(drawn.limit(1)) is None:
        text = Text("届次已开启：申请抽取专家", "The round is open: ask for the draw of experts")
        return [Wait(text, "draw.new", at, round_)]
    rows = session.execute(
        select(Panel.id, Sitting.phase)
        .join(Panel, Sitting.panel_id == Panel.id)
        .where(Panel.round_id == round_.id)
        .distinct()
    ).all()
    if {phase for _, phase in rows} == {"planned"}:
        text = Text("专家组已组建：打开第一场会议", "The panel is formed: open its first sitting")
        if len(rows) == 1:
            return [Wait(text, "panel.show", {**at, "panel_id": rows[0][0]}, round_)]
        return [Wait(text, "panel.index", at, round_)]
    return []


def supervisor_first_waits(session: Session, viewer: Viewer) -> list[Wait]:
    """At first, and when a draw begins without one: the key of his device, without which he cannot
    cosign. For each draft: his chain of codes."""
    drafts = [
        draw
        for draw in session.scalars(
            select(Draw).join(Round, Draw.round_id == Round.id)
            .where(Draw.state == "draft", Round.phase == "open").order_by(Draw.id)
        )
        if "supervisor" in draw.request.get("parties", ())
    ]  # fmt: skip
    found = []
    keys = select(DeviceKey.id).where(DeviceKey.account_id == viewer.id)
    active = session.scalar(keys.where(DeviceKey.revoked_at.is_(None)))
    if active is None and (drafts or session.scalar(keys.limit(1)) is None):
        text = Text(
            "会签要用：登记本人设备的密钥", "For your cosignature: register your device's key"
        )
        found.append(Wait(text, "ceremony.own_device"))
    chained = set(
        session.scalars(
            select(Party.draw_id).where(
                Party.name == "supervisor", Party.draw_id.in_([draw.id for draw in drafts])
            )
        )
    )
    text = Text("请在本人设备上生成并登记口令链", "Make your chain of codes on your own device")
    for draw in drafts:
        if draw.id not in chained:
            at = {"slug": draw.round.slug, "draw_id": draw.id}
            found.append(Wait(text, "draw.codes", at, draw.round))
    return found

"""What every write of this room asks first: who acts, and whether the round's phase allows it."""

from __future__ import annotations

from app.accounts.viewer import Viewer
from app.domain.types import DomainError, NotNow, Text
from app.programme.models import Round

PHASE_TEXT = {
    "preparing": Text("筹备中", "Preparing"),
    "open": Text("已开启", "Open"),
    "closed": Text("已结束", "Closed"),
    "cancelled": Text("已取消", "Cancelled"),
}

_FROZEN = Text(
    "“{round}”{phase}，评分表、地区类别和计分规则已经冻结，不能再改（回避与抽取规则仍可修改，"
    "每次抽取以提交承诺时的规则为准）。没有任何改动；如确需更改，请取消本届并另建一届。",
    "“{round}” is {phase}: forms, classes and the score rule are frozen and can no longer change (conflict "
    "and draw rules can; each draw keeps those in force at its commitment). Nothing was changed; if it "
    "must be changed, cancel this round and make a new one.",
)
_ENDED = Text(
    "“{round}”{phase}，不再接受改动。已有内容都在。",
    "“{round}” is {phase} and takes no more changes. Everything filed is kept.",
)
_EMPTY = Text(
    "“{what}”不能为空，最多 {n} 字。没有保存；请填写。",
    "“{what}” must not be empty and has at most {n} characters. Nothing was saved; fill it in.",
)


def require(actor: Viewer | None, *roles: str) -> None:
    """Forbidden unless the actor holds one of `roles`; None is the command line."""
    if actor is not None:
        actor.require(*roles)


def account_id(actor: Viewer | None) -> str | None:
    """The account to note as author."""
    return None if actor is None else actor.id


def while_preparing(round_: Round) -> None:
    """Conflict once the round is open: what was frozen stays."""
    if round_.phase != "preparing":
        raise NotNow(_FROZEN.format(round=round_.title, phase=PHASE_TEXT[round_.phase]))


def while_live(round_: Round) -> None:
    """Conflict once the round has ended."""
    if round_.phase not in ("preparing", "open"):
        raise NotNow(_ENDED.format(round=round_.title, phase=PHASE_TEXT[round_.phase]))


def words(value: str | None, what: Text, field: str, limit: int = 200) -> str:
    """`value` without outer blanks; DomainError on `field` when it is empty or too long."""
    text = (value or "").strip()
    if not text or len(text) > limit:
        raise DomainError(_EMPTY.format(what=what, n=limit), field=field)
    return text

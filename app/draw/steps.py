"""What a draw waits for, and whether it waits for this viewer: the one next step of its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.accounts.viewer import Viewer
from app.domain.types import Text
from app.draw import ceremony, messages
from app.draw.models import Act, Draw


@dataclass(frozen=True)
class Step:
    """`code` names the form to show: party, commit, cosign, dice, code, complete, call, act_cosign,
    act_code, act_complete or none; `mine` whether this viewer does it; `what` its source or party."""

    code: str
    text: Text
    mine: bool
    what: str = ""


_OFFICE = Text("创建办公室", "the programme office")
_SUPERVISOR = Text("监督人员", "the supervisor")


def _waits(text: Text, who: Text) -> Text:
    return Text("等待{w}：{t}", "Waits for {w}: {t}").format(w=who, t=text)


def _step(viewer: Viewer, role: str, code: str, text: Text, what: str = "") -> Step:
    mine = viewer.role == role
    who = _OFFICE if role == "office" else _SUPERVISOR
    return Step(code, text if mine else _waits(text, who), mine, what)


def open_act(draw: Draw) -> Act | None:
    """The replacement act that is not yet complete."""
    return next((act for act in draw.acts if act.completed_at is None), None)


def next_step(viewer: Viewer, draw: Draw, shown: dict[str, Any] | None = None) -> Step:
    """What comes next. `shown` is the what-if of a draft, whose refusals come before a commitment."""
    if draw.state == "draft":
        return _draft(viewer, draw, shown)
    if draw.state == "committed":
        return _step(
            viewer,
            "supervisor",
            "cosign",
            Text("核对承诺并会签", "check the commitment and cosign"),
        )
    if draw.state == "cosigned":
        return _cosigned(viewer, draw)
    if draw.state == "completed":
        return _completed(viewer, draw)
    return Step(
        "none", Text("本次已中止，记录保留。", "This attempt was aborted; its record stays."), False
    )


def _draft(viewer: Viewer, draw: Draw, shown: dict[str, Any] | None) -> Step:
    have = {party.name for party in draw.parties}
    for name in draw.request["parties"]:
        if name not in have:
            role = "supervisor" if name == "supervisor" else "office"
            text = Text("登记{p}的口令链", "register the chain of: {p}").format(
                p=messages.PARTY[name]
            )
            return _step(viewer, role, "party", text, name)
    refused = shown is not None and (
        not shown["feasible"] or any(g["level"] == "refuse" for g in shown["guards"])
    )
    if refused:
        return _step(
            viewer,
            "office",
            "edit",
            Text("修改申请（见下方提示）", "change the request (see below)"),
        )
    return _step(
        viewer, "office", "commit", Text("冻结名单并提交承诺", "freeze the pool and commit")
    )


def _cosigned(viewer: Viewer, draw: Draw) -> Step:
    for state in ceremony.dice_states(draw).values():
        if state.values is None:
            again = bool(state.differing)
            mine = viewer.role in ("office", "supervisor") and (
                again or viewer.role not in state.entered
            )
            text = (
                state.text
                if state.entered
                else Text(
                    "两人分别录入来源“{s}”的数值", "both type the values of source '{s}'"
                ).format(s=state.source)
            )
            return Step("dice", text, mine, state.source)
    for party in draw.parties:
        if not party.codes:
            return _code(viewer, "code", party.name)
    return Step(
        "complete", Text("完成抽取", "complete the draw"), viewer.role in ("office", "supervisor")
    )


def _code(viewer: Viewer, code: str, name: str) -> Step:
    """The party itself, or from its envelope the other of the two."""
    text = Text("出示口令：{p}", "reveal the code of: {p}").format(p=messages.PARTY[name])
    mine = name == viewer.role or (name == "observer" and viewer.role == "office")
    return Step(code, text, mine, name)


def _completed(viewer: Viewer, draw: Draw) -> Step:
    act = open_act(draw)
    if act is None:
        waiting = sum(seat.state == "drawn" for seat in draw.seats)
        if waiting:
            text = Text("通知抽中专家，还有 {n} 人未确认", "call the experts drawn; {n} to confirm")
            return _step(viewer, "office", "call", text.format(n=waiting))
        return Step("none", Text("全部席位已确认。", "Every seat is confirmed."), False)
    if act.cosigned_by is None:
        return _step(
            viewer,
            "supervisor",
            "act_cosign",
            Text("核对更换事由并会签", "check the causes and cosign"),
        )
    if draw.request["replacement"] != "reserves":
        for party in draw.parties:
            if party.name not in act.codes:
                return _code(viewer, "act_code", party.name)
    return Step(
        "act_complete",
        Text("完成补抽", "complete the act"),
        viewer.role in ("office", "supervisor"),
    )

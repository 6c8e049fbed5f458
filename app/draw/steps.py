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
    """`code` names the form to show: party, observer, commit, cosign, dice, code, complete, call,
    act_cosign, act_code, act_complete or none; `mine` whether this viewer does it; `what` its source or party."""

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
    step = _parties(viewer, draw)
    if step is not None:
        return step
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
    text = Text("冻结名单并提交承诺", "freeze the pool and commit")
    if draw.is_order:
        text = Text("冻结清单并提交承诺", "freeze the list and commit")
    return _step(viewer, "office", "commit", text)


def _parties(viewer: Viewer, draw: Draw) -> Step | None:
    """Chains may be registered in any order: one's own is one's own step."""
    have = {party.name for party in draw.parties}
    missing = [name for name in draw.request["parties"] if name not in have]
    if not missing:
        return None
    if viewer.role in missing:
        text = Text("在本人设备上生成口令链并登记", "make your chain of codes on your own device")
        return Step("party", text, True, viewer.role)
    if "observer" in missing and viewer.role == "office":
        text = Text(
            "给见证人专用链接，由其在本人设备上登记口令链",
            "give the observer the link on which to register a chain, on an own device",
        )
        return Step("observer", text, True, "observer")
    return Step("party", _waits_for(missing, _CHAIN), False, missing[0])


def _waits_for(names: list[str], text: Text) -> Text:
    return _waits(text, messages.parties(names))


_CHAIN = Text("登记口令链", "register a chain of codes")
_CODE = Text("出示口令", "reveal the code")


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
                ).format(s=state.title)
            )
            return Step("dice", text, mine, state.source)
    silent = [party.name for party in draw.parties if not party.codes]
    if silent:
        return _code(viewer, "code", silent)
    return Step(
        "complete", Text("完成抽取", "complete the draw"), viewer.role in ("office", "supervisor")
    )


def _code(viewer: Viewer, code: str, silent: list[str]) -> Step:
    """In any order; one's own first. A lost one comes from its envelope, by another."""
    if viewer.role in silent:
        return Step(code, Text("出示本人口令", "reveal your code"), True, viewer.role)
    return Step(code, _waits_for(silent, _CODE), False, silent[0])


def _completed(viewer: Viewer, draw: Draw) -> Step:
    if draw.is_order:
        return Step("none", Text("顺序已抽定。", "The order is drawn."), False)
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
        silent = [party.name for party in draw.parties if party.name not in act.codes]
        if silent:
            return _code(viewer, "act_code", silent)
    return Step(
        "act_complete",
        Text("完成补抽", "complete the act"),
        viewer.role in ("office", "supervisor"),
    )

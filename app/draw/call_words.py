"""What drawn experts are told, and the words of the calls page.

Rule D-13: time, kind of place and duration; never the county, the place itself or the other members.
A short message in Chinese is 70 characters (UCS-2), in English 160 (GSM 03.38).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.types import Text
from app.draw.models_calls import CallPlan

SHORT = {"zh": 70, "en": 160}
PLACE: dict[str, Text] = {
    "venue": Text("会议场所", "meeting venue"),
    "office": Text("机关办公场所", "government office"),
    "field": Text("实地", "on site, with travel"),
    "online": Text("线上", "online"),
}
LOOK: dict[str, Text] = {"call": Text("通知", "call"), "letter": Text("打印通知书", "letter")}
# What a coded answer becomes when it leads to a removal: the listed causes of rule D-10 alone.
CAUSE_OF: dict[str, str] = {
    "schedule": "absence",
    "travel": "absence",
    "unreachable": "absence",
    "health": "health",
    "recusal": "recusal",
}
GROUND: dict[str, Text] = {
    "declined": Text("本人在通知时答复不能参加", "the expert declined when called"),
    "unreachable": Text("多次联系未果", "repeated calls without an answer"),
    "silent": Text("答复期限已过", "the time to answer has passed"),
    "declaration": Text(
        "本人在承诺书中声明存在利害关系", "the expert declared a conflict of interest"
    ),
    "sheet": Text("评审中申明回避", "the expert stood aside during the review"),
    "challenge": Text("区县申请回避，经决定成立", "a county's challenge was upheld by decision"),
    "other": Text("其他", "other"),
}
_GROUND_CAUSE = {
    "unreachable": "absence", "silent": "absence", "declaration": "recusal", "sheet": "recusal",
    "challenge": "recusal",
}  # fmt: skip


def cause_for(ground: str, decline: str | None) -> str:
    """The cause of rule D-10 that a ground suggests, or "" where the office must choose."""
    if ground == "declined":
        return CAUSE_OF.get(decline or "", "")
    return _GROUND_CAUSE.get(ground, "")


def duration(half_days: int) -> Text:
    """Half days in words."""
    whole, half = divmod(half_days, 2)
    if not whole:
        return Text("半天", "half a day")
    if half:
        return Text(f"{whole}天半", f"{whole}.5 days")
    return Text(f"{whole}天", "1 day" if whole == 1 else f"{whole} days")


def _moment(moment: datetime, zone: str) -> Text:
    local = moment.astimezone(ZoneInfo(zone))
    return Text(
        f"{local.month}月{local.day}日{local:%H:%M}",
        f"{local.day} {_MONTHS[local.month]} {local:%H:%M}",
    )


_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def facts(plan: CallPlan, now: datetime, zone: str) -> dict[str, Text]:
    """The parts of every message: time, kind of place, duration, answer by, answer to."""
    by = now + timedelta(hours=plan.reply_hours)
    return {
        "at": _moment(plan.meets_at, zone),
        "place": PLACE[plan.place_kind],
        "long": duration(plan.half_days),
        "by": _moment(by, zone),
        "to": Text.of(plan.reply_to),
    }


def too_late(plan: CallPlan, last: datetime, now: datetime, zone: str, *, begun: bool) -> Text:
    """The warning that the time to answer ends after the meeting begins, and what to do about it;
    `begun`: calls are on record and the plan is fixed."""
    hours = int((plan.meets_at - now) / timedelta(hours=1))
    if plan.meets_at <= now:
        todo = Text("报到时间已过，请核对。", "That time is over: check it.")
    elif begun or hours < 1:
        todo = Text("请在报到之前向每个人问到答复。", "Get everybody's answer before the meeting.")
    else:
        todo = Text(
            "请把答复期限改为不超过 {n} 小时，或改报到时间。",
            "Shorten the hours to answer to {n} at most, or move the meeting.",
        ).format(n=hours)
    return Text(
        "答复可以等到{by}，而{at}就报到：那时不来的席位已来不及补抽。{todo}",
        "Answers may come until {by}, but the meeting begins {at}: a seat that is declined then can no "
        "longer be filled in time. {todo}",
    ).format(by=_moment(last, zone), at=_moment(plan.meets_at, zone), todo=todo)


def short_message(name: str, plan: CallPlan, now: datetime, zone: str) -> Text:
    """The text for one expert, to be copied into a telephone."""
    return Text(
        "{name}老师：您被抽为评审专家，{at}，{place}，{long}。请{by}前回复{to}，勿外传。",
        "You were drawn at random as a reviewer: {at}, {place}, {long}. Answer by {by}: {to}. Keep "
        "this confidential.",
    ).format(name=name, **facts(plan, now, zone))


def script(plan: CallPlan, now: datetime, zone: str) -> Text:
    """What the caller says, word for word the same to everybody."""
    return Text(
        "您好，您已被随机抽取为评审专家。评审时间：{at}；地点类型：{place}；时长：{long}。"
        "能否参加？如不能，请说明原因。请在{by}前答复，电话 {to}。请不要向任何人透露被抽中的情况。"
        "（不告知被评地区、具体地点和其他专家。）",
        "You were drawn at random as a reviewer. Time: {at}; kind of place: {place}; duration: {long}. "
        "Can you come? If not, please give the reason. Please answer by {by}: {to}. Tell nobody that "
        "you were drawn. (Do not name the county, the place or the other members.)",
    ).format(**facts(plan, now, zone))

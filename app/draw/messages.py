"""What the draw says when it refuses: what happened, what was kept, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.domain.types import NotNow, Text

ABSENT = Text(
    "没有找到这次抽取，或者它不对您开放。", "There is no such draw, or it is not open to you."
)
_CANNOT = Text(
    "现在不能{what}：{why}。没有任何改动。", "Cannot {what} now: {why}. Nothing was changed."
)
INFEASIBLE = Text(
    "名额无法满足，没有提交承诺。可行的最小放宽：{ways}",
    "The quotas cannot be met, so nothing was committed. Smallest relaxations: {ways}",
)
GUARDED = Text(
    "没有提交承诺：{why}。请修改申请后重试。",
    "Nothing was committed: {why}. Change the request and try again.",
)
TOO_LONG = Text(
    "没有提交承诺：试抽的搜索过长，请减少名额或限制。",
    "Nothing was committed: a rehearsal searched too long; use fewer quotas or limits.",
)
NOT_TOGETHER = Text(
    "没有提交承诺：各组因日期或场次上限不能同时组成。",
    "Nothing was committed: dates or the load cap do not let all panels be formed together.",
)
CHANGED_MEANWHILE = Text(
    "申请在此期间已被修改，本次试算不再对应，没有保存。请重新试算。",
    "The request was changed in the meantime, so this what-if is of something else and was not kept. "
    "Compute it again.",
)
NO_SUCH_WAY = Text(
    "最近一次试算没有提出这一放宽，没有改动。请重新试算。",
    "The latest what-if proposed no such relaxation; nothing was changed. Compute it again.",
)
RULE_HOLDS = Text(
    "这样放宽会违反本方案的规则（如 D-04 技术、经济类三分之二），没有改动。请选其他方案或减少席位。",
    "A rule of the scheme (such as D-04, two thirds technical or economic) forbids this relaxation; "
    "nothing was changed. Choose another, or fewer seats.",
)
DRILL_STAYS = Text(
    "演练永远是演练：届次的性质在申请之后变了，这次抽取不能继续。请中止，按现在的性质重新申请。",
    "a drill stays a drill: the round's kind changed after the request, so this draw cannot go on. "
    "Abort it and ask again under the present kind.",
)
NO_OUTSIDE = Text(
    "没有各方之外的随机来源：如果各方与服务器全部串通，什么都无法补救。建议加上开奖晚于会签的公共彩票",
    "No source of randomness is outside the parties: if every party and the server collude, nothing "
    "can help. Add a public lottery that is drawn after the cosignature",
)
BAD_CHAIN = Text(
    "口令承诺须为 64 位小写十六进制，序号 1 至 1024。没有登记。",
    "A chain's commitment is 64 lower-case hex digits, its index 1 to 1024. Nothing was registered.",
)
USED_CHAIN = Text(
    "这条口令链或其中的值以前用过，不能再用。请在本人设备上重新生成。",
    "This chain, or a value of it, was used before. Make a new one on your own device.",
)
WRONG_CODE = Text(
    "口令与“{party}”的承诺不符，没有接受。请核对；遗失时启用密封信封。",
    "The code does not fit the commitment of '{party}' and was not accepted. Check it; if it is lost, "
    "open the sealed envelope.",
)
NOT_OF_THINGS = Text(
    "这次抽取抽的是顺序，不是专家，不能{what}。没有任何改动。",
    "This draw is of an order, not of experts: it cannot {what}. Nothing was changed.",
)
NO_SOURCE = Text("没有这个随机来源。", "There is no such source.")
NO_FALLBACK = Text(
    "来源“{s}”没有事先承诺的替补，不能改用其他来源。没有登记。",
    "No fallback of the source '{s}' was committed, so no other takes its place. Nothing was recorded.",
)
SAY_FAILED = Text(
    "请写明何处查得该期未公布。没有登记。",
    "Say where it was looked up that this draw was not published. Nothing was recorded.",
)
SAID_FAILED = Text(
    "本方已登记该来源未产生，等待另一方。",
    "Your side has said already that this source did not come about; it waits for the other.",
)
ROLE_TYPED = Text(
    "同一角色的另一人已录入该来源。须由创建办公室与监督人员各一人录入。",
    "Somebody else of your role has typed this source. One of the office and one supervisor type it.",
)
OBSERVER_HIMSELF = Text(
    "见证人用专用链接在本人设备上登记，不能由他人代办",
    "the observer registers on his own device, by his link, and nobody does it for him",
)
NO_SUCH_PARTY = Text("本次抽取没有这一方", "this draw has no such party")
LIST_IS_IN = Text(
    "您的一组数值已录满并提交，只有与另一人不一致时才能修改",
    "your list is complete and in; it can be changed only when the two lists differ",
)
BAD_ABORT = Text(
    "请选择中止的原因类别，并写明理由。没有中止。",
    "Choose the cause of the abort and give the reason. Nothing was aborted.",
)
ONLY_IN_GROUPS = Text(
    "单独一组的单位、地区名额只用于“分成几个组”：请选“所有组”，或先在上面分组。没有保存。",
    "A quota of employers or regions for one panel goes with “several panels”: choose “every panel”, or "
    "put the panels together above. Nothing was saved.",
)
NOT_TAKEN_UP = Text(
    "没有会签：每一项例外都要逐项勾选同意。不同意其中一项，就不会签，请中止本次并写明理由。",
    "Not cosigned: each exception is accepted by its own tick. Whoever does not agree to one does not "
    "cosign, but ends this attempt and says why.",
)
BAD_CAUSE = Text(
    "“{reason}”不是可以更换的事由（规则 D-10：{known}）。没有登记。",
    "'{reason}' is no cause for a replacement (rule D-10: {known}). Nothing was recorded.",
)
NEEDS_EVIDENCE = Text(
    "请写明更换的依据。没有登记。", "Say what the removal rests on. Nothing was recorded."
)
BAD_CONTACT = Text(
    "联系方式、结果或理由代码无效。没有登记。",
    "Channel, outcome or reason is not valid. Nothing was recorded.",
)
NOT_SEATED = Text(
    "该席位已不在任。没有登记。", "This seat is not active any more. Nothing was recorded."
)
OTHER_PURPOSE = Text(
    "“{name}”已在本阶段的另一次抽取中，同一区县在一个阶段只抽取一次。没有保存。",
    "{name} belongs to another draw of this stage; a county is drawn for once a stage. Nothing was "
    "saved.",
)
OTHER_ROUND = Text(
    "“{name}”在本方案另一届次“{round}”的同一阶段已有正式抽取：同一年度只抽取一次，未结束的届次须先结束。"
    "该届次若已取消，可在那次抽取的页面申请监督人员放行一次。没有保存。",
    "{name} has a real draw of this stage in another round of the scheme, {round}: there is one a year, "
    "and a round that has not ended must end first. If that round was cancelled, a supervisor can release "
    "one draw more: ask on the page of that draw. Nothing was saved.",
)

PENDING = Text(
    "没有提交承诺：另一次正式抽取（{round}·{stage}，承诺值 {hash}）已承诺、尚未抽取，与本次同在 {days} 评审，有 {n} 人"
    "在两次中都可能抽中。请先完成那次抽取，或按程序中止它，再提交本次；草稿已保留。",
    "Nothing was committed: another real draw ({round}, {stage}, commitment {hash}) is committed and not yet drawn; "
    "it sits on {days} as this one does, and {n} people could be drawn in both. Complete that draw first, or "
    "end it on record, then commit this one; the draft is kept.",
)


def cannot(what: Text, why: Text) -> NotNow:
    """The state does not allow it."""
    return NotNow(_CANNOT.format(what=what, why=why), what=what)


def in_state(state: str, what: Text, *allowed: str) -> None:
    """Refuse `what` unless the draw is in one of the allowed states."""
    if state not in allowed:
        raise cannot(what, Text("当前状态是“{s}”", "the state is '{s}'").format(s=STATE[state]))


STATE: dict[str, Text] = {
    "draft": Text("草稿", "Draft"),
    "committed": Text("已承诺，待会签", "Committed, awaits the cosignature"),
    "cosigned": Text("已会签，待抽取", "Cosigned, awaits the dice"),
    "completed": Text("已完成", "Completed"),
    "aborted": Text("已中止", "Aborted"),
}
ATTRIBUTE: dict[str, Text] = {
    "kind": Text("类别", "Kind"),
    "discipline": Text("专业", "Discipline"),
    "source": Text("来源", "Source"),
    "employer": Text("单位", "Employer"),
    "region": Text("地区", "Region"),
}
MODE: dict[str, Text] = {
    "lottery": Text("公平抽签", "Fair lottery"),
    "tickets": Text("按签号依次入选", "By ticket"),
}
MODE_REASON: dict[str, Text] = {
    "fairest": Text("最小机会最大，最公平", "it raises the smallest chance as far as possible"),
    "small_strata": Text(
        "有的类别人数很少，须均衡机会", "some strata are small and need even chances"
    ),
    "practice": Text("沿用按签号依次入选的惯例", "customary, and easiest to follow in the hall"),
    "batch": Text(
        "多组同日，公平抽签不适用", "several panels on one day, where no lottery applies"
    ),
    "pairs": Text("有亲属或相互回避关系", "kin or mutual recusals have to be kept"),
    "slow": Text("类型过多，公平抽签求解不出", "too many types for a lottery to be solved"),
}
HIGH: dict[str, Text] = {
    "small_pool": Text("该类专家本来就少", "the pool is small"),
    "rare_specialty": Text("稀缺专业", "a rare specialty"),
    "legal_requirement": Text("法规要求该类人员", "required by law"),
}
ZERO: dict[str, Text] = {
    "not_needed": Text("本次评审不需要该类专家", "this review does not need such experts"),
    "legal_requirement": Text("法规要求该类人员", "required by law"),
}
SKIP: dict[str, Text] = {
    "load_cap": Text("已达场次上限", "load cap reached"),
    "date": Text("当日已在另一组", "sits elsewhere that day"),
    "max": Text("该类名额已满", "the quota of this type is full"),
    "pair": Text("同单位或有关系者已入选", "one of the same employer or pair is seated"),
    "completion": Text("入选后名额无法满足", "the quotas could not be met any more"),
}
CAUSE: dict[str, Text] = {
    "recusal": Text("回避", "Recusal"),
    "absence": Text("缺席", "Absence"),
    "health": Text("健康", "Health"),
    "left_post": Text("离岗", "Left the post"),
}
CHANNEL: dict[str, Text] = {
    "phone": Text("电话", "Phone"),
    "in_person": Text("当面", "In person"),
    "other": Text("其他", "Other"),
}
ABORT: dict[str, Text] = {
    "source_failed": Text("随机来源未能产生", "A source did not come about"),
    "procedure": Text("程序有误", "The procedure was faulty"),
    "request": Text("申请内容有误", "The request was wrong"),
    "exception": Text("例外未获监督人员同意", "An exception was not accepted"),
    "absent": Text("应到场人员缺席", "Somebody who must be present was not"),
    "premises": Text("场地、设备或供电故障", "Premises, equipment or power failed"),
    "other": Text("其他", "Other"),
}
OUTCOME: dict[str, Text] = {
    "accepted": Text("同意参加", "Accepted"),
    "declined": Text("不能参加", "Declined"),
    "unreachable": Text("联系不上", "Not reached"),
}
DECLINE: dict[str, Text] = {
    "schedule": Text("时间冲突", "Schedule"),
    "health": Text("健康", "Health"),
    "recusal": Text("回避", "Recusal"),
    "travel": Text("出差", "Travel"),
    "unreachable": Text("联系不上", "Not reached"),
    "other": Text("其他", "Other"),
}
PARTY: dict[str, Text] = {
    "office": Text("创建办公室", "Programme office"),
    "supervisor": Text("监督人员", "Supervisor"),
    "observer": Text("见证人", "Observer"),
}


def parties(names: Iterable[str]) -> Text:
    """Parties of a draw, named one after the other."""
    found = [PARTY[name] for name in names]
    return Text("、".join(p.zh for p in found), ", ".join(p.en for p in found))


HOW: dict[str, Text] = {
    "type": Text("同类补入", "same type"),
    "swap": Text("换类补入，名额不变", "another type within the quotas"),
    "none": Text("无人可补，席位空缺", "nobody left; the seat is vacant"),
}


def word(words: dict[str, Text], code: str | None) -> Any:
    """The words of a code, or the code."""
    return words.get(code or "", code or "")

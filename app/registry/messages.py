"""What the pool says when it refuses: what happened, what was kept, what to do."""

from app.domain.types import Text

NO_SUCH = Text("没有找到这位专家，或者不对您开放。", "There is no such expert, or not for you.")
NO_INTEREST = Text(
    "没有找到这条利害关系申报，或者不对您开放。",
    "There is no such declaration of interest, or not for you.",
)
REASON = Text("请写明理由。没有任何改动。", "State the reason. Nothing was changed.")
CODE = Text(
    "“{value}”不是有效的{field}。没有任何改动。",
    "“{value}” is no valid {field}. Nothing was changed.",
)
TITLE = Text("请填写职称。没有任何改动。", "Enter the title. Nothing was changed.")
YEAR = Text(
    "从业起始年应在 1950 年与今年之间。没有任何改动。",
    "The year must lie between 1950 and this year. Nothing was changed.",
)
REGION = Text(
    "没有代码为 {code} 的行政区划。没有任何改动。",
    "There is no region with code {code}. Nothing was changed.",
)
ALREADY = Text(
    "{name} 已在专家库中（{number}，{status}）。没有新建；请打开已有的记录。",
    "{name} is in the pool already ({number}, {status}). Nobody was created; open that record.",
)
MAYBE = Text(
    "可能是同一人：{name}（{number}，{why}）。没有新建；若确认不是同一人，请勾选“确认不是同一人”后再提交。",
    "This may be the same person: {name} ({number}, {why}). Nobody was created; if it is somebody "
    "else, tick “not the same person” and submit again.",
)
SAME_ID = Text("身份证号相同", "same identity number")
SAME_NAME = Text("姓名和单位相同", "same name and employer")
SAME_PHONE = Text("电话相同", "same phone")
SAME_BIRTH = Text("姓名和出生日期相同", "same name and birth date")
SAME_NUMBER = Text("编号相同", "same number")
SAME_ROW = Text("与本文件第 {row} 行重复", "repeats row {row} of this file")
NO_CONSENT = Text(
    "{name} 尚未签署同意书，不能入库。没有任何改动；请先登记同意书。",
    "{name} has given no consent and cannot be admitted. Nothing was changed; record it first.",
)
NOT_SCREENED = Text(
    "入库需要两名不同审核人通过且无人反对，现有 {n} 名通过、{m} 名反对。没有任何改动。",
    "Admission needs two different reviewers who pass and nobody who rejects: {n} passed, {m} "
    "rejected. Nothing was changed.",
)
OWN_CASE = Text(
    "不能办理与本人有关的事项。没有任何改动。",
    "Nobody decides in his own case. Nothing was changed.",
)
BARRED = Text(
    "{name} 已被终身取消专家资格（《评选考核办法》第四十条第（四）项），不能再变更。没有任何改动。",
    "{name} is barred for ever (Measures, art. 40(4)); the status cannot change. Nothing was changed.",
)
WRONG_STATUS = Text(
    "{name} 目前是“{status}”，不能这样办理。没有任何改动。",
    "{name} is “{status}” now, so this cannot be done. Nothing was changed.",
)
DATES = Text(
    "结束日期不能早于开始日期。没有任何改动。",
    "The end cannot lie before the start. Nothing was changed.",
)
FOR_EVER = Text(
    "终身取消资格没有结束日期。没有任何改动。", "A bar for ever has no end. Nothing was changed."
)
STALE = Text(
    "{who} 已于 {when} 修改了这位专家的记录，您看到的是旧内容。您的修改没有保存，填写的内容都在；不同之处：{what}。"
    "请核对后再次提交。",
    "{who} changed this expert's record at {when}; you were looking at an older one. Nothing of "
    "yours was saved and all you typed is still here. It differs in: {what}. Check and submit "
    "again.",
)
SOMEBODY = Text("系统", "the system")
TARGET = Text(
    "请至少指明一个县（市）、单位或另一位专家。没有任何改动。",
    "Name at least a county, an organisation or another expert. Nothing was changed.",
)
SELF = Text(
    "不能与本人回避。没有任何改动。", "An expert has no conflict with himself. Nothing was changed."
)
REPEATED = Text(
    "同样的申报正在等待决定，没有重复登记。",
    "The same declaration is awaiting a decision already; it was not recorded twice.",
)
DECIDED = Text(
    "这条申报已经有结论（{status}）。没有任何改动。",
    "This declaration is settled already ({status}). Nothing was changed.",
)
CANCELLED = Text(
    "这段请假已经取消。没有任何改动。", "This absence is cancelled already. Nothing was changed."
)
FUTURE = Text(
    "日期不能晚于今天。没有任何改动。", "The date cannot lie after today. Nothing was changed."
)
HEAD = Text(
    "负责人只用于亲属关系，且须属于所填的县（市）。没有任何改动。",
    "A head goes with kinship only, and belongs to the county named. Nothing was changed.",
)
KEEPER_FIRST = Text(
    "“其他关系”须先由专家库管理人作出决定，再由监督人员确认。没有任何改动。",
    "Another link is decided by the pool keeper first and then confirmed by the supervisor. Nothing "
    "was changed.",
)
NOT_KEEPERS = Text(
    "这类申报由监督人员直接决定。没有任何改动。",
    "The supervisor decides this kind of declaration himself. Nothing was changed.",
)
NONE_CHOSEN = Text("请至少勾选一条。没有任何改动。", "Tick at least one. Nothing was changed.")
BASIS = Text(
    "请填写依据（文件名称或文号）。没有任何改动。",
    "Enter the basis (the document). Nothing was changed.",
)
NEED = Text("请填写{what}。没有任何改动。", "Enter the {what}. Nothing was changed.")
SAME_ENTRY = Text(
    "同样的一条已经登记。没有重复登记。", "The same entry is there already; nothing was added."
)
NO_ENTRY = Text(
    "没有找到这条登记，或者不对您开放。", "There is no such entry, or it is not open to you."
)
STRUCK = Text(
    "这条登记已经作废。没有任何改动。", "This entry is struck out already. Nothing was changed."
)
ENTRY_ENDED = Text(
    "这条登记已有结束日期。没有任何改动。", "This entry has an end already. Nothing was changed."
)
TOPIC = Text("请至少勾选一项。没有签署。", "Tick at least one item. Nothing was signed.")
SIGNATURE = Text(
    "签名须与姓名（{name}）一致。没有签署。",
    "The signature must be the name ({name}). Nothing was signed.",
)
PAPER = Text("请写明签署的书面材料。没有登记。", "Name the signed paper. Nothing was recorded.")
NO_NUMBER = Text(
    "库中没有编号为“{value}”的专家。没有任何改动。",
    "No expert of the pool has the number “{value}”. Nothing was changed.",
)
NO_HEAD = Text(
    "该县（市）没有登记叫“{value}”的负责人。没有任何改动；请先在“县（市）负责人”中登记。",
    "The county has no head called “{value}” on record. Nothing was changed; enter the head first.",
)
MERGED_INTO = Text("已并入 {number}", "merged into {number}")
MERGED = Text(
    "{number} 已并入另一条记录，不再变更。没有任何改动；请打开保留的那条。",
    "{number} was merged into another record and changes no more. Nothing was changed; open the one "
    "that stays.",
)

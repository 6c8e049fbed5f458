"""What the pages say about paper sheets."""

from __future__ import annotations

from app.domain.types import Text

ABSENT = Text(
    "没有这张纸质评分表，或它不对您开放。",
    "There is no such paper sheet, or it is not open to you.",
)
TABLET = Text(
    "这位专家的这张表正在平板“{label}”上填写。一张表只能有一个来源，不能同时用纸：请在平板上继续；"
    "平板已丢失或损坏的，先撤销那台平板，再录入纸质表。没有任何改动。",
    "This expert is filling in this sheet on the tablet “{label}”. A sheet has one source, so paper is "
    "not taken beside it: go on with the tablet, or, if it is lost or broken, revoke it first. "
    "Nothing was changed.",
)
PAGE = Text(
    "这位专家已在网页上填写这张表。一张表只能有一个来源：请本人在网页上继续。没有任何改动。",
    "This expert has begun this sheet on the web page. A sheet has one source: it goes on there. "
    "Nothing was changed.",
)
BRANCH = Text(
    "另一台设备上还有这张表的内容，须由本人先选定。没有任何改动。",
    "Another device holds entries for this sheet; its owner has to choose first. Nothing was changed.",
)
FINAL = Text(
    "这张表已经定稿或正在更正，不能再录入纸质表。没有任何改动。",
    "This sheet is final or being corrected: no paper is taken. Nothing was changed.",
)
NOT_HERE = Text("该席位不在本组。", "That seat is not on this panel.")
OVER = Text(
    "这张纸质表已经封存或放弃。没有任何改动。",
    "This paper sheet is sealed or given up. Nothing was changed.",
)
TWO = Text(
    "这张表已由另外两人录入。没有任何改动。",
    "Two others have entered this sheet. Nothing was changed.",
)
READ = Text(
    "您的录入已提交，不能再改；不一致之处在比对时对照扫描件处理。",
    "Your reading is handed in and does not change; differences are settled against the scan.",
)
NO_READING = Text(
    "须由两人分别录入并提交，且已上传扫描件。没有任何改动。",
    "Two people must each have handed in their reading, and the scan must be filed. Nothing was "
    "changed.",
)
NOT_CLERK = Text(
    "只有录入这张表的两人可以比对和封存。没有任何改动。",
    "Only the two who entered this sheet compare and seal it. Nothing was changed.",
)
PICK = Text(
    "请对每一处不一致选择以哪一份为准。尚有：{list}。",
    "Choose for every difference. Still open: {list}.",
)
OTHER = Text(
    "差异由您处理，须由另一位录入人核对后封存。没有封存。",
    "You settled the differences, so the other clerk checks and seals. Nothing was sealed.",
)
UNSETTLED = Text(
    "请先比对并处理差异。没有封存。",
    "Compare and settle the differences first. Nothing was sealed.",
)
REASON = Text(
    "请写明理由（至少 5 个字）。没有任何改动。",
    "State the reason (5 characters or more). Nothing was changed.",
)
OBJECT_WHY = Text(
    "请写明哪里读错了（至少 5 个字）。没有任何改动。",
    "Say what was read wrongly (5 characters or more). Nothing was changed.",
)
OBJECTED = Text("您已提出异议。没有任何改动。", "You have objected already. Nothing was changed.")
BY = Text("纸质评分表，由 {a}、{b} 录入", "entered from paper by {a} and {b}")
OBJECTION = Text("；本人有异议：{o}", "; the expert objects: {o}")
DECIDED = {
    "upheld": Text("；监督人员：异议成立，{r}", "; the supervisor upheld it: {r}"),
    "dismissed": Text("；监督人员：异议不成立，{r}", "; the supervisor dismissed it: {r}"),
}
DECIDED_BEFORE = Text(
    "这项异议已有决定。没有任何改动。", "This objection has been decided. Nothing was changed."
)
ENDED = Text(
    "本届已结束，评分表不能再撤回或重新录入。没有任何改动。",
    "The round has ended: no sheet is withdrawn or entered again. Nothing was changed.",
)

"""What would change an answer of "why is this expert not eligible?", rule by rule.

Facts change, rules do not move for one expert: each line says which record would have to become
different, and who keeps it. Rules are those of `scoring_forms/rules.yaml`.
"""

from __future__ import annotations

from app.domain.draw.eligibility import Explanation
from app.domain.types import Text

_KEEPER = Text("由库管员凭依据更正登记。", "The keeper corrects the record on evidence.")
_TIME = Text(
    "回避期满后自动解除；登记的日期有误时，由库管员凭依据更正。",
    "It ends by itself when the period is over; wrong dates are corrected by the keeper on evidence.",
)
_DECIDED = Text(
    "由回避决定改变：当事人申请复核，决定撤销后解除。",
    "A decision changes it: on review, when the finding is withdrawn.",
)
_NEVER = Text(
    "对本批区县不会改变；换成别的区县另行判断。",
    "Nothing changes it for these counties; other counties are judged anew.",
)
WHAT: dict[str, Text] = {
    "P-01": Text("取得高级职称，或从业满八年，并由库管员登记。", "A senior title or eight years in the field, recorded by the keeper."),
    "P-02": Text("中级职称满八年或取得高级职称，并由库管员登记。", "Eight years at mid level or a senior title, recorded by the keeper."),
    "P-03": Text("年龄不会变；出生日期登记有误时由库管员凭证件更正。", "Age does not change; a wrong birth date is corrected by the keeper on papers."),
    "P-04": Text("补登单位推荐文件和本人同意书。", "Record the nomination and the expert's consent."),
    "P-05": Text("两人书面筛选通过并办理入库；已退出的重新筛选入库。", "Two reviewers screen and the keeper admits; who has left is screened again."),
    "P-07": Text("处理满三年后解除；被取消资格的不再入库。", "Three years after the sanction; who was struck off never returns."),
    "P-08": Text("库管员重新核验资料并登记核验日期。", "The keeper verifies the facts again and records the day."),
    "P-09": Text("交出账号的管理、抽取或陈述等职责后可以。", "Giving up the role (keeping, drawing, presenting) of the account."),
    "C-01": _TIME,
    "C-02": _TIME,
    "C-03": _TIME,
    "C-04": _DECIDED,
    "C-05": _DECIDED,
    "C-06": _TIME,
    "C-07": _NEVER,
    "C-08": _TIME,
    "C-09": Text("换到该省以外单位任职，或方案决定中央单位豁免。", "A post outside the province, or a recorded exemption of central bodies."),
    "C-11": _NEVER,
    "C-12": Text("区县撤回申请，或申请经决定驳回。", "The county withdraws its request, or it is dismissed."),
    "C-14": Text("指导关系撤销，或本人离开负责指导的单位。", "The guidance assignment ends, or the expert leaves the guiding body."),
    "C-15": Text("离开该申报地区的单位；换成不同批次的区县另行判断。", "Leaving the applicant's body; counties of another batch are judged anew."),
    "C-16": _TIME,
}  # fmt: skip
ABSENCE = Text(
    "不便时段改期或撤销，或评审改日期。", "The absence is withdrawn or moved, or the review is."
)


def what(answer: Explanation) -> Text | None:
    """What would change this answer; None where nothing stands against the expert."""
    if answer.outcome == "not_computed" and answer.lacks:
        return Text("补登所缺资料后才能判断。", "Recording the missing facts lets it be judged.")
    if answer.outcome not in ("block", "warn"):
        return None
    return WHAT.get(answer.rule_id, ABSENCE if answer.rule_id.startswith("D-") else _KEEPER)

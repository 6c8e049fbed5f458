"""The questions of the overview, each with its threshold in words: one list for page and code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.domain.types import Text
from app.supervision.surprise import ALPHA

WHAT_IFS: Final = 10  # looks at one draft
MISMATCHES: Final = 1  # lists of values that did not agree
PHONES: Final = 20  # numbers unmasked by one account within a day
ROLE_DAYS: Final = 365  # two roles within so many days
STAFF_DAYS: Final = 30  # grants of supervisor or admin that are new
HELD: Final = 3  # consecutive entries of one instant
SKEW: Final = 1  # seconds between a signed head and the entry before it


@dataclass(frozen=True, slots=True)
class Definition:
    """One question. `severity` 1 the record itself is in doubt · 2 ask now · 3 know about it."""

    code: str
    severity: int
    title: Text
    threshold: Text


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One answer: a sentence, where to look, and its weight among those of the same severity."""

    code: str
    sentence: Text
    endpoint: str
    at: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 0

    @property
    def definition(self) -> Definition:
        return DEFINITIONS[self.code]


def _all(*rows: Definition) -> dict[str, Definition]:
    return {row.code: row for row in rows}


DEFINITIONS: Final = _all(
    Definition(
        "ledger", 1, Text("账本核验不通过", "The ledger does not verify"),
        Text("任何一处：条目、头、检查点签名或业务行与账本不符",
             "any fault: an entry, the head, a signature, or a row that differs from the record"),
    ),
    Definition(
        "paper", 1, Text("纸面账本头与账本冲突", "A printed head conflicts with the ledger"),
        Text("您保存的账本头中任何一个不再是账本的开头",
             "any head on your own list that is no beginning of the ledger any more"),
    ),
    Definition(
        "doctor", 1, Text("不变式不成立", "A broken invariant"),
        Text("任何一条不成立", "any invariant that does not hold"),
    ),
    Definition(
        "refused", 2, Text("被拒绝的抽取操作", "Refused attempts at a draw"),
        Text("任何一次；单纯的填写错误不算，另列于该抽取的页面",
             "any; mere slips in a form do not count and stand on the page of the draw"),
    ),
    Definition(
        "aborts", 2, Text("承诺之后中止的抽取", "Attempts ended after the commitment"),
        Text("任何一次；同一抽取事项的次数一并列出",
             "any; with how often at the same purpose"),
    ),
    Definition(
        "what_ifs", 2, Text("承诺前多次试算", "Many what-ifs before a commitment"),
        Text(f"同一申请多于 {WHAT_IFS} 次", f"more than {WHAT_IFS} at one request"),
    ),
    Definition(
        "operator", 2, Text("某经办人的谢绝、联系不上或更换率明显偏高",
                            "An operator's declines, unanswered calls or removals far above others"),
        Text(f"与其余经办人合计相比，Fisher 精确检验（单侧），Holm 校正后 p < {ALPHA}",
             f"against all others together: Fisher's exact test, one-sided, p < {ALPHA} after Holm"),
    ),
    Definition(
        "expert", 2, Text("专家被抽中次数远多于期望", "An expert drawn far more often than expected"),
        Text(f"按承诺时冻结的概率，泊松二项分布精确尾概率，Holm 校正后 p < {ALPHA}",
             "by the chances frozen with the commitments: exact Poisson-binomial tail, "
             f"p < {ALPHA} after Holm"),
    ),
    Definition(
        "employer", 2, Text("单位被抽中次数远多于期望", "An employer drawn far more often than expected"),
        Text(f"同上，近似（把同单位的人视为相互独立），Holm 校正后 p < {ALPHA}",
             f"as above; approximate (members taken as independent), p < {ALPHA} after Holm"),
    ),
    Definition(
        "guard", 2, Text("保护性限制被说明理由后放行", "A guard overruled with a coded reason"),
        Text("任何一项", "any"),
    ),
    Definition(
        "envelope", 2, Text("由他人录入的口令（密封信封）", "A code typed by somebody else (sealed envelope)"),
        Text("录入账号不是登记口令链的账号", "typed by another account than the one that registered the chain"),
    ),
    Definition(
        "recovery", 2, Text("用密封信封恢复账号", "An account renewed with a sealed envelope"),
        Text("任何一次", "any"),
    ),
    Definition(
        "renewed", 2, Text("管理员恢复了办公室或专家库账号", "An office or keeper account recovered by an administrator"),
        Text("任何一次：恢复链接交给谁，谁就能以该账号登录", "any: whoever holds the link signs in as that account"),
    ),
    Definition(
        "roles", 2, Text("同一人先后担任两种角色", "One person in two roles one after the other"),
        Text(f"间隔不超过 {ROLE_DAYS} 天", f"within {ROLE_DAYS} days"),
    ),
    Definition(
        "clock", 2, Text("服务器时钟跳动", "The server's clock jumped"),
        Text(f"连续 {HELD} 条以上账本记录同一时刻（时钟慢于账本），或检查点早于其最后一条记录 {SKEW} 秒以上",
             f"{HELD} or more consecutive entries of one instant (the clock ran behind the ledger), or a "
             f"signed head more than {SKEW} s earlier than its last entry"),
    ),
    Definition(
        "late_conflict", 2, Text("抽取之后才申报的利害关系", "Conflicts that came up after the draw"),
        Text("在任专家任何一项：签署承诺书时勾选、抽取后申报，或回避申请成立",
             "any about a drawn expert: ticked on signing, declared after the draw, or a challenge upheld"),
    ),
    Definition(
        "dice", 3, Text("两人录入的随机数值不一致", "The two typed different values"),
        Text(f"同一来源 {MISMATCHES} 次以上", f"{MISMATCHES} or more at one source"),
    ),
    Definition(
        "phones", 3, Text("查看了完整的个人信息（电话、证件）", "Phones or identity numbers unmasked"),
        Text(f"每个账号的次数；一日内 {PHONES} 次以上排在前面",
             f"how often by each account; {PHONES} or more within a day come first"),
    ),
    Definition(
        "staff", 3, Text("新授予的监督或管理员角色", "Supervisors and administrators newly appointed"),
        Text(f"最近 {STAFF_DAYS} 天", f"within the last {STAFF_DAYS} days"),
    ),
    Definition(
        "drafts", 3, Text("承诺之前中止的申请", "Requests ended before any commitment"),
        Text("任何一次", "any"),
    ),
    Definition(
        "restore", 1, Text("恢复备份", "Restored backups"),
        Text("任何一次（恢复后的第一条账本记录）", "any: the first entry after it says so"),
    ),
)  # fmt: skip

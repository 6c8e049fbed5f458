"""The words that an expert signs before any material is shown, and the conflicts to tick.

Duties from S0 art. 35 and 40(4); the list follows the block rules C-01 to C-08. The digest of the
exact words is kept with each signature.
"""

from __future__ import annotations

from app.domain.ledger.canonical import digest
from app.domain.types import Text

CONFLICTS: dict[str, Text] = {
    "employed": Text(
        "近三年内曾在该县（市、区）所属单位任职",
        "I was employed by a body of this county within the last three years",
    ),
    "adviser": Text(
        "近三年内曾任其董事、监事或顾问",
        "I was its director, supervisor or adviser within three years",
    ),
    "shareholder": Text(
        "与其申报材料编制单位有持股、投资关系",
        "I hold shares in, or invest in, the contractor of its application",
    ),
    "kin": Text(
        "与其负责人有配偶、直系血亲、三代以内旁系血亲或近姻亲关系",
        "I am spouse, kin within three generations or close in-law of one of its heads",
    ),
    "drafting": Text(
        "参与过该申报材料的编制、咨询或前一阶段考核",
        "I took part in drafting, advising on, or an earlier assessment of its application",
    ),
    "dispute": Text("与其存在法律纠纷", "I am or was in a legal dispute with it"),
    "other": Text("有其他可能影响公正评审的关系", "Another tie that might harm a fair review"),
}

WORDS: dict[str, Text] = {
    "conflict": Text(
        "本人已逐项核对上列情形，如实声明是否存在利害关系；评审期间出现上述情形的，立即主动申请回避。",
        "I have gone through the items above and declare truthfully whether any of them applies; "
        "if one arises during the review I will stand aside at once.",
    ),
    "secrecy": Text(
        "本人承诺：独立、客观评审，对评分负责；不泄露申报材料、评审过程、评分和专家组成员情况；"
        "不与参评单位私下接触，不收受财物；接受现场监督和记录。违反承诺的，依照评选考核办法第四十条处理。",
        "I will review independently and stand by my marks; I will not disclose the materials, the "
        "proceedings, the marks or who sits on the panel; I will have no private contact with the "
        "counties and accept nothing from them; I accept supervision and recording. A breach is "
        "dealt with under article 40 of the measures.",
    ),
}


def words_digest(kind: str) -> str:
    """SHA-256 of the exact words in both languages, the conflict list included."""
    parts = [WORDS[kind].zh, WORDS[kind].en]
    if kind == "conflict":
        parts += [part for text in CONFLICTS.values() for part in (text.zh, text.en)]
    return digest(parts)

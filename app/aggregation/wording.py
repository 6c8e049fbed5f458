"""How numbers and the statistics' sentences are written for readers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from app.domain.statistics.rounding import half_up, shown
from app.domain.types import Text

AGGREGATE = Text("汇总", "aggregate")  # the step that a refusal names
_CJK = "\u2e80-\u9fff\uff00-\uffef“”"

_COEFFICIENTS = {
    "ICC(A,1)": Text(
        "单个专家评分的信度（绝对一致）", "reliability of one expert's mark (absolute)"
    ),
    "ICC(A,k)": Text("全组均分的信度（绝对一致）", "reliability of the panel's mean (absolute)"),
    "ICC(C,k)": Text(
        "只看相对高低时的信度；与上一行之差即宽严差异",
        "the same for consistency; the gap to the row above is severity",
    ),
}
_ERRORS = (
    (
        "sem",
        Text("单份评分的误差（分）", "Error of one mark (points)"),
        Text("测量标准误 SEM", "SEM"),
    ),
    (
        "sem_mean",
        Text("全组均分的误差（分）", "Error of the mean (points)"),
        Text("测量标准误 ÷ √k", "SEM ÷ √k"),
    ),
    (
        "sd_subject",
        Text("区县之间的差异（分）", "Spread between counties (points)"),
        Text("标准差", "standard deviation"),
    ),
    (
        "sd_rater",
        Text("专家宽严差异（分）", "Spread of severity (points)"),
        Text("标准差", "standard deviation"),
    ),
)


OWN_MARKS = Text(
    "一致性按专家自评项目（不含统一计算的指标）计算。",
    "Agreement is computed on the items that experts judge, without the computed ones.",
)
SEVERAL_FORMS = Text(
    "两类地区使用不同评分表，一致性合并计算。",
    "The classes use different forms; agreement is over both.",
)
_FULL_MARK = Text(
    "误差大小按满分 {f} 分判断。", "Whether an error is small goes by the full mark of {f} points."
)
_SIMULATED = Text(
    "模拟区间种子 {s}：α 重抽样 {a} 次；有缺评时信度模拟 {b} 次。",
    "Simulated intervals, seed {s}: {a} resamples for alpha; {b} rounds for the reliability where "
    "marks are missing.",
)


@dataclass(frozen=True, slots=True)
class Agreed:
    """Agreement of one panel in one stage; `basis` says on which marks it is computed."""

    title: Text
    n: int
    k: int
    rows: tuple[
        tuple[Text, str, str | None, str | None, Text], ...
    ]  # name, value, low, high, words
    verdict: str
    words: Text
    basis: tuple[Text, ...]


def agreed(entry: Mapping[str, Any], title: Text) -> Agreed:
    """A stored agreement in the rows that the paper prints."""
    rows: list[tuple[Text, str, str | None, str | None, Text]] = []
    for name, words in _COEFFICIENTS.items():
        form = entry["icc"][name]
        reason = Text.of(form["reason"]) if form.get("reason") else None
        rows.append(
            (
                Text(name, name),
                _four(form["value"]),
                None if form["low"] is None else _four(form["low"]),
                None if form["high"] is None else _four(form["high"]),
                words if reason is None else _both(words, reason),
            )
        )
    w = entry["kendall_w"]
    words = Text("各专家排序的一致程度（0 至 1）", "how alike the experts rank (0 to 1)")
    reason = Text.of(w["reason"]) if w.get("reason") else None
    if w["value"] is not None and w["subjects"] < entry["n"]:
        words = Text(
            f"{words.zh}；只含全体专家都评分的 {w['subjects']} 个区县",
            f"{words.en}; only the {w['subjects']} counties that all experts marked",
        )
    rows.append(
        (
            Text("Kendall W", "Kendall W"),
            _four(w["value"]),
            None,
            None,
            words if reason is None else _both(words, reason),
        )
    )
    for key, label, meaning in _ERRORS:
        rows.append((label, _four(entry[key]), None, None, meaning))
    verdict = entry["verdict"]
    text = Text.of(verdict["text"])
    words = Text(punctuated(text.zh), text.en)
    return Agreed(
        title, entry["n"], entry["k"], tuple(rows), verdict["level"], words, basis_of(entry)
    )


def basis_of(entry: Mapping[str, Any]) -> tuple[Text, ...]:
    """On which marks a stored agreement is computed, and what anybody needs to compute it again."""
    made = []
    if entry.get("basis") == "own":
        made.append(OWN_MARKS)
    if entry.get("forms", 1) > 1:
        made.append(SEVERAL_FORMS)
    if entry.get("full_mark") is not None:
        made.append(_FULL_MARK.format(f=format(Decimal(entry["full_mark"]).normalize(), "f")))
    if "seed" in entry:
        rounds = entry["resamples"]
        made.append(_SIMULATED.format(s=entry["seed"], a=rounds, b=rounds // 10))
    return tuple(made)


def punctuated(zh: str) -> str:
    """Chinese sentences with Chinese marks; numbers and names such as ICC(A,k) keep theirs."""
    zh = re.sub(rf"(?<=[{_CJK}]), ?|, ?(?=[{_CJK}])", "，", zh)
    zh = re.sub(r",(?=95 ?%)", "，", zh).replace("95 %", "95%")
    zh = re.sub(r"[:：] ?(?!//)", "：", zh)
    zh = re.sub(r"; ?", "；", zh)
    return re.sub(rf"\(([^()]*[{_CJK}][^()]*)\)", r"（\1）", zh).replace(" (", "(")


def swapped(pattern: str, words: str, text: str) -> str:
    """`text` with `words` for what fits `pattern`; backslashes in `words` mean nothing."""
    return re.sub(pattern, lambda _: words, text)


def padded(number: str, places: int) -> str:
    """`number` with at least `places` decimals; nothing is rounded."""
    whole, _, tail = number.partition(".")
    return f"{whole}.{tail.ljust(places, '0')}" if places else number


def places_of(numbers: Iterable[Decimal | None]) -> int:
    """The most decimals that any of the numbers has."""
    found = (number.as_tuple().exponent for number in numbers if number is not None)
    return max((-e for e in found if isinstance(e, int)), default=0)


def written(value: str | None) -> str | None:
    """A stored exact value for a reader: two decimals or as many as it has; an endless one is six
    decimals and an ellipsis."""
    if value is None:
        return None
    text = shown(Fraction(value))
    return text if text.endswith("…") else padded(text, 2)


def _both(words: Text, reason: Text) -> Text:
    return Text(f"{words.zh}。{punctuated(reason.zh)}", f"{words.en}. {reason.en}")


def _four(value: str | None) -> str:
    return "—" if value is None else str(half_up(Fraction(value), 4))


def rate_of(stored: Mapping[str, Any]) -> Text | None:
    """How often the rule fires for nothing, from the stored simulation; None for a plain fact."""
    alarm = stored["false_alarm"]
    if alarm is None:
        return None
    text = Text.of(alarm["text"])
    return Text(punctuated(text.zh), text.en)

"""What the figures about experts and lists mean, in sentences."""

from __future__ import annotations

from app.aggregation.reading import Reading
from app.aggregation.wording import punctuated
from app.documents.charts_raters import signed
from app.domain.statistics.raters import LEVEL, Consistency, Estimate
from app.domain.statistics.sensitivity import LeftOut, OtherRule
from app.domain.statistics.shadow import Shadow
from app.domain.types import Text

_NONE = Text("无", "none")


def said_text(text: Text, reading: Reading | None = None) -> Text:
    """A sentence of the statistics as printed: Chinese punctuation; with a run, names for codes."""
    if reading is not None:
        return reading.say({"zh": text.zh, "en": text.en}) or text
    return Text(punctuated(text.zh), text.en)


def severity_words(found: Estimate | Text) -> Text:
    """Strict or lenient, by how much, and whether that is more than chance."""
    if isinstance(found, Text):
        return said_text(found)
    if abs(found.value) <= 1.96 * found.se:
        text = Text("与其他专家没有明显差别", "no clear difference from the others")
    elif found.value < 0:
        text = Text("明显偏严", "clearly strict")
    else:
        text = Text("明显偏宽", "clearly lenient")
    return Text("{v} 分（标准误 {e:.2f}），{t}", "{v} points (SE {e:.2f}), {t}").format(
        v=signed(found.value, 2), e=found.se, t=text
    )


def consistency_words(found: Consistency | Text) -> Text:
    """How evenly he follows the panel, against the middle expert."""
    if isinstance(found, Text):
        return said_text(found)
    text = {
        "usual": Text("与其他专家相当", "as the others"),
        "erratic": Text("波动明显大于其他专家", "clearly more erratic than the others"),
        "even": Text("波动明显小于其他专家", "clearly closer to the panel than the others"),
    }[found.standing]
    return Text(
        "{t}（均方比 {v:.2f}，95% 界限 {a:.2f}–{b:.2f}）",
        "{t} (mean square {v:.2f}, 95 % limits {a:.2f}–{b:.2f})",
    ).format(t=text, v=found.value, a=found.low, b=found.high)


def drift_words(found: Estimate | Text) -> Text:
    """Whether the marks moved against the panel from the first county to the last."""
    if isinstance(found, Text):
        return said_text(found)
    sure = found.p is not None and found.p < LEVEL
    text = Text("有漂移", "it drifts") if sure else Text("没有明显漂移", "no clear drift")
    return Text(
        "{t}：首尾相差 {v} 分（校正 p = {p:.2f}）",
        "{t}: {v} points from first to last (corrected p = {p:.2f})",
    ).format(t=text, v=signed(found.value), p=1.0 if found.p is None else found.p)


def changed_list(reading: Reading, found: LeftOut | OtherRule | Shadow) -> Text:
    """Who would come in and who would fall out, by name."""
    if isinstance(found, Shadow):
        into, out = found.moved_in, found.moved_out
    else:
        into, out = found.into, found.out
    if not into and not out:
        return Text("名单不变", "the list stays")
    return Text("进入：{a}；退出：{b}", "in: {a}; out: {b}").format(
        a=_listed(reading, into), b=_listed(reading, out)
    )


def _listed(reading: Reading, keys: tuple[str, ...]) -> Text:
    if not keys:
        return _NONE
    names = [reading.names[key] for key in keys]
    return Text("、".join(n.zh for n in names), ", ".join(n.en for n in names))

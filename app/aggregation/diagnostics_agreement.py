"""Agreement of a panel in plain words: what three figures mean, what they trigger, what to do.

The coefficients are those that the run stored; ICC in words after Koo & Li 2016, W after Schmidt 1997.
Only where marks are missing and the F interval does not apply is something computed, and only when
asked: bounds by simulation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Any

from app.aggregation.reading import Reading
from app.aggregation.wording import basis_of, punctuated
from app.domain.statistics.additive import fit_additive
from app.domain.statistics.agreement import judge
from app.domain.statistics.alpha import alpha
from app.domain.statistics.icc import icc
from app.domain.statistics.observed import Observed
from app.domain.statistics.rounding import half_up
from app.domain.types import Text

REFITS = 60  # rounds of the simulated interval: enough for its ends, and seconds, not minutes
_FORMS = ("ICC(1,1)", "ICC(A,1)", "ICC(C,1)", "ICC(1,k)", "ICC(A,k)", "ICC(C,k)")
_ICC = (
    (0.9, Text("很高", "excellent")),
    (0.75, Text("较高", "good")),
    (0.5, Text("中等", "moderate")),
    (-9.0, Text("较低", "poor")),
)
_W = (
    (0.9, Text("各专家的排序几乎一样", "the experts rank almost alike")),
    (0.7, Text("各专家的排序很接近", "the experts rank much alike")),
    (0.5, Text("各专家的排序大体一致", "the experts rank roughly alike")),
    (0.3, Text("各专家的排序只有部分一致", "the experts rank only partly alike")),
    (-9.0, Text("各专家的排序很不一致", "the experts rank quite differently")),
)
_NO_MARKS = Text("没有评分。", "There are no marks.")
_ONE_COUNTY = Text("只有一个区县由两人以上评分。", "Two experts marked one county only.")
_DO: dict[str, tuple[Text, Text]] = {
    "rank_bands": (
        Text("排序旁注明名次区间", "Print the rank intervals"),
        Text(
            "报告和公布材料中，名次旁一律附名次区间；分差小于误差的不分先后。",
            "Wherever the ranking is printed its intervals stand beside it; what differs by less than "
            "the error is not told apart.",
        ),
    ),
    "note": (
        Text("加注说明", "A note"),
        Text(
            "由监督人员就一致性写明说明，随评审报告存档。",
            "The supervisor writes a note on the agreement, filed with the rating report.",
        ),
    ),
    "hold": (
        Text("暂缓排序", "Hold the ranking"),
        Text(
            "在校准或增补专家之前不起草、不公布排序。",
            "No ranking is drafted or published before calibration or more experts.",
        ),
    ),
    "calibrate": (
        Text("召开校准会", "Calibration meeting"),
        Text(
            "组长召集全组，对照残差图中分歧最大的区县逐项核对评分标准；只统一标准，不要求任何人改分。",
            "The leader gathers the panel and goes through the standard, item by item, for the counties "
            "with the largest residuals below. It settles the standard; nobody is asked for other marks.",
        ),
    ),
    "add_raters": (
        Text("增补专家", "More experts"),
        Text(
            "约需 {n} 位专家（现有 {k} 位）平均分信度才能达到 0.75；由创建办公室申请补充抽取。",
            "About {n} experts (now {k}) would bring the reliability of the mean to .75; the office asks "
            "for a supplementary draw.",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Headline:
    """One of the three figures: `value` None where it is not defined, and `words` say why."""

    label: Text
    value: str | None
    interval: tuple[str, str] | None
    words: Text


@dataclass(frozen=True, slots=True)
class AnnexRow:
    """One coefficient of the annex; `note`: convention of its interval, or why there is none."""

    name: Text
    value: str | None
    interval: tuple[str, str] | None
    note: Text | None


@dataclass(frozen=True, slots=True)
class ItemAgreement:
    """One judged item of a panel: alpha of its marks as distances, as grades in order and as mere
    categories, and the spread left between the experts. `alpha` is the interval one."""

    id: str
    title: Text
    maximum: str | None
    counties: int
    alpha: str | None
    reason: Text | None
    spread: str | None
    ordinal: str | None
    nominal: str | None


@dataclass(frozen=True, slots=True)
class PanelAgreement:
    """Agreement of one panel in one stage, ready to be read."""

    stage: str
    panel: str
    title: Text
    n: int
    k: int
    missing: int
    level: str
    text: Text
    basis: tuple[Text, ...]
    headlines: tuple[Headline, ...]
    actions: tuple[tuple[Text, Text], ...]
    model: Text
    annex: tuple[AnnexRow, ...]
    lacks_interval: bool


@dataclass(frozen=True, slots=True)
class Simulated:
    """Bounds of the reliability of the mean where no formula gives any; `verdict` on them."""

    low: str
    high: str
    rounds: int
    level: str
    text: Text


def panel_agreements(reading: Reading) -> list[PanelAgreement]:
    """Every panel of a run, as stored."""
    titles = {(stage["id"], code): title for stage, code, title in reading.panels()}
    return [
        _panel(entry, titles[entry["stage"], entry["panel"]])
        for entry in reading.results["agreement"]
    ]


def _panel(entry: Mapping[str, Any], title: Text) -> PanelAgreement:
    verdict = entry["verdict"]
    form = entry["icc"]["ICC(A,k)"]
    actions = []
    for name in verdict["actions"]:
        head, what = _DO[name]
        actions.append((head, what.format(n=verdict["raters_needed"], k=entry["k"])))
    return PanelAgreement(
        entry["stage"],
        entry["panel"],
        title,
        entry["n"],
        entry["k"],
        entry["missing"],
        verdict["level"],
        _sentence(said(verdict["text"])),
        basis_of(entry),
        (_reliability(form), _error(entry), _order(entry)),
        tuple(actions),
        said(entry["model"]),
        tuple(_annex(entry)),
        form["value"] is not None and form["low"] is None and entry["missing"] > 0,
    )


def said(stored: Mapping[str, str]) -> Text:
    """A stored sentence with Chinese punctuation."""
    return Text(punctuated(stored["zh"]), stored["en"])


def _sentence(text: Text) -> Text:
    """With a capital in English: the statistics' clauses begin small."""
    return Text(text.zh, text.en[:1].upper() + text.en[1:])


def _reliability(form: Mapping[str, Any]) -> Headline:
    label = Text("平均分的信度 ICC(A,k)", "Reliability of the mean, ICC(A,k)")
    if form["value"] is None:
        return Headline(label, None, None, said(form["reason"]))
    value = float(form["value"])
    grade = next(word for limit, word in _ICC if value >= limit)
    words = Text(
        "信度{g}。1 表示换一组专家会得到同样的高低之分，0 表示全凭偶然。",
        "Reliability is {g}. 1: another panel would tell the counties apart in the same way; 0: by "
        "chance alone.",
    ).format(g=grade)
    return Headline(label, _two(form["value"]), _bounds(form), words)


def _error(entry: Mapping[str, Any]) -> Headline:
    label = Text("平均分的误差（分）", "Error of the mean, in points")
    if entry["sem_mean"] is None:
        reason = entry["reasons"].get("sem_mean")
        return Headline(
            label, None, None, said(reason) if reason else Text("无定义", "not defined")
        )
    mean, residual = float(entry["sem_mean"]), float(entry["sd_residual"])
    whole = float(entry["sem"])
    # Severity of the same experts moves two counties of one panel alike; only the rest tells them apart.
    share = (mean / whole) if whole > 0 else 0.0
    least = 1.96 * sqrt(2.0) * residual * share
    words = Text(
        "单份评分的误差 SEM 为 {s} 分，全组平均后为 {m} 分。同组所评两个区县的均分相差不到 {d} 分的，"
        "分不出先后（95%）。",
        "One mark is off by {s} points (SEM), the panel's mean by {m}. Two counties of this panel whose "
        "means differ by less than {d} points cannot be told apart (95 %).",
    ).format(s=_two(entry["sem"]), m=_two(entry["sem_mean"]), d=f"{least:.2f}")
    return Headline(label, _two(entry["sem_mean"]), None, words)


def _order(entry: Mapping[str, Any]) -> Headline:
    label = Text("排序的一致程度 W", "Agreement of the order, W")
    w = entry["kendall_w"]
    if w["value"] is None:
        return Headline(label, None, None, said(w["reason"]))
    grade = next(word for limit, word in _W if float(w["value"]) >= limit)
    words = Text("{g}（1 为完全一致）。", "{g} (1: exactly alike).").format(g=grade)
    if w["subjects"] < entry["n"]:
        more = Text(
            "只含全体专家都评分的 {n} 个区县。", " Only the {n} counties that all experts marked."
        ).format(n=w["subjects"])
        words = Text(words.zh + more.zh, words.en + more.en)
    return Headline(
        label, _two(w["value"]), None, Text(words.zh, words.en[0].upper() + words.en[1:])
    )


def _annex(entry: Mapping[str, Any]) -> list[AnnexRow]:
    rows = []
    for name in _FORMS:
        form = entry["icc"][name]
        note = said(form["reason"]) if form.get("reason") else None
        if note is None and form.get("interval"):
            note = Text(form["interval"], form["interval"])
        rows.append(AnnexRow(Text(name, name), _four(form["value"]), _bounds(form, 4), note))
        other = form.get("other_interval")
        if other:
            note = Text(
                f"另一种算法：{other['interval']}", f"the other convention: {other['interval']}"
            )
            rows.append(AnnexRow(Text(name, name), _four(form["value"]), _bounds(other, 4), note))
    for key, label in (
        ("sd_subject", Text("方差分量：区县（标准差，分）", "component: counties (sd, points)")),
        ("sd_rater", Text("方差分量：专家宽严（标准差，分）", "component: severity (sd, points)")),
        ("sd_residual", Text("方差分量：残差（标准差，分）", "component: residual (sd, points)")),
        ("sem", Text("单份评分的误差 SEM（分）", "error of one mark, SEM (points)")),
        ("sem_mean", Text("全组均分的误差（分）", "error of the mean (points)")),
    ):
        rows.append(AnnexRow(label, _four(entry[key]), None, _reason(entry, key)))
    for scale, label in (
        ("interval", Text("Krippendorff α（定距）", "Krippendorff's alpha, interval")),
        ("ordinal", Text("Krippendorff α（定序）", "Krippendorff's alpha, ordinal")),
        ("nominal", Text("Krippendorff α（定类）", "Krippendorff's alpha, nominal")),
        ("ratio", Text("Krippendorff α（定比）", "Krippendorff's alpha, ratio")),
    ):
        why = entry["alpha"].get("reasons", {}).get(scale)
        band = _bounds(entry["alpha_interval"].get(scale) or {}, 4)
        rows.append(AnnexRow(label, _four(entry["alpha"][scale]), band, said(why) if why else None))
    for key, label in (
        ("ac1", Text("Gwet AC1", "Gwet's AC1")),
        ("ac2_quadratic", Text("Gwet AC2（二次权重）", "Gwet's AC2, quadratic weights")),
        ("fleiss_kappa", Text("Fleiss κ", "Fleiss' kappa")),
    ):
        band = _bounds(entry["intervals"].get(key) or {}, 4)
        rows.append(AnnexRow(label, _four(entry[key]), band, _reason(entry, key)))
    for key, label in (
        ("kendall_w", Text("Kendall W（同分校正）", "Kendall's W, corrected for ties")),
        ("tau_b", Text("平均 τ-b", "mean tau-b")),
    ):
        found = entry[key]
        why = found.get("reason")
        note = said(why) if why else None
        if key == "kendall_w" and found["value"] is not None:
            p = _four(found["p"])
            note = Text(
                f"χ² = {_two(found['chi2'])}，p = {p}", f"χ² = {_two(found['chi2'])}, p = {p}"
            )
        rows.append(AnnexRow(label, _four(found["value"]), None, note))
    for key, label in (
        ("exact_agreement", Text("两份评分完全相同的比例", "share of pairs of equal marks")),
        ("within_one", Text("两份评分相差不超过一档的比例", "share of pairs within one grade")),
    ):
        rows.append(AnnexRow(label, _four(entry[key]), None, _reason(entry, key)))
    return rows


def _reason(entry: Mapping[str, Any], key: str) -> Text | None:
    why = entry["reasons"].get(key)
    return said(why) if why else None


def item_agreements(reading: Reading, stage: str, panel: str) -> list[ItemAgreement]:
    """Agreement item by item: a total can agree where its items do not."""
    marks: dict[str, list[tuple[str, str, float]]] = {}
    items: dict[str, Mapping[str, Any]] = {}
    for key, row in reading.counties.items():
        part = row["stages"][stage]
        if part.get("panel") != panel:
            continue
        judged = {item["id"]: item for item in part["items"] if not item["computed"]}
        for name, item in judged.items():
            items.setdefault(name, item)
        for label, sheet in part["sheets"].items():
            for name, value in sheet["items"].items():
                if name in judged and sheet["total"] is not None:
                    marks.setdefault(name, []).append((key, label, float(value)))
    made = []
    for name, item in items.items():
        given = sorted(marks.get(name, []))
        seen = Observed(
            tuple(g[0] for g in given), tuple(g[1] for g in given), tuple(g[2] for g in given)
        )
        counties, _, table = seen.matrix()
        # Within one county there is no difference between counties that experts could agree on.
        shared = sum(sum(mark is not None for mark in row) >= 2 for row in table)
        value, ordinal, nominal = (
            _NO_MARKS if not given else _ONE_COUNTY if shared == 1 else alpha(table, scale)
            for scale in ("interval", "ordinal", "nominal")
        )
        fit = fit_additive(seen)
        why = said({"zh": value.zh, "en": value.en}) if isinstance(value, Text) else None
        made.append(
            ItemAgreement(
                name,
                Text.of(item["title"]),
                item["max"],
                len(counties),
                _hundredths(value),
                why,
                None if isinstance(fit, Text) else f"{fit.scale:.2f}",
                _hundredths(ordinal),
                _hundredths(nominal),
            )
        )
    return made


def _hundredths(value: float | Text) -> str | None:
    """Two decimals, never "-0.00"; None for a reason."""
    return None if isinstance(value, Text) else f"{round(value, 2) + 0.0:.2f}"


def simulated(reading: Reading, stage: str, panel: str) -> Simulated | Text:
    """Bounds of ICC(A,k) by parametric bootstrap on the panel's pattern of gaps, some seconds of
    computing; or why there are none."""
    rows = reading.own_rows(stage, panel) or reading.rows(stage, panel)
    table = [[None if m.value is None else float(m.value) for m in row.marks] for row in rows]
    found = icc(table, refits=REFITS)
    form = found.forms["ICC(A,k)"]
    if form.low is None or form.high is None:
        return form.reason or Text("区间无定义。", "The interval is not defined.")
    largest = max((abs(v) for row in table for v in row if v is not None), default=0.0)
    used = len({i for row in table for i, v in enumerate(row) if v is not None})
    verdict = judge(found, used, largest)
    return Simulated(
        f"{form.low:.2f}",
        f"{form.high:.2f}",
        REFITS,
        verdict.level,
        _sentence(said({"zh": verdict.text.zh, "en": verdict.text.en})),
    )


def _bounds(form: Mapping[str, Any], places: int = 2) -> tuple[str, str] | None:
    low, high = form.get("low"), form.get("high")
    return None if low is None or high is None else (_cut(low, places), _cut(high, places))


def _cut(value: str, places: int) -> str:
    return format(half_up(Fraction(value), places), "f")


def _two(value: str) -> str:
    return _cut(value, 2)


def _four(value: str | None) -> str | None:
    return None if value is None else _cut(value, 4)

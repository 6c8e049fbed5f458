"""Annexes on experts and panels: the declarations, all coefficients of agreement, item by item and of
pass or fail as well (the outline's 回避与保密承诺, 一致性分析)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.aggregation.diagnostics_agreement import ItemAgreement, item_agreements, said
from app.aggregation.diagnostics_checks import check_agreements
from app.aggregation.diagnostics_drawings import Residuals, stored_intervals
from app.domain.types import Text
from app.panel.models import Declaration
from app.programme.instruments import stage_text
from app.report.blocks import NOTHING, Block, charts, local, note, table
from app.report.source import Source

_KINDS = ("conflict", "secrecy")
_FIGURES: tuple[tuple[tuple[str, ...], Text], ...] = (
    *(
        (("icc", name), Text(name, name))
        for name in ("ICC(1,1)", "ICC(1,k)", "ICC(A,1)", "ICC(A,k)", "ICC(C,1)", "ICC(C,k)")
    ),
    (("alpha", "interval"), Text("α（定距）", "alpha, interval")),
    (("alpha", "ordinal"), Text("α（定序）", "alpha, ordinal")),
    (("alpha", "nominal"), Text("α（定类）", "alpha, nominal")),
    (("ac1",), Text("AC1", "AC1")),
    (("ac2_quadratic",), Text("AC2（二次权重）", "AC2, quadratic weights")),
    (("fleiss_kappa",), Text("Fleiss κ", "Fleiss' kappa")),
    (("kendall_w",), Text("Kendall W", "Kendall's W")),
    (("tau_b",), Text("平均 τ-b", "mean tau-b")),
    (("exact_agreement",), Text("完全相同的比例", "share of equal marks")),
)

_BY_ITEM = Text(
    "只列专家自评的项目。α 为 1 表示完全一致，0 表示与随机无异；县与县差别小的项目 α 会低。“—”：没有差异，无定义。离散为专家之间剩余的标准差。",
    "Items that experts judge. Alpha: 1 alike, 0 as by chance; low where counties hardly differ. “—”: no "
    "variation, not defined. Spread: the standard deviation left between experts.",
)
_CHECK = Text(
    "{t}：通过与否的一致性（{n} 个县、{k} 位专家、{v} 张查验表，其中 {f} 张未通过）",
    "{t}: agreement on pass or fail ({n} counties, {k} experts, {v} sheets, {f} of them failed)",
)
_BY_CHECK = Text(
    "多数县都通过时 κ 接近 0 而专家其实一致，因此看 AC1（Gwet 2008）。只列有人判为未通过的项目，其余项目结论全部相同。",
    "Where nearly every county passes kappa is near 0 although the experts agree, so go by AC1 (Gwet 2008). "
    "Items that somebody failed are listed; on the others all agreed.",
)


def declarations(s: Source) -> list[Block]:
    """Who signed which declaration when, by seat; the words of a declaration stay with the office."""
    seats = {seat.id: (member, panel, seat) for member in s.members for panel, seat in member.seats}
    signed: dict[str, dict[str, Declaration]] = {}
    for row in s.session.scalars(select(Declaration).where(Declaration.seat_id.in_(seats))):
        signed.setdefault(row.seat_id, {})[row.kind] = row
    rows = []
    ordered = sorted(seats.values(), key=lambda x: (x[1].stage, x[1].code, x[2].number))
    for _, panel, seat in ordered:
        found = signed.get(seat.id, {})
        rows.append(
            [
                stage_text(panel.stage),
                str(seat.number),
                *(local(found[k].signed_at, s.zone) if k in found else NOTHING for k in _KINDS),
            ]
        )
    columns: list[tuple[Any, str, Any]] = [
        (Text("专家组", "Panel"), "left", 2),
        (Text("席位", "Seat"), "center", "auto"),
        (Text("回避承诺签署时间", "Conflicts declared"), "left", 3),
        (Text("保密承诺签署时间", "Secrecy declared"), "left", 3),
    ]
    return [table(Text("承诺书签署情况", "Declarations"), columns, rows)]


def agreement_in_full(s: Source) -> list[Block]:
    """Every stored coefficient of every panel, with its interval where it has one."""
    titles = {(stage["id"], code): title for stage, code, title in s.reading.panels()}
    made: list[Block] = []
    for entry in s.reading.results["agreement"]:
        title = titles[entry["stage"], entry["panel"]]
        rows: list[list[Any]] = []
        for path, name in _FIGURES:
            value, low, high = _figure(entry, path)
            why = _why(entry, path)
            if value is None:
                rows.append([name, NOTHING, why or NOTHING])
                continue
            band = Text(f"{low} 至 {high}", f"{low} to {high}")
            rows.append([name, value, band if low is not None else why or NOTHING])
        columns: list[tuple[Any, str, Any]] = [
            (Text("系数", "Coefficient"), "left", 2),
            (Text("数值", "Value"), "right", 1),
            (Text("95% 区间，或没有的原因", "95% interval, or why there is none"), "center", 3),
        ]
        model = entry.get("model")
        foot = Text.of(model) if model else NOTHING
        caption = Text(f"{title.zh}：全部系数", f"{title.en}: all coefficients")
        made.append(table(caption, columns, rows, Text(f"模型：{foot.zh}。", f"Model: {foot.en}.")))
    for (stage, panel), title in titles.items():
        made += item_by_item(title, item_agreements(s.reading, stage, panel))
    made += pass_or_fail(s.reading.counties)
    made += _pictures(s, titles)
    made.append(
        note(
            Text(
                "全部按未去高低分的有效评分计算；没有定义的系数写明原因。",
                "All on the valid marks with nothing dropped; where a coefficient is not defined, the "
                "reason stands in its place.",
            )
        )
    )
    return made


def item_by_item(title: Text, found: Sequence[ItemAgreement]) -> list[Block]:
    """Alpha and spread of every item that the experts of a panel judge."""
    if not found:
        return []
    columns: list[tuple[Any, str, Any]] = [
        (Text("项目", "Item"), "left", 5),
        (Text("县数", "Counties"), "right", "auto"),
        (Text("α 定距", "α interval"), "right", "auto"),
        (Text("α 定序", "α ordinal"), "right", "auto"),
        (Text("α 定类", "α nominal"), "right", "auto"),
        (Text("离散（分）", "Spread (points)"), "right", "auto"),
    ]
    rows: list[list[Any]] = [
        [
            Text(f"{item.id} {item.title.zh}", f"{item.id} {item.title.en}"),
            str(item.counties),
            *(value or NOTHING for value in (item.alpha, item.ordinal, item.nominal, item.spread)),
        ]
        for item in found
    ]
    caption = Text(f"{title.zh}：逐项一致性", f"{title.en}: agreement item by item")
    return [table(caption, columns, rows, _BY_ITEM)]


def pass_or_fail(counties: Mapping[str, Mapping[str, Any]]) -> list[Block]:
    """Agreement of the verdicts of a check on site."""
    made: list[Block] = []
    columns: list[tuple[Any, str, Any]] = [
        (Text("系数", "Coefficient"), "left", 4),
        (Text("数值", "Value"), "right", 1),
        (Text("95% 区间，或没有的原因", "95% interval, or why there is none"), "center", 3),
    ]
    for check in check_agreements(counties):
        rows: list[list[Any]] = []
        for row in check.rows:
            band: Text | None = row.note
            if row.interval:
                low, high = row.interval
                band = Text(f"{low} 至 {high}", f"{low} to {high}")
            rows.append([row.name, row.value or NOTHING, band or NOTHING])
        caption = _CHECK.format(t=check.title, n=check.n, k=check.k, v=check.votes, f=check.failed)
        made.append(table(caption, columns, rows, _BY_CHECK))
    return made


def _pictures(s: Source, titles: Mapping[tuple[str, str], Text]) -> list[Block]:
    """How sure the ranks are, and where experts and counties did not go together."""
    words = Text(
        "名次区间：横条为 90% 的模拟所在的名次范围，菱形为正式名次",
        "Rank intervals: bars cover the ranks of 90 % of the draws, diamonds are the official ranks",
    )
    made = charts(stored_intervals(s.reading, s.language), words)
    for (stage, panel), title in titles.items():
        found = Residuals(s.reading, stage, panel)
        if found.reason is None:
            words = Text(
                f"{title.zh}残差：扣除区县高低和专家宽严之后剩下的分数，划线的按规则去掉",
                f"{title.en}, residuals: what is left of a mark after county and severity are taken "
                "out; struck: dropped by the rule",
            )
            made += charts(found.pages(s.language), words)
    return made


def _figure(
    entry: Mapping[str, Any], path: tuple[str, ...]
) -> tuple[str | None, str | None, str | None]:
    """(value, low, high) with four decimals as stored; None where there is none."""
    found: Any = entry
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    band: Any = found if isinstance(found, Mapping) else entry.get("intervals", {}).get(path[-1])
    if path[0] == "alpha":
        band = (entry.get("alpha_interval") or {}).get(path[1])
    value = found.get("value") if isinstance(found, Mapping) else found
    low, high = (band.get("low"), band.get("high")) if isinstance(band, Mapping) else (None, None)
    return _four(value), _four(low), _four(high)


def _why(entry: Mapping[str, Any], path: tuple[str, ...]) -> Text | None:
    """Why a figure or its interval is not defined, as the page says it."""
    found: Any = entry
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    reason = found.get("reason") if isinstance(found, Mapping) else None
    if reason is None:
        part = entry.get("alpha", {}) if path[0] == "alpha" else entry
        reason = part.get("reasons", {}).get(path[-1])
    return None if reason is None else said(reason)


def _four(value: Any) -> str | None:
    return None if value is None else format(Decimal(value).quantize(Decimal("0.0001")), "f")

"""Anomalies of the statistics: operators, experts and employers far from what chance explains."""

from __future__ import annotations

from collections.abc import Iterator

from app.domain.types import Text
from app.supervision.definitions import Anomaly
from app.supervision.rates import Operator, Rates
from app.supervision.shares import Share, Shares

QUESTIONS = (
    ("declined", Text("谢绝", "declines")),
    ("unreachable", Text("联系不上", "calls without an answer")),
    ("removed", Text("更换", "removals")),
)


def find(rates: Rates, shares: Shares, notes: dict[str, Text]) -> Iterator[Anomaly]:
    """Whoever is `high`; `notes` says where there is too little to say anything."""
    for code, what in QUESTIONS:
        for row in getattr(rates, code):
            if row.judged.verdict == "high":
                yield _operator(row, what)
    held = [row for code, _ in QUESTIONS for row in getattr(rates, code)]
    if not held:
        notes["operator"] = Text("还没有联系记录", "no calls on record yet")
    elif all(row.judged.verdict == "few" for row in held):
        notes["operator"] = Text(
            "数据太少，说明不了什么（只有一位经办人，或次数太少）",
            "too few to say (a single operator, or too few calls)",
        )
    yield from _group("expert", shares.experts, notes, shares)
    yield from _group("employer", shares.employers, notes, shares)


def _operator(row: Operator, what: Text) -> Anomaly:
    return Anomaly(
        "operator",
        Text(
            f"{row.name or '—'}：{what.zh} {row.rate.k}/{row.rate.n}（{row.rate.share:.0%}），"
            f"其余人合计 {row.others.k}/{row.others.n}（{row.others.share:.0%}），"
            f"校正后 p = {row.judged.adjusted:.2g}",
            f"{row.name or '—'}: {what.en} {row.rate.k}/{row.rate.n} ({row.rate.share:.0%}), all others "
            f"{row.others.k}/{row.others.n} ({row.others.share:.0%}), adjusted p = "
            f"{row.judged.adjusted:.2g}",
        ),
        "supervision.rates",
        weight=-row.judged.adjusted,
    )


def _group(
    code: str, rows: list[Share], notes: dict[str, Text], shares: Shares
) -> Iterator[Anomaly]:
    for row in rows:
        if row.judged.verdict == "high":
            name = f"{row.number} {row.name}".strip()
            yield Anomaly(
                code,
                Text(
                    f"{name}：抽中 {row.drawn} 次，期望 {row.expected:.2f} 次，校正后 p = "
                    f"{row.judged.adjusted:.2g}",
                    f"{name}: drawn {row.drawn} times, expected {row.expected:.2f}, adjusted p = "
                    f"{row.judged.adjusted:.2g}",
                ),
                "supervision.shares",
                {"of": code},
                -row.judged.adjusted,
            )
    if not rows:
        notes[code] = Text("还没有可计算的抽取", "no draw to compute from yet")
    elif all(row.judged.verdict == "few" for row in rows):
        notes[code] = Text(
            f"数据太少（{shares.counted} 次抽取）：即使每次都被抽中也说明不了什么",
            f"too few to say (draws: {shares.counted}): even being drawn every time would show nothing",
        )

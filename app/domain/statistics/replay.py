"""Redo the arithmetic of a score from its steps alone.

Written apart from the code that made the steps (plain fractions and sorting), so that an error in
one is seen by the other. Works on the JSON form: a stored or printed trace can be checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from app.domain.types import Text


def _round(value: Fraction, places: int | None) -> Fraction:
    if places is None:
        return value
    scaled = abs(value) * 10**places + Fraction(1, 2)
    whole = Fraction(scaled.numerator // scaled.denominator, 10**places)
    return -whole if value < 0 else whole


def _estimate(inputs: Mapping[str, Any]) -> Fraction | None:
    marks = sorted((Fraction(mark), rater) for rater, mark in inputs["marks"].items())
    values = [mark for mark, _ in marks]
    drop, size = int(inputs["drop"]), len(values)
    match inputs["estimator"]:
        case "mean" | "trimmed_mean" | "median":
            if inputs["estimator"] == "median" and drop != (size - 1) // 2:
                return None
            kept = values[drop : size - drop]
        case "winsorised":
            inner = values[drop : size - drop]
            kept = [inner[0]] * drop + inner + [inner[-1]] * drop
        case _:
            # Iterative: its result is repeated by the estimator itself, not by four operations.
            return None
    return sum(kept, Fraction(0)) / len(kept)


def _weighted_sum(inputs: Mapping[str, Any]) -> Fraction:
    parts: dict[tuple[str, str], Fraction] = {}
    for item, value, weight, section in inputs["lines"]:
        key = ("item", item) if section is None else ("section", section)
        product = _round(Fraction(value) * Fraction(weight), inputs["product"])
        parts[key] = parts.get(key, Fraction(0)) + product
    total = Fraction(0)
    for (kind, name), part in parts.items():
        weight, cap = inputs.get("sections", {}).get(name, ("1", None)) if kind == "section" else ("1", None)  # fmt: skip
        part = part if cap is None else min(part, Fraction(cap))
        total += _round(part * Fraction(weight), inputs["section"])
    return total


def redo(step: Mapping[str, Any]) -> Fraction | None:
    """The result of one step (its JSON form) computed afresh; None for steps without a number."""
    inputs = step["inputs"]
    match step["op"]:
        case "estimate":
            value = _estimate(inputs)
            return None if value is None else _round(value, inputs["places"])
        case "weighted_sum":
            return _round(_weighted_sum(inputs), inputs["places"])
        case "given":
            return _round(Fraction(inputs["value"]), inputs["places"])
        case "product":
            return _round(Fraction(inputs["a"]) * Fraction(inputs["b"]), inputs["places"])
        case "sum":
            total = sum((Fraction(term) for term in inputs["terms"]), Fraction(0))
            return _round(total, inputs["places"])
        case "bonus_cap":
            return min(Fraction(inputs["asked"]), Fraction(inputs["cap"]))
        case "adjust":
            return Fraction(inputs["total"]) + Fraction(inputs["adjust"])
    return None


def differences(subject: Mapping[str, Any]) -> list[Text]:
    """Check a subject's JSON (`SubjectScore.to_json()`): every step, the chain, and the total.

    Returns one sentence per difference; an empty list means that the score stands.
    """
    found: list[Text] = []
    steps: Sequence[Mapping[str, Any]] = subject["steps"]
    for number, step in enumerate(steps, start=1):
        value = redo(step)
        if value is not None and (step["result"] is None or value != Fraction(step["result"])):
            found.append(
                Text(
                    f"第 {number} 步应为 {value},记录为 {step['result']}。",
                    f"Step {number} gives {value}, the record says {step['result']}.",
                )
            )
    sums = [step for step in steps if step["op"] == "sum"]
    adjusts = [step for step in steps if step["op"] == "adjust"]
    if subject["total"] is None:
        return found
    if len(sums) != 1 or len(adjusts) > 1:
        return [*found, Text("缺少求和步骤。", "The step that adds up the total is missing.")]
    terms = [Fraction(term) for term in sums[0]["inputs"]["terms"]]
    stages = [Fraction(stage["contribution"]) for stage in subject["stages"].values()]
    if terms != stages:
        found.append(
            Text("求和项与各阶段得分不符。", "The terms of the total are not the stages' values.")
        )
    before = Fraction(sums[0]["result"])
    if adjusts and Fraction(adjusts[0]["inputs"]["total"]) != before:
        found.append(
            Text("加减分不是从总分起算。", "The adjustment does not start from the total.")
        )
    last = (adjusts or sums)[0]["result"]
    # An endless total is published with ten decimals; everything else is published as it stands.
    published = _round(Fraction(last), 10) if "/" in last else Fraction(last)
    if published != Fraction(subject["total"]):
        found.append(
            Text(
                f"最后一步为 {last},公布总分为 {subject['total']}。",
                f"The last step is {last}, the published total {subject['total']}.",
            )
        )
    return found + _chain(steps, subject["stages"])


def _chain(steps: Sequence[Mapping[str, Any]], stages: Mapping[str, Any]) -> list[Text]:
    """Whether each stage's last line is the value that enters the total, and what fell fell."""
    found: list[Text] = []
    for name, stage in stages.items():
        own = [s for s in steps if s["stage"] == name and s["result"] is not None]
        if not own or Fraction(own[-1]["result"]) != Fraction(stage["contribution"]):
            found.append(
                Text(
                    f"阶段 {name} 的步骤与其得分不符。",
                    f"The steps of stage {name} miss its value.",
                )
            )
        if own and own[-1]["op"] == "product":
            before = [s for s in own[:-1] if s["op"] != "estimate" or s["item"] is None] or own[:-1]
            if not before or Fraction(before[-1]["result"]) != Fraction(own[-1]["inputs"]["a"]):
                found.append(
                    Text(f"阶段 {name} 加权的不是其得分。", f"Stage {name} weights another value.")
                )
    for step in steps:
        if step["op"] == "estimate" and step["inputs"]["estimator"] in ("trimmed_mean", "median"):
            inputs = step["inputs"]
            order = sorted((Fraction(mark), rater) for rater, mark in inputs["marks"].items())
            drop = inputs["drop"]
            fell = sorted(rater for _, rater in order[:drop] + order[len(order) - drop :])
            if fell != list(inputs["dropped"]):
                found.append(
                    Text(
                        f"去掉的应为 {fell},记录为 {inputs['dropped']}。",
                        f"{fell} fall, the record says {inputs['dropped']}.",
                    )
                )
    return found

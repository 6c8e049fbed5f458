"""Vetoes (一票否决): gates beside the marks, with the limits exactly as the notice writes them.

The notices differ: the national rule of 2012 needs 100 mu AND 10 %, Jiangsu's of 2022 100 mu OR
15 %, all inclusive. So a veto is an expression shown to the reader, and an unknown figure leaves it
open: it is never "clear" by absence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.domain.scoring.expressions import MissingValue, Tree, Value, evaluate_truth
from app.domain.scoring.scheme_parts import Veto
from app.domain.types import Text

State = Literal["vetoed", "clear", "missing", "opinion"]


@dataclass(frozen=True, slots=True)
class VetoFinding:
    """`opinion`: no rule is known, a signed opinion decides; `missing`: the figure named is absent."""

    veto_id: str
    state: State
    missing: str | None
    rule: Text | None
    lacks: Text | None = None  # the absent figure in words


def evaluate_veto(veto: Veto, values: Mapping[str, Value | None]) -> bool:
    """Whether the veto strikes. Raises MissingValue by name; ValueError without an expression."""
    if veto.expression is None:
        raise ValueError(f"veto {veto.id} has no expression: a signed opinion decides")
    return evaluate_truth(veto.expression.tree, values)


def evaluate_vetoes(
    vetoes: Sequence[Veto],
    values: Mapping[str, Value | None],
    titles: Mapping[str, Text] | None = None,
) -> tuple[VetoFinding, ...]:
    """One finding per veto, in order. `titles` names figures and facts for the printed rule."""
    findings = []
    for veto in vetoes:
        if veto.expression is None:
            findings.append(VetoFinding(veto.id, "opinion", None, None))
            continue
        rule = describe(veto.expression.tree, titles or {})
        try:
            state: State = "vetoed" if evaluate_veto(veto, values) else "clear"
            findings.append(VetoFinding(veto.id, state, None, rule))
        except MissingValue as error:
            lacks = (titles or {}).get(error.name, Text.of(error.name))
            findings.append(VetoFinding(veto.id, "missing", error.name, rule, lacks))
    return tuple(findings)


_SIGNS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "=", "!=": "≠"}
_LIMITS = {
    "<=": Text("（含）", " (inclusive)"),
    ">=": Text("（含）", " (inclusive)"),
}


def describe(tree: Tree, titles: Mapping[str, Text]) -> Text:
    """An expression in words: signs, and/or, and whether a limit is inclusive."""
    if "num" in tree:
        return Text(tree["num"], tree["num"])
    if "name" in tree:
        return titles.get(tree["name"], Text(tree["name"], tree["name"]))
    operator = tree["op"]
    parts = [describe(argument, titles) for argument in tree["args"]]
    if operator in _SIGNS:
        limit = _LIMITS.get(operator, Text("", ""))
        return Text("{a} {s} {b}{l}", "{a} {s} {b}{l}").format(
            a=parts[0], s=_SIGNS[operator], b=parts[1], l=limit
        )
    if operator == "not":
        return Text("并非（{a}）", "not ({a})").format(a=parts[0])
    if operator in ("and", "or"):
        zh, en = (" 且 ", " and ") if operator == "and" else (" 或 ", " or ")
        wrapped = [
            Text("（{a}）", "({a})").format(a=part) if _joined(argument, operator) else part
            for part, argument in zip(parts, tree["args"], strict=True)
        ]
        return Text(zh.join(p.zh for p in wrapped), en.join(p.en for p in wrapped))
    if operator == "neg":
        return Text("−{a}", "−{a}").format(a=parts[0])
    if operator in ("min", "max"):
        listed = Text(", ".join(p.zh for p in parts), ", ".join(p.en for p in parts))
        return Text(operator + "({a})", operator + "({a})").format(a=listed)
    return Text("({a} {s} {b})", "({a} {s} {b})").format(a=parts[0], s=operator, b=parts[1])


def _joined(argument: Tree, outer: str) -> bool:
    return argument.get("op") in ("and", "or") and argument["op"] != outer

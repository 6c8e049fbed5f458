"""A small, exact expression language for formulas, conditions and vetoes.

Python's own parser reads the text; a whitelist of node types decides what stays. The result is a
JSON tree, evaluated here and by the tablet, so both compute the same number. Literals are read from
the source digits (0.1 never is a float), every name must be declared with its type, and an absent
value raises `MissingValue` instead of standing for zero.

Grammar: numbers, names, + - * /, unary minus, one comparison (< <= > >= == !=), and, or, not,
min(a, b, ...), max(a, b, ...).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import (
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    localcontext,
)
from typing import Any, Literal

from app.domain.types import DomainError, Text

Kind = Literal["num", "bool"]
Tree = dict[str, Any]
Value = Decimal | int | bool

MAX_LENGTH = 500
MAX_DEPTH = 30

_ALLOWED_CHARACTERS = re.compile(r"[A-Za-z0-9_ .+\-*/()<>=!,]*\Z")
_LITERAL = re.compile(r"[0-9]+(\.[0-9]+)?\Z")
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


class ExpressionError(DomainError):
    """The text is not an expression of this language; found when a form is loaded, not on the day."""


class MissingValue(DomainError):
    """A name has no value. `name` says which; it is never taken for zero or for false."""

    def __init__(self, name: str) -> None:
        super().__init__(
            Text(
                "缺少数据：{n}。未按零计算，请补录后再算。",
                "Missing value: {n}. It was not taken as zero; enter it and compute again.",
            ).format(n=name),
            field=name,
        )
        self.name = name


class ZeroDenominator(DomainError):
    """A division by zero; the form states what the result is then."""

    def __init__(self) -> None:
        super().__init__(
            Text(
                "分母为零，按表中规定的结果处理。",
                "The denominator is zero; the form states the result.",
            )
        )


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression: its source, its JSON tree, its type and the names it reads."""

    source: str
    tree: Tree
    kind: Kind
    names: frozenset[str]
    divides: bool
    """True when a divisor is not a plain non-zero number, so that it can be zero on the day."""


def exact_context() -> Context:
    """34 digits, half up, and no silent NaN or infinity: the arithmetic of every score."""
    return Context(
        prec=34,
        rounding=ROUND_HALF_UP,
        traps=[InvalidOperation, DivisionByZero, Overflow],
    )


def compile_expression(source: str, names: Mapping[str, Kind], want: Kind) -> Expression:
    """Check `source` against the declared `names` (name -> "num"|"bool") and the wanted result type.

    Raises ExpressionError with the offending piece of text.
    """
    text = source.strip()
    if not text or len(text) > MAX_LENGTH:
        raise _refuse(text[:40], "空或超过 500 字符", "empty or longer than 500 characters")
    if not _ALLOWED_CHARACTERS.match(text):
        raise _refuse(text[:40], "含有不允许的字符", "a character that is not allowed")
    if _bracket_depth(text) > MAX_DEPTH:
        raise _refuse(text[:40], "括号嵌套过深", "brackets nested too deeply")
    try:
        body = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise _refuse(text[:40], "语法有误", "not well formed") from error
    compiler = _Compiler(text, names)
    tree, kind = compiler.node(body, 1)
    if kind != want:
        raise _refuse(
            text[:40],
            f"结果类型应为 {want}",
            f"the result must be {want}, it is {kind}",
        )
    return Expression(text, tree, kind, frozenset(compiler.seen), compiler.divides)


def _bracket_depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        deepest = max(deepest, depth)
    return deepest


def _refuse(piece: str, zh: str, en: str) -> ExpressionError:
    return ExpressionError(
        Text("表达式不可用（{why}）：{piece}", "Expression refused ({why}): {piece}").format(
            why=Text(zh, en), piece=piece
        )
    )


class _Compiler:
    def __init__(self, text: str, names: Mapping[str, Kind]) -> None:
        self.text = text
        self.names = names
        self.seen: set[str] = set()
        self.divides = False

    def node(self, node: ast.expr, depth: int) -> tuple[Tree, Kind]:
        if depth > MAX_DEPTH:
            raise _refuse(self.text[:40], "嵌套过深", "nested too deeply")
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                literal = ast.get_source_segment(self.text, node) or ""
                if not _LITERAL.match(literal):
                    raise _refuse(literal, "数字只能写成普通十进制", "only plain decimal numbers")
                return {"num": literal}, "num"
            case ast.Name(id=name):
                if name not in self.names:
                    raise _refuse(name, "未声明的名称", "a name that is not declared")
                self.seen.add(name)
                return {"name": name}, self.names[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return {"op": "neg", "args": [self.want(operand, "num", depth)]}, "num"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return {
                    "op": "not",
                    "args": [self.want(operand, "bool", depth)],
                }, "bool"
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
                arguments = [
                    self.want(left, "num", depth),
                    self.want(right, "num", depth),
                ]
                symbol = _BINARY[type(operator)]
                if symbol == "/":
                    self._note_division(arguments[1])
                return {"op": symbol, "args": arguments}, "num"
            case ast.Compare(left=left, ops=[operator], comparators=[right]) if (
                type(operator) in _COMPARE
            ):
                arguments = [
                    self.want(left, "num", depth),
                    self.want(right, "num", depth),
                ]
                return {"op": _COMPARE[type(operator)], "args": arguments}, "bool"
            case ast.BoolOp(op=joiner, values=values):
                symbol = "and" if isinstance(joiner, ast.And) else "or"
                return {
                    "op": symbol,
                    "args": [self.want(v, "bool", depth) for v in values],
                }, "bool"
            case ast.Call(func=ast.Name(id=function), args=[_, _, *_] as values, keywords=[]) if (
                function in ("min", "max")
            ):
                return {
                    "op": function,
                    "args": [self.want(v, "num", depth) for v in values],
                }, "num"
        piece = ast.get_source_segment(self.text, node) or self.text
        raise _refuse(piece[:40], "不允许的写法", "not allowed")

    def want(self, node: ast.expr, kind: Kind, depth: int) -> Tree:
        tree, found = self.node(node, depth + 1)
        if found != kind:
            piece = ast.get_source_segment(self.text, node) or ""
            raise _refuse(piece[:40], f"此处应为 {kind}", f"{kind} expected here, found {found}")
        return tree

    def _note_division(self, divisor: Tree) -> None:
        if "num" in divisor:
            if Decimal(divisor["num"]) == 0:
                raise _refuse(self.text[:40], "除以零", "a division by zero")
        else:
            self.divides = True


_ARITHMETIC: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}
_COMPARISON: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def evaluate_number(tree: Tree, values: Mapping[str, Value | None]) -> Decimal:
    """The number of a "num" tree. Raises MissingValue, ZeroDenominator, ExpressionError."""
    with localcontext(exact_context()):
        return _number(tree, values)


def evaluate_truth(tree: Tree, values: Mapping[str, Value | None]) -> bool:
    """The truth of a "bool" tree. Raises MissingValue, ZeroDenominator, ExpressionError.

    Every operand is evaluated: `a and b` with b unknown is unknown even if a is false, so that a
    decision never depends on the order in which data arrive.
    """
    with localcontext(exact_context()):
        return _truth(tree, values)


def _lookup(name: str, values: Mapping[str, Value | None]) -> Value:
    value = values.get(name)
    if value is None:
        raise MissingValue(name)
    return value


def _number(tree: Tree, values: Mapping[str, Value | None]) -> Decimal:
    if "num" in tree:
        return Decimal(tree["num"])
    if "name" in tree:
        value = _lookup(tree["name"], values)
        if isinstance(value, bool) or not isinstance(value, (Decimal, int)):
            raise _refuse(tree["name"], "应为十进制数", "a decimal number expected")
        number = Decimal(value)
        if not number.is_finite():
            raise _refuse(tree["name"], "不是有限数", "not a finite number")
        return number
    operator = tree["op"]
    arguments = [_number(argument, values) for argument in tree["args"]]
    if operator == "neg":
        return -arguments[0]
    if operator == "/":
        if arguments[1] == 0:
            raise ZeroDenominator
        return arguments[0] / arguments[1]
    if operator == "min":
        return min(arguments)
    if operator == "max":
        return max(arguments)
    return _ARITHMETIC[operator](arguments[0], arguments[1])


def _truth(tree: Tree, values: Mapping[str, Value | None]) -> bool:
    if "name" in tree:
        value = _lookup(tree["name"], values)
        if not isinstance(value, bool):
            raise _refuse(tree["name"], "应为是或否", "yes or no expected")
        return value
    operator = tree["op"]
    if operator in _COMPARISON:
        left, right = (_number(argument, values) for argument in tree["args"])
        return _COMPARISON[operator](left, right)
    arguments = [_truth(argument, values) for argument in tree["args"]]
    if operator == "not":
        return not arguments[0]
    return all(arguments) if operator == "and" else any(arguments)

"""Which addresses are pages that a person reads: found in the program, not listed by hand."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

FILE_ENDS = (".pdf", ".zip", ".json", ".xlsx", ".docx", ".yaml", ".js", ".csv", ".kind>", "name>")


def page_rules(app: Any) -> dict[str, Any]:
    """endpoint -> rule of every GET whose view comes to `render_template`, but for addresses of files."""
    found = {}
    for rule in app.url_map.iter_rules():
        view = inspect.unwrap(app.view_functions[rule.endpoint])
        if "GET" not in (rule.methods or ()) or _is_file(rule.rule):
            continue
        if isinstance(view, FunctionType) and _renders(view):
            found[rule.endpoint] = rule
    return found


def _is_file(address: str) -> bool:
    return address.endswith(FILE_ENDS) or address.endswith((".part", "/state"))


def _renders(view: FunctionType) -> bool:
    seen: set[CodeType] = set()
    todo: list[FunctionType] = [view]
    while todo:
        function = todo.pop()
        for code in _codes(function.__code__):
            if code in seen:
                continue
            seen.add(code)
            if "render_template" in code.co_names:
                return True
            todo += _called(function, code)
    return False


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code and those of functions written inside it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _called(function: FunctionType, code: CodeType) -> list[FunctionType]:
    """Functions of the views' side of the app that this code names, by itself or in a module."""
    space = function.__globals__
    named = [space[n] for n in code.co_names if n in space]
    for module in [n for n in named if isinstance(n, ModuleType)]:
        named += [vars(module)[n] for n in code.co_names if n in vars(module)]
    found = [inspect.unwrap(n) for n in named if callable(n)]
    return [n for n in found if isinstance(n, FunctionType) and n.__module__.startswith("app.")]

"""Lottery tables that were solved here a moment ago: a look, the summary of a commitment and the
commitment itself ask the same question, and the solver may need a minute for it.

Kept in the memory of the server process, for the few requests that are being worked on; another
process solves once more. Nothing is believed because it is kept: the commitment holds a kept table
against its own pool and panels and checks its certificate like any other (docs/draw-protocol.md
section 7).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from app.draw.pool import Assessment

Tables = Mapping[str, Mapping[str, Any]]
KEPT = 4  # questions; a table of 2,000 types is a few megabytes

_kept: OrderedDict[str, Tables] = OrderedDict()
_lock = Lock()


def solved(found: Assessment, solve: Callable[[], Tables]) -> Tables:
    """The tables of the lottery panels of a judged pool: kept ones, or those that `solve` makes.

    One question is this pool (everybody, attributes, exclusions, rules) and these panels.
    """
    if all(panel.mode != "lottery" for panel in found.panels):
        return {}
    question = found.digest() + repr(found.panels)
    with _lock:
        if question in _kept:
            _kept.move_to_end(question)
            return _kept[question]
    tables = solve()
    with _lock:
        _kept[question] = tables
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return tables

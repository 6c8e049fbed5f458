"""Diagnoses that take seconds in a round of 148 counties, kept for the next reader of the page.

A run never changes, and what is diagnosed follows from the run, from who sat where and from the cut
line alone: the key is all of these, the run by its digests. The last few are held by each worker
process; a restart forgets them, and nothing is written.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from app.aggregation.diagnostics import Diagnosis

Made = TypeVar("Made")
MOST = 6
_held: OrderedDict[Hashable, Any] = OrderedDict()
_lock = threading.Lock()


def kept(what: str, looked: Diagnosis, top: Hashable, make: Callable[[], Made]) -> Made:
    """`make()`, or what it made the last time for this run, these people and this cut line."""
    run, cast = looked.run, looked.cast
    order = tuple((stage, tuple(sorted(rows.items()))) for stage, rows in cast.order.items())
    digests = (run.rule_digest, run.inputs_digest, run.results_digest)
    key = (what, run.id, digests, tuple(sorted(cast.experts.items())), order, top)
    with _lock:
        if key in _held:
            _held.move_to_end(key)
            found: Made = _held[key]
            return found
    made = make()
    with _lock:
        _held[key] = made
        while len(_held) > MOST:
            _held.popitem(last=False)
    return made

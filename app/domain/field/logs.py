"""A log of operations: whether one follows on another, and what a sheet is after them.

docs/sync-protocol.md sections 3 to 5. How one `set` changes a sheet's entries is the sheet's own
affair (`app.scoring.entries.merged`), so it comes in as a function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.field.operations import START, Operation

Entries = Mapping[str, Any]
Merge = Callable[[Entries, Mapping[str, Any]], dict[str, Any]]
Attached = tuple[str, str]  # item, sha256


@dataclass(frozen=True, slots=True)
class End:
    """Where a log stands: the last sequence number (0: empty) and the hash of that operation."""

    seq: int = 0
    hash: str = START

    def follows(self, operation: Operation) -> bool:
        """Whether `operation` is the very next one."""
        return operation.seq == self.seq + 1 and operation.prev == self.hash

    def after(self, operation: Operation) -> End:
        return End(operation.seq, operation.hash)


@dataclass(frozen=True, slots=True)
class Beside:
    """A branch as a `choose` needs it: its entries, and what is attached in it."""

    entries: Entries
    media: tuple[Attached, ...] = ()


def item_of(kind: str, fields: Mapping[str, Any]) -> str | None:
    """The item that a change is about; None for the other kinds."""
    if kind == "set":
        return str(fields["path"]).partition(".")[0]
    return str(fields["item"]) if kind in ("attach", "detach") else None


def entries_after(
    entries: Entries, kind: str, fields: Mapping[str, Any], merge: Merge, beside: Beside | None
) -> dict[str, Any]:
    """A sheet's entries after one accepted operation; KeyError for an item that is not on it."""
    if kind == "set":
        return merge(entries, {fields["path"]: fields["new"]})
    result = dict(entries)
    if kind == "choose" and beside is not None:
        for item, pick in fields["picks"].items():
            if pick == "branch":
                if item in beside.entries:
                    result[item] = beside.entries[item]
                else:
                    result.pop(item, None)
    return result


def media_after(
    attached: Sequence[Attached], kind: str, fields: Mapping[str, Any], beside: Beside | None
) -> tuple[Attached, ...]:
    """What is attached, in order, after one accepted operation."""
    match kind:
        case "attach":
            pair = (str(fields["item"]), str(fields["sha256"]))
            return (*attached, *(() if pair in attached else (pair,)))
        case "detach":
            gone = (str(fields["item"]), str(fields["sha256"]))
            return tuple(pair for pair in attached if pair != gone)
        case "choose" if beside is not None:
            chosen = {item for item, pick in fields["picks"].items() if pick == "branch"}
            kept = tuple(pair for pair in attached if pair[0] not in chosen)
            return kept + tuple(pair for pair in beside.media if pair[0] in chosen)
        case _:
            return tuple(attached)


def fold(
    entries: Entries,
    changes: Iterable[tuple[str, Mapping[str, Any]]],
    merge: Merge,
    branches: Mapping[str, Beside] | None = None,
) -> dict[str, Any]:
    """A sheet's entries after accepted operations, each (kind, fields), in their order."""
    result = dict(entries)
    for kind, fields in changes:
        beside = (branches or {}).get(str(fields.get("branch")))
        result = entries_after(result, kind, fields, merge, beside)
    return result


def differing(mine: Entries, branch: Entries, touched: Iterable[str]) -> list[str]:
    """The items that a branch touched and in which it says something else, in order of touching."""
    return [item for item in dict.fromkeys(touched) if mine.get(item) != branch.get(item)]

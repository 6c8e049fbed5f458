"""Class-wise points frozen again because the set of subjects changed: old and new side by side.

Min-max within a class depends on who is in the class. When a county withdraws or is vetoed, the lowest
and highest values move and with them everybody's points. The new points replace the old ones only as a
whole, and this says what moved and why, item by item and subject by subject.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.domain.scoring.formulas import ClassPoints, Frame
from app.domain.scoring.measures import half_up, plain
from app.domain.types import Text

_LEFT = Text("退出 {n}", "{n} left")
_CAME = Text("加入 {n}", "{n} came in")


@dataclass(frozen=True, slots=True)
class Moved:
    """One subject's points on one item, old and new; None: the item did or does not apply."""

    subject: str
    item_id: str
    old: Decimal | None
    new: Decimal | None


@dataclass(frozen=True, slots=True)
class FrameChange:
    """One item put on another scale: the frames, the subjects' points, a sentence."""

    item_id: str
    old: Frame
    new: Frame
    moved: tuple[Moved, ...]
    text: Text

    def to_json(self) -> dict[str, Any]:
        """JSON value; numbers are strings."""
        return {
            "item": self.item_id,
            "old": _frame(self.old),
            "new": _frame(self.new),
            "moved": [
                {"subject": m.subject, "old": _plain(m.old), "new": _plain(m.new)}
                for m in self.moved
            ],
            "text": {"zh": self.text.zh, "en": self.text.en},
        }


@dataclass(frozen=True, slots=True)
class Refrozen:
    """All that changed between two freezings of one class."""

    left: tuple[str, ...]
    came: tuple[str, ...]
    changes: tuple[FrameChange, ...]

    @property
    def needed(self) -> bool:
        """Whether any points differ, so that the class must be frozen again."""
        return bool(self.changes)

    def to_json(self) -> dict[str, Any]:
        """JSON value."""
        return {
            "left": list(self.left),
            "came": list(self.came),
            "changes": [change.to_json() for change in self.changes],
        }


def refrozen(before: ClassPoints, after: ClassPoints) -> Refrozen:
    """What changed for the subjects that are in both sets, and who left or came in."""
    left = tuple(sorted(before.points.keys() - after.points.keys()))
    came = tuple(sorted(after.points.keys() - before.points.keys()))
    stayed = sorted(before.points.keys() & after.points.keys())
    changes = []
    for item in sorted(before.frames.keys() & after.frames.keys()):
        moved = tuple(
            Moved(subject, item, old, new)
            for subject in stayed
            if (old := _points(before.points[subject], item))
            != (new := _points(after.points[subject], item))
        )
        old_frame, new_frame = before.frames[item], after.frames[item]
        if moved or (old_frame.low, old_frame.high, old_frame.method) != (
            new_frame.low,
            new_frame.high,
            new_frame.method,
        ):
            text = _words(item, old_frame, new_frame, moved, left, came)
            changes.append(FrameChange(item, old_frame, new_frame, moved, text))
    return Refrozen(left, came, tuple(changes))


def _points(items: Mapping[str, Any], item: str) -> Decimal | None:
    found = items.get(item)
    points: Decimal | None = None if found is None else found.points
    return points


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "method": frame.method,
        "count": frame.count,
        "low": _plain(frame.low),
        "high": _plain(frame.high),
    }


def _range(frame: Frame) -> str:
    if frame.low is None or frame.high is None:
        return frame.method
    return f"{plain(half_up(frame.low, 6))}–{plain(half_up(frame.high, 6))}"


def _words(
    item: str,
    old: Frame,
    new: Frame,
    moved: tuple[Moved, ...],
    left: tuple[str, ...],
    came: tuple[str, ...],
) -> Text:
    why = [_LEFT.format(n=", ".join(left))] if left else []
    why += [_CAME.format(n=", ".join(came))] if came else []
    cause = Text(
        "、".join(t.zh for t in why) or "数据改变",
        ", ".join(t.en for t in why) or "figures changed",
    )
    listed = ", ".join(f"{m.subject} {_plain(m.old) or '—'} → {_plain(m.new) or '—'}" for m in moved)  # fmt: skip
    return Text(
        "指标 {i} 因{c}重新取值:{a}({m}个)→ {b}({n}个);{l}。",
        "Item {i} was put on a new scale ({c}): {a} (of {m}) → {b} (of {n}); {l}.",
    ).format(
        i=item, c=cause, a=_range(old), b=_range(new), m=old.count, n=new.count,
        l=listed or Text("各对象得分不变", "no points changed"),
    )  # fmt: skip

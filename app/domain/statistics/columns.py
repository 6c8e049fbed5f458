"""The marks of one panel stage as integer columns: (seat, item, subject), one common denominator.

Sums and extremes over the experts then run over the first axis, contiguously. A seat is one expert's
place at one subject, so that rounds in which every subject has another panel stay small; `who` says
which expert sits there. Marks are exact: numerators over `bottom`, in int64 where everything that
will be added up fits, else Python integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import lcm
from typing import TYPE_CHECKING, Any

from app.domain.statistics.marks import SubjectMarks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Whole = NDArray[Any]  # int64, or Python integers where those do not fit
    Yes = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Columns:
    """One panel stage of a round.

    `marks`, `given` (a mark is there), `inapplicable`: (seat, item, subject). `valid`, `who`,
    `totals`, `has_total`: (seat, subject). `named`: (item, subject), items that a valid sheet names.
    `is_panel`: (subject), whether the subject has this stage with a panel. Where nothing is given
    the mark is 0.
    """

    subjects: tuple[str, ...]
    raters: tuple[str, ...]
    items: tuple[str, ...]
    bottom: int
    marks: Whole
    given: Yes
    inapplicable: Yes
    valid: Yes
    who: NDArray[np.int32]
    totals: Whole
    has_total: Yes
    named: Yes
    is_panel: Yes

    @property
    def largest(self) -> int:
        """The largest numerator by size, marks and totals."""
        import numpy as np

        sizes = [int(np.abs(part).max()) for part in (self.marks, self.totals) if part.size]
        return max(sizes, default=0)


def columns_of(subjects: Sequence[SubjectMarks], stage: str) -> Columns:
    """The columns of a stage; subjects in the order given, experts in the order of their ids."""
    import numpy as np

    stages = [s.stages.get(stage) for s in subjects]
    panels = [p.valid if p is not None and p.kind == "panel" else {} for p in stages]
    names: dict[str, None] = {}
    for panel in panels:
        for sheet in panel.values():
            if not sheet.items.keys() <= names.keys():
                names.update(dict.fromkeys(sheet.items))
    items = tuple(sorted(names))
    raters = tuple(sorted({rater for panel in panels for rater in panel}))
    at = {rater: index for index, rater in enumerate(raters)}
    seats = max((len(panel) for panel in panels), default=0)
    size = (seats, len(subjects))
    valid, has_total = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    who = np.full(size, -1, dtype=np.int32)
    cells: list[tuple[int, int]] = []
    flat: list[Decimal | None] = []
    totals: list[Decimal] = []
    total_at: list[tuple[int, int]] = []
    skipped: list[tuple[int, int, int]] = []
    short: list[tuple[int, frozenset[str]]] = []
    place = {item: index for index, item in enumerate(items)}
    for column, panel in enumerate(panels):
        for seat, (rater, sheet) in enumerate(panel.items()):
            valid[seat, column], who[seat, column] = True, at[rater]
            marks = sheet.items
            if len(marks) < len(items):
                short.append((column, frozenset(marks)))
            flat += [marks.get(item) for item in items]
            cells.append((seat, column))
            if sheet.total is not None:
                totals.append(sheet.total)
                total_at.append((seat, column))
            for item in sheet.not_applicable:
                if item in place:
                    skipped.append((seat, place[item], column))
    bottom, numerators = _numerators([*set(flat), *set(totals)])
    fits = all(abs(top) < 2**62 for top in numerators.values())
    kind: Any = np.int64 if fits else object
    where = np.array(cells, dtype=np.intp).reshape(-1, 2)
    block = np.array([numerators[v] for v in flat], dtype=kind).reshape(len(cells), len(items))
    there: Yes = np.array([v is not None for v in flat], dtype=bool).reshape(block.shape)
    # Subjects run fastest: sums and extremes over seats are then over whole rows.
    made = np.zeros((seats, len(items), len(subjects)), dtype=kind)
    given: Yes = np.zeros(made.shape, dtype=bool)
    made[where[:, 0], :, where[:, 1]] = block
    given[where[:, 0], :, where[:, 1]] = there
    whole = np.zeros(size, dtype=kind)
    for (seat, column), total in zip(total_at, totals, strict=True):
        whole[seat, column], has_total[seat, column] = numerators[total], True
    inapplicable: Yes = np.zeros(made.shape, dtype=bool)
    for cell in skipped:
        inapplicable[cell] = True
    named: Yes = np.repeat(np.asarray(valid.any(axis=0))[None, :], len(items), axis=0)
    if short:
        seen: dict[int, set[str]] = {}
        full = {column for column, panel in enumerate(panels) if any(len(s.items) == len(items) for s in panel.values())}  # fmt: skip
        for column, some in short:
            seen.setdefault(column, set()).update(some)
        for column, known in seen.items():
            if column not in full:
                named[:, column] = [item in known for item in items]
    return Columns(
        tuple(s.id for s in subjects), raters, items, bottom, made, given, inapplicable, valid, who,
        whole, has_total, named, np.array([p is not None and p.kind == "panel" for p in stages], dtype=bool),
    )  # fmt: skip


def _numerators(values: Iterable[Decimal | None]) -> tuple[int, dict[Decimal | None, int]]:
    """(common denominator, value -> numerator); None stands for 0."""
    ratios = {v: v.as_integer_ratio() for v in values if v is not None}
    bottom = lcm(*(b for _, b in ratios.values()))
    made: dict[Decimal | None, int] = {v: t * (bottom // b) for v, (t, b) in ratios.items()}
    made[None] = 0
    return bottom, made

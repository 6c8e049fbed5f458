"""What experts do on tablets in the proofs about crashes: fill a sheet in, change words, seal, take back.

The tablet is the only witness: what it saw acknowledged has to be on the server afterwards.
"""

from __future__ import annotations

from app.domain.field.logs import fold
from app.domain.scoring.sheets import sheet_items
from app.field.places import merger
from tests.attacks.world import complete_marks
from tests.proof.field import Line, tap


def work(line: Line, turn: int) -> None:
    """The operations of one turn: a whole sheet first, then words; sealed at every third turn from
    the second on, and taken back at the next."""
    tablet, key = line.tablet, line.key
    if turn == 0:
        applying = [item for item in sheet_items(line.form) if item["applies"]]
        tablet.fill(key, complete_marks(applying))
        return
    if turn % 3 == 2:
        tablet.do(key, "withdraw", reason="虚构的更正理由")
    tap(line, turn)
    if turn % 3 == 1:
        tablet.seal(key, line.viewer.name, entries_of(line))


def entries_of(line: Line) -> dict[str, object]:
    """The sheet as the expert sees it on the tablet."""
    changes = [("set", op) for op in line.tablet.logs[line.key] if op["kind"] == "set"]
    return fold({}, changes, merger(line.form))


def seals(line: Line) -> int:
    """How many seals were acknowledged; every one must have been accepted, with its code."""
    kinds = {op["id"]: op["kind"] for op in line.tablet.logs.get(line.key, [])}
    told = [line.first[op] for op, kind in kinds.items() if kind == "seal" and op in line.first]
    for receipt in told:
        assert receipt["status"] == "accepted" and receipt["code"], receipt
    return len(told)
